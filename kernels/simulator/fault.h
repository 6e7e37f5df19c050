// Surviving a kernel that touches what it must not, inside a process whose other threads have handlers of their own.
#pragma once

#include <cstddef>

namespace simulator {

// To be called on each thread that runs fibers. From then on, a SIGSEGV, SIGBUS or SIGFPE on such a thread while a fiber
// runs ends the block by siglongjmp to its Machine; on every other thread, and outside fibers, the handler that was there
// before is called as if ours did not exist. That is sound beside a Java virtual machine: these threads run kernels and
// nothing else, so no lock is held and no Java frame is left behind.
void prepare_for_faults();

// Where this library's thread-local variables of the calling thread lie: the kernels' static shared memory.
void find_thread_locals(unsigned char*& start, size_t& bytes);

}  // namespace simulator
