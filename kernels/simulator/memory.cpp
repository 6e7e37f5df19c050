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

    unsigned char* firstUsable() const { return mapping + GUARD_BYTES; }
    unsigned char* endOfUsable() const { return mapping + mappedBytes - GUARD_BYTES; }
};

// By the address of the mapping.
using Allocations = std::map<uintptr_t, Allocation>;

struct Memory {
    std::mutex mutex;
    Allocations inUse;
    // Kept only to tell what a late access has touched.
    Allocations freed;
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

// The allocation whose mapping, guards included, holds an address; null where none does.
const Allocation* holder_of(const Allocations& allocations, const void* address) {
    const auto behind = allocations.upper_bound(number(address));
    if (behind == allocations.begin()) return nullptr;
    const Allocation& candidate = std::prev(behind)->second;
    return number(address) < number(candidate.mapping) + candidate.mappedBytes ? &candidate : nullptr;
}

std::string place_in(const Allocation& allocation, const unsigned char* address) {
    const std::string whole = "an allocation of " + std::to_string(allocation.bytes) + " bytes";
    const unsigned char* end = allocation.data + allocation.bytes;
    if (address < allocation.data) return std::to_string(allocation.data - address) + " bytes in front of " + whole;
    if (address >= end) return std::to_string(address - end) + " bytes behind the end of " + whole;
    return "byte " + std::to_string(address - allocation.data) + " of " + whole;
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
    Allocation made{static_cast<unsigned char*>(mapping), mapped, nullptr, bytes};
    if (mprotect(made.firstUsable(), usable, PROT_READ | PROT_WRITE) != 0) {
        munmap(mapping, mapped);
        return nullptr;
    }
    made.data = made.endOfUsable() - round_up(bytes, ALIGNMENT);
    memset(made.data, NAN_BYTE, bytes);
    make_margins(made);
    std::lock_guard<std::mutex> lock(memory().mutex);
    memory().inUse[number(mapping)] = made;
    return made.data;
}

void free_guarded(void* address) {
    std::lock_guard<std::mutex> lock(memory().mutex);
    const Allocation* holder = holder_of(memory().inUse, address);
    if (holder == nullptr || holder->data != address) return;
    const Allocation allocation = *holder;
    const size_t usable = static_cast<size_t>(allocation.endOfUsable() - allocation.firstUsable());
    // A fresh mapping in its place: the bytes go back to the system, the addresses stay taken.
    mmap(allocation.firstUsable(), usable, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    memory().inUse.erase(number(allocation.mapping));
    memory().freed[number(allocation.mapping)] = allocation;
}

std::string damaged_margins() {
    std::lock_guard<std::mutex> lock(memory().mutex);
    for (const auto& entry : memory().inUse) {
        const Allocation& allocation = entry.second;
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
    const unsigned char* byte = static_cast<const unsigned char*>(address);
    const Allocation* inUse = holder_of(memory().inUse, address);
    if (inUse != nullptr) return place_in(*inUse, byte);
    const Allocation* freed = holder_of(memory().freed, address);
    if (freed != nullptr) return place_in(*freed, byte) + " that has been freed";
    return "no allocation is near";
}

}  // namespace simulator
