// What is compiled in place of a file of kernels: the file, in a namespace of its own.
//
// On a card each file is a module for itself; here all are linked into one library, where two files' inline functions
// (or structs, or shared variables in them) of the same name would silently become one. Kernels keep their names, for
// they are extern "C": two of the same name do not link.
//
// KERNEL_FILE       the file, as #include takes it
// KERNEL_NAMESPACE  a name that no other file has
#include "simulator.h"

namespace KERNEL_NAMESPACE {
#include KERNEL_FILE
}
