#include "simulator.h"

#include <atomic>
#include <condition_variable>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>

#include "machine.h"
#include "memory.h"

namespace simulator {
namespace {

// Threads of the operating system that run blocks. They are made when first needed and stay, because making the stacks
// of a thousand fibers takes longer than most launches of a test.
class Crew {
public:
    // Runs a launch on up to `threads` threads and returns when all have done.
    void run(Launch& launch, unsigned threads) {
        std::lock_guard<std::mutex> one(oneLaunch);
        std::unique_lock<std::mutex> lock(mutex);
        for (; members < threads; members++) std::thread([this] { serve(); }).detach();
        current = &launch;
        openings = threads;
        busy = threads;
        wake.notify_all();
        done.wait(lock, [this] { return busy == 0; });
        current = nullptr;
    }

private:
    void serve() {
        Machine machine;
        machine.prepare_thread();
        std::unique_lock<std::mutex> lock(mutex);
        while (true) {
            wake.wait(lock, [this] { return openings > 0; });
            openings--;
            Launch& launch = *current;
            lock.unlock();
            machine.work(launch);
            lock.lock();
            if (--busy == 0) done.notify_all();
        }
    }

    std::mutex oneLaunch;
    std::mutex mutex;
    std::condition_variable wake;
    std::condition_variable done;
    Launch* current = nullptr;
    unsigned members = 0;
    unsigned openings = 0;
    unsigned busy = 0;
};

// Never destroyed: its threads would wait for something that is gone.
Crew& crew() {
    static Crew* const crew = new Crew;
    return *crew;
}

// What cuLaunchKernel would refuse on every card we support; empty where nothing.
std::string refusal(const Launch& launch) {
    constexpr unsigned MOST_THREADS = 1024;
    constexpr unsigned MOST_BLOCKS_YZ = 65535;
    const uint64_t threads = uint64_t{launch.block.x} * launch.block.y * launch.block.z;
    if (threads == 0 || threads > MOST_THREADS) return "a block of " + std::to_string(threads) + " threads";
    if (launch.blocks() == 0) return "a grid without blocks";
    if (launch.grid.y > MOST_BLOCKS_YZ || launch.grid.z > MOST_BLOCKS_YZ) return "a grid of more than 65535 in y or z";
    return "";
}

}  // namespace
}  // namespace simulator

// ---- What Java calls ----

#define EXPORTED extern "C" __attribute__((visibility("default")))

// Runs a kernel and returns when it is done.
//
// kernel     its name, for messages
// call       the function `<name>__call` of this library
// arguments  addresses of the arguments, as cuLaunchKernel takes them
// order      in which order fibers and blocks take turns. 0 ascending and 1 descending: one warp runs, its lanes in
//            turns, until all of them wait for others, then the next; so the first (or last) warp is as far ahead as
//            barriers allow. 2 in strides, from 3 on shuffled: all fibers take turns
// threads    of the operating system that share the blocks, at least 1
// message    receives what went wrong, at most `capacity` bytes with the final 0
// returns    0, or 1 if something went wrong; then the content of device memory is undefined
EXPORTED int simulator_launch(const char* kernel, void (*call)(void**), unsigned gridX, unsigned gridY, unsigned gridZ,
                              unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes, void** arguments,
                              int order, unsigned threads, char* message, size_t capacity) {
    using namespace simulator;
    Launch launch(kernel, call, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes, arguments, order);
    const std::string refused = refusal(launch);
    if (!refused.empty()) {
        launch.fail(std::string(kernel) + ": " + refused);
    } else {
        crew().run(launch, threads);
        const std::string damage = damaged_margins();
        if (!damage.empty()) launch.fail(std::string(kernel) + ": out of bounds: wrote " + damage);
    }
    snprintf(message, capacity, "%s", launch.message().c_str());
    return launch.failed() ? 1 : 0;
}

EXPORTED void* simulator_allocate(size_t bytes) {
    return simulator::allocate_guarded(bytes);
}

EXPORTED void simulator_free(void* memory) {
    simulator::free_guarded(memory);
}
