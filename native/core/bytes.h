// Loads and stores of fixed byte order at any alignment. Shifts, as compilers make one instruction of them,
// but where said otherwise.
#pragma once

#include <cstdint>
#include <cstring>

namespace millrace {

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
inline uint32_t loadLittle32(const uint8_t* from) {
  return static_cast<uint32_t>(from[0]) | static_cast<uint32_t>(from[1]) << 8 |
         static_cast<uint32_t>(from[2]) << 16 | static_cast<uint32_t>(from[3]) << 24;
}

inline uint64_t loadLittle64(const uint8_t* from) {
  return static_cast<uint64_t>(loadLittle32(from)) | static_cast<uint64_t>(loadLittle32(from + 4)) << 32;
}
#else
// Not as shifts: where some of the bytes have been read before, compilers put the word together from pieces.
inline uint32_t loadLittle32(const uint8_t* from) {
  uint32_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

inline uint64_t loadLittle64(const uint8_t* from) {
  uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}
#endif

inline uint16_t loadBig16(const uint8_t* from) {
  return static_cast<uint16_t>(from[0] << 8 | from[1]);
}

inline uint32_t loadBig32(const uint8_t* from) {
  return static_cast<uint32_t>(from[0]) << 24 | static_cast<uint32_t>(from[1]) << 16 |
         static_cast<uint32_t>(from[2]) << 8 | static_cast<uint32_t>(from[3]);
}

inline uint64_t loadBig64(const uint8_t* from) {
  return static_cast<uint64_t>(loadBig32(from)) << 32 | loadBig32(from + 4);
}

inline void storeBig16(uint8_t* to, uint16_t value) {
  to[0] = static_cast<uint8_t>(value >> 8);
  to[1] = static_cast<uint8_t>(value);
}

inline void storeBig32(uint8_t* to, uint32_t value) {
  to[0] = static_cast<uint8_t>(value >> 24);
  to[1] = static_cast<uint8_t>(value >> 16);
  to[2] = static_cast<uint8_t>(value >> 8);
  to[3] = static_cast<uint8_t>(value);
}

inline void storeBig64(uint8_t* to, uint64_t value) {
  storeBig32(to, static_cast<uint32_t>(value >> 32));
  storeBig32(to + 4, static_cast<uint32_t>(value));
}

inline void storeLittle64(uint8_t* to, uint64_t value) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  for (int i = 0; i < 8; i++) to[i] = static_cast<uint8_t>(value >> (8 * i));
#else
  std::memcpy(to, &value, sizeof value);
#endif
}

// memcpy that may be given (null, 0), as an empty view of JavaScript has no address. Keys are mostly short,
// and two overlapping words cost less than the call.
inline void copyBytes(uint8_t* to, const uint8_t* from, size_t count) {
  if (count > 16) {
    std::memcpy(to, from, count);
  } else if (count >= 8) {
    uint64_t first, last;
    std::memcpy(&first, from, 8);
    std::memcpy(&last, from + count - 8, 8);
    std::memcpy(to, &first, 8);
    std::memcpy(to + count - 8, &last, 8);
  } else {
    for (size_t i = 0; i < count; i++) to[i] = from[i];
  }
}

}  // namespace millrace
