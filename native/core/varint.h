// Zigzag varints of the record format: 7 bits a byte, least significant first, high bit set on all but the
// last.
#pragma once

#include <cstdint>

#include "check.h"

#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace millrace {

constexpr int32_t kVarintBytesMax = 5;
constexpr int32_t kVarlongBytesMax = 10;

inline uint32_t zigzag32(int32_t value) {
  return static_cast<uint32_t>(value) << 1 ^ static_cast<uint32_t>(value >> 31);
}

inline uint64_t zigzag64(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}

inline int32_t unzigzag32(uint32_t value) {
  return static_cast<int32_t>(value >> 1 ^ (0U - (value & 1)));
}

inline int64_t unzigzag64(uint64_t value) {
  return static_cast<int64_t>(value >> 1 ^ (uint64_t{0} - (value & 1)));
}

// Position of the highest set bit; the argument is not 0.
inline uint32_t highestBit(uint64_t value) {
#if defined(_MSC_VER)
  unsigned long position;
  _BitScanReverse64(&position, value);
  return position;
#else
  return 63U - static_cast<uint32_t>(__builtin_clzll(value));
#endif
}

// Bytes of an unsigned varint. (9·bit + 73) / 64 equals bit / 7 + 1 for every bit from 0 to 63.
inline int32_t unsignedVarintBytes(uint64_t value) {
  return static_cast<int32_t>((highestBit(value | 1) * 9 + 73) >> 6);
}

inline int32_t varintBytes(int32_t value) {
  return unsignedVarintBytes(zigzag32(value));
}

inline int32_t varlongBytes(int64_t value) {
  return unsignedVarintBytes(zigzag64(value));
}

template <typename Unsigned>
inline uint8_t* writeUnsignedVarint(uint8_t* to, Unsigned value) {
  while (MILLRACE_UNLIKELY(value >= 0x80)) {
    *to++ = static_cast<uint8_t>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<uint8_t>(value);
  return to;
}

inline uint8_t* writeVarint(uint8_t* to, int32_t value) {
  return writeUnsignedVarint(to, zigzag32(value));
}

inline uint8_t* writeVarlong(uint8_t* to, int64_t value) {
  return writeUnsignedVarint(to, zigzag64(value));
}

// Reads up to `end`; null when the bytes end early or the value has more bits than its type.
inline const uint8_t* readUnsignedVarint(const uint8_t* from, const uint8_t* end, uint32_t bits,
                                         uint64_t* value) {
  uint64_t result = 0;
  for (uint32_t shift = 0; shift < bits; shift += 7) {
    if (from == end) return nullptr;
    const uint64_t byte = *from++;
    if (bits - shift < 7 && (byte & 0x7f) >> (bits - shift) != 0) return nullptr;
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = result;
      return from;
    }
  }
  return nullptr;
}

inline const uint8_t* readVarint(const uint8_t* from, const uint8_t* end, int32_t* value) {
  uint64_t raw = 0;
  from = readUnsignedVarint(from, end, 32, &raw);
  *value = unzigzag32(static_cast<uint32_t>(raw));
  return from;
}

inline const uint8_t* readVarlong(const uint8_t* from, const uint8_t* end, int64_t* value) {
  uint64_t raw = 0;
  from = readUnsignedVarint(from, end, 64, &raw);
  *value = unzigzag64(raw);
  return from;
}

}  // namespace millrace
