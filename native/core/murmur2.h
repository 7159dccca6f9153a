// The 32-bit murmur2 of Java's org.apache.kafka.common.utils.Utils: seed 0x9747b28c, little-endian words.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace {

int32_t murmur2(const uint8_t* data, size_t count);

// Java's toPositive: clears the sign bit (it is not the absolute value).
inline uint32_t toPositive(int32_t hash) {
  return static_cast<uint32_t>(hash) & 0x7fffffffU;
}

}  // namespace millrace
