#include "context.h"

#include <cstdint>
#include <cstring>

namespace simulator {

#if SIMULATOR_OWN_SWITCH

// The calling convention of x86-64 Linux lets a function change all registers but these six and the stack pointer; so a
// switch that looks like a function call has to save no more. Source: "System V Application Binary Interface, AMD64
// Architecture Processor Supplement", section 3.2.1.
asm(R"(
    .text
    .local simulator_switch
    .type simulator_switch, @function
simulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size simulator_switch, . - simulator_switch
)");
extern "C" void simulator_switch(void** from, void* to);

constexpr int SAVED_REGISTERS = 6;

void prepare(Context& context, void* stack, size_t stackBytes, void (*entry)()) {
    const uintptr_t end = (reinterpret_cast<uintptr_t>(stack) + stackBytes) & ~uintptr_t{15};
    void** top = reinterpret_cast<void**>(end);
    // A function begins 8 bytes below a multiple of 16, where a call would have left the address to return to.
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(entry);
    top -= SAVED_REGISTERS;
    memset(top, 0, SAVED_REGISTERS * sizeof(void*));
    context.stackPointer = top;
}

void switch_context(Context& from, const Context& to) {
    simulator_switch(&from.stackPointer, to.stackPointer);
}

#else

void prepare(Context& context, void* stack, size_t stackBytes, void (*entry)()) {
    getcontext(&context.state);
    context.state.uc_stack.ss_sp = stack;
    context.state.uc_stack.ss_size = stackBytes;
    context.state.uc_link = nullptr;
    makecontext(&context.state, entry, 0);
}

void switch_context(Context& from, const Context& to) {
    swapcontext(&from.state, const_cast<ucontext_t*>(&to.state));
}

#endif

}  // namespace simulator
