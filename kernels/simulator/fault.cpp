#include "fault.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <link.h>
#include <mutex>
#include <pthread.h>

#include "machine.h"

namespace simulator {

// Read by the handler on any thread, so nothing may be locked and no thread-local variable may be made.
constexpr unsigned MOST_THREADS = 64;
static std::atomic<unsigned> threadCount{0};
static pthread_t threads[MOST_THREADS];

// What a kernel can do wrong: touch what is not there, and divide a whole number by zero.
constexpr int FAULTS[] = {SIGSEGV, SIGBUS, SIGFPE};
constexpr int MOST_SIGNALS = 64;
static struct sigaction previous[MOST_SIGNALS];

static bool is_one_of_ours(pthread_t thread) {
    const unsigned count = threadCount.load(std::memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        if (pthread_equal(threads[i], thread)) return true;
    }
    return false;
}

static void hand_on(const struct sigaction& handler, int signal, siginfo_t* info, void* context) {
    if ((handler.sa_flags & SA_SIGINFO) != 0) {
        handler.sa_sigaction(signal, info, context);
    } else if (handler.sa_handler == SIG_DFL || handler.sa_handler == SIG_IGN) {
        // The instruction faults again and ends the process, as it would have without us.
        sigaction(signal, &handler, nullptr);
    } else {
        handler.sa_handler(signal);
    }
}

void on_fault(int signal, siginfo_t* info, void* context) {
    if (is_one_of_ours(pthread_self()) && self != nullptr) {
        Machine& machine = static_cast<Machine&>(*self->block);
        machine.faultSignal = signal;
        machine.faultAddress = info->si_addr;
        siglongjmp(machine.beforeFault, 1);
    }
    hand_on(previous[signal], signal, info, context);
}

static void install(int signal) {
    sigaction(signal, nullptr, &previous[signal]);
    struct sigaction ours = previous[signal];
    ours.sa_sigaction = on_fault;
    // On a stack of its own, because a fiber's may be full; that changes nothing for threads that have none.
    ours.sa_flags |= SA_SIGINFO | SA_ONSTACK;
    sigaction(signal, &ours, nullptr);
}

void prepare_for_faults() {
    static std::mutex mutex;
    std::lock_guard<std::mutex> lock(mutex);
    const unsigned mine = threadCount.load();
    if (mine == MOST_THREADS) abort();
    threads[mine] = pthread_self();
    threadCount.store(mine + 1, std::memory_order_release);
    self = nullptr;

    constexpr size_t STACK_BYTES = 64 * 1024;
    stack_t stack{};
    stack.ss_sp = malloc(STACK_BYTES);
    stack.ss_size = STACK_BYTES;
    sigaltstack(&stack, nullptr);

    // What is meant for the process is for its other threads.
    sigset_t all;
    sigfillset(&all);
    for (int fault : FAULTS) sigdelset(&all, fault);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);

    if (mine == 0) {
        for (int fault : FAULTS) install(fault);
    }
}

struct ThreadLocals {
    unsigned char* start;
    size_t bytes;
};

static int find_in_library(dl_phdr_info* info, size_t, void* result) {
    const uintptr_t here = reinterpret_cast<uintptr_t>(&prepare_for_faults);
    bool ours = false;
    size_t bytes = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr)& part = info->dlpi_phdr[i];
        const uintptr_t from = info->dlpi_addr + part.p_vaddr;
        if (part.p_type == PT_LOAD && here >= from && here < from + part.p_memsz) ours = true;
        if (part.p_type == PT_TLS) bytes = part.p_memsz;
    }
    if (!ours) return 0;
    *static_cast<ThreadLocals*>(result) = {static_cast<unsigned char*>(info->dlpi_tls_data), bytes};
    return 1;
}

void find_thread_locals(unsigned char*& start, size_t& bytes) {
    // Touched, so that this thread's copy is there.
    self = nullptr;
    ThreadLocals found{nullptr, 0};
    dl_iterate_phdr(find_in_library, &found);
    start = found.start;
    bytes = found.start == nullptr ? 0 : found.bytes;
}

}  // namespace simulator
