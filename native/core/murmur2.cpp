#include "murmur2.h"

#include "bytes.h"

namespace millrace {

int32_t murmur2(const uint8_t* data, size_t count) {
  constexpr uint32_t seed = 0x9747b28c;
  constexpr uint32_t multiplier = 0x5bd1e995;
  constexpr int rotation = 24;

  uint32_t hash = seed ^ static_cast<uint32_t>(count);
  const size_t words = count / 4;
  for (size_t i = 0; i < words; i++) {
    uint32_t word = loadLittle32(data + i * 4) * multiplier;
    word ^= word >> rotation;
    hash = hash * multiplier ^ word * multiplier;
  }

  const uint8_t* tail = data + words * 4;
  const size_t left = count % 4;
  if (left == 3) hash ^= static_cast<uint32_t>(tail[2]) << 16;
  if (left >= 2) hash ^= static_cast<uint32_t>(tail[1]) << 8;
  if (left >= 1) hash = (hash ^ tail[0]) * multiplier;

  hash ^= hash >> 13;
  hash *= multiplier;
  hash ^= hash >> 15;
  return static_cast<int32_t>(hash);
}

}  // namespace millrace
