// Memory that notices when it is touched where it should not be.
#pragma once

#include <cstddef>
#include <string>

namespace simulator {

constexpr size_t PAGE = 4096;

// Memory of `bytes` bytes, full of NaN, aligned to 16 bytes and ending (but for that alignment) where pages begin that
// cannot be touched. More such pages lie in front. Null where the system has no memory.
void* allocate_guarded(size_t bytes);

// Gives memory back. Its addresses are not used again, so that a late access is noticed too.
void free_guarded(void* memory);

// What was written into the margins between the memory handed out and its guards since the last call; empty where all
// are whole.
std::string damaged_margins();

// What lies at an address: "40 bytes behind the end of an allocation of 400 bytes".
std::string describe_address(const void* address);

}  // namespace simulator
