#include "machine.h"

#include <algorithm>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <numeric>
#include <sys/mman.h>

#include "fault.h"
#include "memory.h"

namespace simulator {

__thread Fiber* self = nullptr;

namespace {

// Kernels keep in registers what they can; what is left on the stack is small, but -O0 and deep templates want room.
constexpr size_t STACK_BYTES = 64 * 1024;
constexpr size_t STACK_STRIDE = STACK_BYTES + PAGE;
constexpr int NAN_BYTE = 0xff;

Machine& machine_of(Fiber& fiber) {
    return static_cast<Machine&>(*fiber.block);
}

std::string text_of(const Index3& index) {
    return "(" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " + std::to_string(index.z) + ")";
}

std::string text_of(const Place& place) {
    return std::string(place.file) + ":" + std::to_string(place.line);
}

// The numbers 0 .. count - 1 in one of the orders of simulator_launch.
std::vector<unsigned> order_of(unsigned count, int order) {
    std::vector<unsigned> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0u);
    if (order == DESCENDING) {
        for (unsigned i = 0; i < count; i++) numbers[i] = count - 1 - i;
    } else if (order == STRIDED) {
        // An odd stride below a warp mixes the warps; it visits all where it has no common divisor with the count.
        unsigned stride = 13;
        while (std::gcd(stride, count) != 1) stride += 2;
        for (unsigned i = 0; i < count; i++) numbers[i] = static_cast<unsigned>(uint64_t{i} * stride % count);
    } else if (order > STRIDED) {
        // Fisher and Yates, with the generator of "Numerical Recipes", 3rd edition, section 7.1.2.
        uint64_t state = static_cast<uint64_t>(order);
        for (unsigned i = count; i > 1; i--) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            std::swap(numbers[i - 1], numbers[(state >> 33) % i]);
        }
    }
    return numbers;
}

}  // namespace

void Machine::prepare_thread() {
    prepare_for_faults();
    find_thread_locals(staticShared, staticSharedBytes);
}

void Machine::work(Launch& given) {
    launch = &given;
    prepare_launch(given);
    const uint64_t blocks = given.blocks();
    uint64_t number;
    while (!given.failed() && (number = given.next_block()) < blocks) {
        // Blocks, too, have no order that a kernel could rely on.
        prepare_block(given.order % 2 == 1 ? blocks - 1 - number : number);
        run_block();
    }
}

void Machine::prepare_launch(Launch& given) {
    grid = given.grid;
    extent = given.block;
    if (count != given.threads() || orderOfTurns != given.order) {
        count = given.threads();
        orderOfTurns = given.order;
        turns = order_of(count, given.order);
        turnOf.resize(count);
        for (unsigned i = 0; i < count; i++) turnOf[turns[i]] = i;
    }
    fibers.resize(count);
    contexts.resize(count);
    warps.resize((count + WARP - 1) / WARP);
    if (stackCount < count) {
        if (stacks != nullptr) munmap(stacks, stackCount * STACK_STRIDE);
        void* mapping = mmap(nullptr, count * STACK_STRIDE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (mapping == MAP_FAILED) abort();
        stacks = static_cast<unsigned char*>(mapping);
        stackCount = count;
        // A stack grows downwards, into the page that must not be touched.
        for (unsigned i = 0; i < count; i++) mprotect(stacks + i * STACK_STRIDE, PAGE, PROT_NONE);
    }
    if (dynamicShared == nullptr || sharedBytes != given.sharedBytes) {
        free_guarded(dynamicShared);
        sharedBytes = given.sharedBytes;
        dynamicShared = static_cast<unsigned char*>(allocate_guarded(sharedBytes));
        if (dynamicShared == nullptr) abort();
    }
}

void Machine::prepare_block(uint64_t number) {
    index = {static_cast<unsigned>(number % grid.x), static_cast<unsigned>(number / grid.x % grid.y),
             static_cast<unsigned>(number / grid.x / grid.y)};
    poison_shared();
    alive = count;
    arrived = 0;
    votes[0] = votes[1] = false;
    for (Warp& warp : warps) {
        warp.existing = 0;
        warp.gone = 0;
        for (Meeting& meeting : warp.meetings) meeting.arrived = 0;
    }
    for (unsigned i = 0; i < count; i++) {
        Fiber& fiber = fibers[i];
        fiber.index = {i % extent.x, i / extent.x % extent.y, i / (extent.x * extent.y)};
        fiber.number = i;
        fiber.lane = i % WARP;
        fiber.warp = &warps[i / WARP];
        fiber.warp->existing |= 1u << fiber.lane;
        fiber.block = this;
        fiber.finished = false;
        fiber.watched = nullptr;
        fiber.openCopies.clear();
        fiber.committedCopies.clear();
        prepare(contexts[i], stacks + i * STACK_STRIDE + PAGE, STACK_BYTES, run_fiber);
    }
}

void Machine::poison_shared() {
    memset(dynamicShared, NAN_BYTE, sharedBytes);
    // Static shared memory is thread-local memory of this library, and so is `self`.
    memset(staticShared, NAN_BYTE, staticSharedBytes);
    self = nullptr;
}

void Machine::run_block() {
    if (sigsetjmp(beforeFault, 1) == 0) {
        self = &fibers[turns[0]];
        switch_context(outside, contexts[turns[0]]);
    } else {
        // Got here from a signal handler, off the stack of the fiber that did it.
        launch->fail(describe_fault());
    }
    self = nullptr;
}

void Machine::run_fiber() {
    Machine& machine = machine_of(*self);
    machine.launch->call(machine.launch->arguments);
    machine.leave();
}

void Machine::leave() {
    const unsigned bit = 1u << self->lane;
    if (arrived > 0) {
        fail("leaves the kernel while " + std::to_string(arrived) + " of " + std::to_string(count)
             + " threads wait for it; " + who_waits());
    }
    for (const Meeting& meeting : self->warp->meetings) {
        if (meeting.arrived != 0 && (meeting.mask & bit) != 0) {
            fail("leaves the kernel while other lanes of its warp wait for it; " + who_waits());
        }
    }
    self->finished = true;
    self->warp->gone |= bit;
    alive--;
    pass_on();
    abort();  // Nobody switches to a finished fiber.
}

void Machine::sleep(const unsigned* watched, const char* at, Place place) {
    self->watched = watched;
    self->asleepSince = *watched;
    self->waitingAt = at;
    self->place = place;
    pass_on();
    self->watched = nullptr;
}

void Machine::pass_on() {
    if (alive == 0) {
        switch_context(contexts[self->number], outside);
        return;
    }
    Fiber* next = next_runnable();
    if (next == nullptr) fail("nobody can go on; " + who_waits());
    give_turn_to(*next);
}

void Machine::begin_again() {
    give_turn_to(fibers[turns[0]]);
}

void Machine::give_turn_to(Fiber& next) {
    Fiber& from = *self;
    if (&next == &from) return;
    self = &next;
    switch_context(contexts[from.number], contexts[next.number]);
}

Fiber* Machine::next_runnable() {
    const unsigned after = turnOf[self->number] + 1;
    if (orderOfTurns > DESCENDING) return runnable_among(0, count, after);
    // One warp runs ahead: its lanes, whose turns are neighbours, until all wait for others; then the next warp. Those
    // before it wait, too: only therefore this one could run.
    const unsigned firstOfWarp = self->number - self->lane;
    const unsigned lastOfWarp = std::min(firstOfWarp + WARP, count) - 1;
    const unsigned first = std::min(turnOf[firstOfWarp], turnOf[lastOfWarp]);
    const unsigned end = std::max(turnOf[firstOfWarp], turnOf[lastOfWarp]) + 1;
    Fiber* ofItsWarp = runnable_among(first, end, after);
    return ofItsWarp != nullptr ? ofItsWarp : runnable_among(0, count, end);
}

Fiber* Machine::runnable_among(unsigned first, unsigned end, unsigned turn) {
    for (unsigned i = first; i < end; i++, turn++) {
        if (turn == end) turn = first;
        Fiber& fiber = fibers[turns[turn]];
        if (!fiber.finished && (fiber.watched == nullptr || *fiber.watched != fiber.asleepSince)) return &fiber;
    }
    return nullptr;
}

// "thread (0, 0, 0) and 31 others at __syncthreads of norms.cu:70, thread (32, 0, 0) at a shuffle".
std::string Machine::who_waits() {
    std::vector<std::pair<std::string, unsigned>> groups;
    std::vector<std::string> first;
    for (const Fiber& fiber : fibers) {
        if (fiber.finished || fiber.watched == nullptr) continue;
        std::string at = fiber.waitingAt;
        if (fiber.place.line != 0) at += " of " + text_of(fiber.place);
        size_t group = 0;
        while (group < groups.size() && groups[group].first != at) group++;
        if (group == groups.size()) {
            groups.push_back({at, 0});
            first.push_back("thread " + text_of(fiber.index));
        }
        groups[group].second++;
    }
    std::string text = "waiting:";
    for (size_t i = 0; i < groups.size(); i++) {
        text += (i == 0 ? " " : ", ") + first[i];
        if (groups[i].second > 1) text += " and " + std::to_string(groups[i].second - 1) + " others";
        text += " at " + groups[i].first;
    }
    return text;
}

void Machine::fail(const std::string& what) {
    launch->fail(std::string(launch->kernel) + ", block " + text_of(index) + ", thread " + text_of(self->index) + ": "
                 + what);
    switch_context(contexts[self->number], outside);
    abort();  // The block was given up.
}

std::string Machine::describe_fault() {
    const std::string who =
            std::string(launch->kernel) + ", block " + text_of(index) + ", thread " + text_of(self->index) + ": ";
    if (faultSignal == SIGFPE) return who + "divides by zero";
    const uintptr_t address = reinterpret_cast<uintptr_t>(faultAddress);
    const uintptr_t firstStack = reinterpret_cast<uintptr_t>(stacks);
    const bool inStacks = address >= firstStack && address < firstStack + stackCount * STACK_STRIDE;
    if (inStacks) return who + "its stack of " + std::to_string(STACK_BYTES) + " bytes is full";
    char text[32];
    snprintf(text, sizeof text, "%p", faultAddress);
    return who + "out of bounds: touched " + text + ", "
            + (address < PAGE ? "a null pointer" : describe_address(faultAddress));
}

// ---- What kernels call; see simulator.h ----

void fail(const char* format, ...) {
    char text[512];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    machine_of(*self).fail(text);
}

bool block_barrier(bool mine, Place place) {
    Machine& machine = machine_of(*self);
    if (machine.alive < machine.count) {
        fail("reaches __syncthreads of %s:%d, but %u of %u threads have left the kernel", place.file, place.line,
             machine.count - machine.alive, machine.count);
    }
    const unsigned slot = machine.generation & 1;
    if (machine.arrived == 0) machine.place = place;
    if (machine.place.line != place.line) {
        fail("reaches __syncthreads of %s:%d while %u threads wait at that of %s:%d", place.file, place.line,
             machine.arrived, machine.place.file, machine.place.line);
    }
    if (mine) machine.votes[slot] = true;
    if (++machine.arrived < machine.count) {
        machine.sleep(&machine.generation, "__syncthreads", place);
    } else {
        machine.arrived = 0;
        machine.generation++;
        machine.votes[machine.generation & 1] = false;
        machine.begin_again();
    }
    return machine.votes[slot];
}

static const char* name_of(Operation operation) {
    switch (operation) {
        case Operation::BARRIER: return "__syncwarp";
        case Operation::SHUFFLE: return "a shuffle";
        case Operation::VOTE: return "a vote";
        case Operation::MATRIX_LOAD: return "ldmatrix";
        case Operation::MATRIX_PRODUCT: return "mma";
    }
    return "?";
}

static Meeting& meeting_of(Warp& warp, unsigned mask) {
    for (Meeting& meeting : warp.meetings) {
        if (meeting.mask == mask) return meeting;
    }
    warp.meetings.emplace_back();
    warp.meetings.back().mask = mask;
    return warp.meetings.back();
}

const unsigned char (*meet(Operation operation, unsigned mask, const void* mine, size_t bytes))[Meeting::SHOWN_BYTES] {
    Fiber& me = *self;
    const unsigned bit = 1u << me.lane;
    if ((mask & bit) == 0) {
        fail("is at %s with mask %08x, which lacks its own lane %u", name_of(operation), mask, me.lane);
    }
    if ((mask & me.warp->gone) != 0) {
        fail("is at %s with mask %08x, but lanes %08x have left the kernel", name_of(operation), mask,
             mask & me.warp->gone);
    }
    Meeting& meeting = meeting_of(*me.warp, mask);
    if (meeting.arrived == 0) meeting.operation = operation;
    if (meeting.operation != operation) {
        fail("is at %s while other lanes of its warp are at %s", name_of(operation), name_of(meeting.operation));
    }
    const unsigned slot = meeting.generation & 1;
    if (bytes > 0) memcpy(meeting.shown[slot][me.lane], mine, bytes);
    meeting.arrived |= bit;
    if (meeting.arrived == (mask & me.warp->existing)) {
        meeting.arrived = 0;
        meeting.generation++;
        // Others first, or in every order the last to come would be the first to go on.
        machine_of(me).pass_on();
    } else {
        machine_of(me).sleep(&meeting.generation, name_of(operation), Place{});
    }
    return meeting.shown[slot];
}

constexpr size_t COPY_BYTES = 16;

void copy_async(void* to, const void* from) {
    if (reinterpret_cast<uintptr_t>(to) % COPY_BYTES != 0 || reinterpret_cast<uintptr_t>(from) % COPY_BYTES != 0) {
        fail("copies 16 bytes from %p to %p, which are not both multiples of 16", from, to);
    }
    // Touched now, so that a fault names the thread at the copy and not at the wait.
    if (from != nullptr) (void)*static_cast<const volatile unsigned char*>(from);
    memset(to, NAN_BYTE, COPY_BYTES);
    self->openCopies.push_back({to, from});
}

void commit_copies() {
    self->committedCopies.push_back(std::move(self->openCopies));
    self->openCopies.clear();
}

void wait_for_copies(unsigned remaining) {
    auto& groups = self->committedCopies;
    while (groups.size() > remaining) {
        for (const AsyncCopy& copy : groups.front()) {
            if (copy.from != nullptr) memcpy(copy.to, copy.from, COPY_BYTES);
            else memset(copy.to, 0, COPY_BYTES);
        }
        groups.pop_front();
    }
}

}  // namespace simulator
