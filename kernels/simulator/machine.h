// Runs blocks: one Machine for each thread of the operating system.
#pragma once

#include <atomic>
#include <csetjmp>
#include <csignal>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "context.h"
#include "simulator.h"

namespace simulator {

// The orders that are not shuffled, see simulator_launch.
constexpr int DESCENDING = 1;
constexpr int STRIDED = 2;

// One launch of a kernel, shared by all threads that work on it.
class Launch {
public:
    Launch(const char* kernel, void (*call)(void**), Index3 grid, Index3 block, unsigned sharedBytes, void** arguments,
           int order)
        : kernel(kernel), call(call), grid(grid), block(block), sharedBytes(sharedBytes), arguments(arguments),
          order(order) {}

    uint64_t blocks() const { return uint64_t{grid.x} * grid.y * grid.z; }
    unsigned threads() const { return block.x * block.y * block.z; }

    // The number of a block that nobody has begun, or at least blocks() when there is none.
    uint64_t next_block() { return next++; }

    // The first failure is the one that is told.
    void fail(const std::string& text) {
        std::lock_guard<std::mutex> lock(mutex);
        if (!hasFailed.exchange(true)) firstMessage = text;
    }

    bool failed() const { return hasFailed; }
    std::string message() {
        std::lock_guard<std::mutex> lock(mutex);
        return firstMessage;
    }

    const char* const kernel;
    void (*const call)(void**);
    const Index3 grid;
    const Index3 block;
    const unsigned sharedBytes;
    void** const arguments;
    const int order;

private:
    std::atomic<uint64_t> next{0};
    std::atomic<bool> hasFailed{false};
    std::mutex mutex;
    std::string firstMessage;
};

// Runs the blocks of launches, one after another, each with its own fibers on one thread of the operating system.
class Machine : public Block {
public:
    // Lets this thread survive a fault in a kernel. To be called once, on the thread that will call work().
    void prepare_thread();

    // Runs blocks of a launch until there are no more, or one has failed.
    void work(Launch& launch);

    // ---- For the running fiber ----

    // Sleeps until `watched` changes.
    void sleep(const unsigned* watched, const char* at, Place place);
    // Lets the next fiber run, or the code outside if all are done.
    void pass_on();
    // Lets fibers take turns as at the beginning, the running one like the others: when all have met at a barrier.
    void begin_again();
    [[noreturn]] void fail(const std::string& what);

private:
    static void run_fiber();
    void prepare_launch(Launch& launch);
    void prepare_block(uint64_t number);
    void run_block();
    [[noreturn]] void leave();
    void give_turn_to(Fiber& next);
    // Whose turn comes after the running fiber's; null where nobody can run.
    Fiber* next_runnable();
    // The first that can run among the turns `first` to `end` - 1, a ring that is searched from `turn` on.
    Fiber* runnable_among(unsigned first, unsigned end, unsigned turn);
    std::string who_waits();
    void poison_shared();
    std::string describe_fault();

    Launch* launch = nullptr;
    std::vector<Fiber> fibers;
    std::vector<Context> contexts;
    std::deque<Warp> warps;
    unsigned count = 0;
    unsigned alive = 0;

    // The order in which fibers take turns: fiber numbers, and where each stands in it.
    std::vector<unsigned> turns;
    std::vector<unsigned> turnOf;
    int orderOfTurns = -1;

    Context outside;
    unsigned char* stacks = nullptr;
    unsigned stackCount = 0;
    unsigned sharedBytes = 0;
    unsigned char* staticShared = nullptr;
    size_t staticSharedBytes = 0;

    friend bool block_barrier(bool mine, Place place);
    friend void on_fault(int signal, siginfo_t* info, void* context);
    sigjmp_buf beforeFault;
    int faultSignal = 0;
    const void* faultAddress = nullptr;
};

}  // namespace simulator
