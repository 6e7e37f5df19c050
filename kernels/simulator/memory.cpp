#include "memory.h"

#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <sys/mman.h>

namespace simulator {
namespace {

// Device memory is aligned better, but then an overrun by fewer bytes than the alignment could only be seen afterwards.
constexpr size_t ALIGNMENT = 16;
// Wide enough that a kernel which is off by a row or a tile still lands in it.
constexpr size_t GUARD_BYTES = 256 * 1024;
constexpr int NAN_BYTE = 0xff;
constexpr unsigned char MARGIN_BYTE = 0xc5;

struct Allocation {
    unsigned char* mapping;
    size_t mappedBytes;
    unsigned char* data;
    size_t bytes;
    bool freed;

    unsigned char* firstUsable() const { return mapping + GUARD_BYTES; }
    unsigned char* endOfUsable() const { return mapping + mappedBytes - GUARD_BYTES; }
};

struct Memory {
    std::mutex mutex;
    // By the address of the mapping.
    std::map<uintptr_t, Allocation> allocations;
};

// Never destroyed: at the end of the process other threads may still be at work.
Memory& memory() {
    static Memory* const memory = new Memory;
    return *memory;
}

size_t round_up(size_t bytes, size_t multiple) {
    return (bytes + multiple - 1) / multiple * multiple;
}

uintptr_t number(const void* address) {
    return reinterpret_cast<uintptr_t>(address);
}

// The allocation whose mapping, guards included, holds an address.
const Allocation* holder_of(Memory& memory, const void* address) {
    auto behind = memory.allocations.upper_bound(number(address));
    if (behind == memory.allocations.begin()) return nullptr;
    const Allocation& candidate = std::prev(behind)->second;
    return number(address) < number(candidate.mapping) + candidate.mappedBytes ? &candidate : nullptr;
}

std::string place_in(const Allocation& allocation, const unsigned char* address) {
    const std::string whole = "an allocation of " + std::to_string(allocation.bytes) + " bytes";
    std::string place;
    if (address < allocation.data) {
        place = std::to_string(allocation.data - address) + " bytes in front of " + whole;
    } else if (address >= allocation.data + allocation.bytes) {
        place = std::to_string(address - (allocation.data + allocation.bytes)) + " bytes behind the end of " + whole;
    } else {
        place = "byte " + std::to_string(address - allocation.data) + " of " + whole;
    }
    return allocation.freed ? place + " that has been freed" : place;
}

void make_margins(const Allocation& allocation) {
    unsigned char* behind = allocation.data + allocation.bytes;
    memset(allocation.firstUsable(), MARGIN_BYTE, static_cast<size_t>(allocation.data - allocation.firstUsable()));
    memset(behind, MARGIN_BYTE, static_cast<size_t>(allocation.endOfUsable() - behind));
}

// The first byte of a margin that is not as it was made; null where all are.
const unsigned char* first_damaged(const unsigned char* from, const unsigned char* end) {
    for (const unsigned char* p = from; p < end; p++) {
        if (*p != MARGIN_BYTE) return p;
    }
    return nullptr;
}

}  // namespace

void* allocate_guarded(size_t bytes) {
    const size_t usable = round_up(bytes == 0 ? 1 : bytes, PAGE);
    const size_t mapped = usable + 2 * GUARD_BYTES;
    void* mapping = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) return nullptr;
    Allocation made{static_cast<unsigned char*>(mapping), mapped, nullptr, bytes, false};
    if (mprotect(made.firstUsable(), usable, PROT_READ | PROT_WRITE) != 0) {
        munmap(mapping, mapped);
        return nullptr;
    }
    made.data = made.endOfUsable() - round_up(bytes, ALIGNMENT);
    memset(made.data, NAN_BYTE, bytes);
    make_margins(made);
    std::lock_guard<std::mutex> lock(memory().mutex);
    memory().allocations[number(mapping)] = made;
    return made.data;
}

void free_guarded(void* address) {
    std::lock_guard<std::mutex> lock(memory().mutex);
    Allocation* allocation = const_cast<Allocation*>(holder_of(memory(), address));
    if (allocation == nullptr || allocation->freed || allocation->data != address) return;
    const size_t usable = static_cast<size_t>(allocation->endOfUsable() - allocation->firstUsable());
    // A fresh mapping in its place: the bytes go back to the system, the addresses stay taken.
    mmap(allocation->firstUsable(), usable, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    allocation->freed = true;
}

std::string damaged_margins() {
    std::lock_guard<std::mutex> lock(memory().mutex);
    for (const auto& entry : memory().allocations) {
        const Allocation& allocation = entry.second;
        if (allocation.freed) continue;
        const unsigned char* damaged = first_damaged(allocation.firstUsable(), allocation.data);
        if (damaged == nullptr) {
            damaged = first_damaged(allocation.data + allocation.bytes, allocation.endOfUsable());
        }
        if (damaged == nullptr) continue;
        make_margins(allocation);
        return place_in(allocation, damaged);
    }
    return "";
}

std::string describe_address(const void* address) {
    std::lock_guard<std::mutex> lock(memory().mutex);
    const Allocation* allocation = holder_of(memory(), address);
    if (allocation == nullptr) return "no allocation is near";
    return place_in(*allocation, static_cast<const unsigned char*>(address));
}

}  // namespace simulator
