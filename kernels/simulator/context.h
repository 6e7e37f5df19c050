// Switching between stacks: what a fiber is made of.
#pragma once

#include <cstddef>

#if defined(__x86_64__) && !defined(SIMULATOR_UCONTEXT)
#define SIMULATOR_OWN_SWITCH 1
#else
#define SIMULATOR_OWN_SWITCH 0
#include <ucontext.h>
#endif

namespace simulator {

// Where a piece of code was left.
struct Context {
#if SIMULATOR_OWN_SWITCH
    void* stackPointer = nullptr;
#else
    ucontext_t state;
#endif
};

// Prepares `context` so that switching to it calls `entry` on the given stack. `entry` must never return.
void prepare(Context& context, void* stack, size_t stackBytes, void (*entry)());

// Leaves the running code in `from` and goes on where `to` was left.
void switch_context(Context& from, const Context& to);

}  // namespace simulator
