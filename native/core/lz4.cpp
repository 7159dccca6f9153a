#include "lz4.h"

#include <cstring>

#ifdef _MSC_VER
#include <intrin.h>
#endif

#include "bytes.h"
#include "check.h"

namespace millrace {
namespace {

constexpr size_t kMatchLeast = 4;
constexpr size_t kMatchStartBytes = 12;
constexpr size_t kLastLiterals = 5;
constexpr size_t kStride = 16;
// After 2^6 misses every second position is tried, after as many more every third, until a match is found.
constexpr uint32_t kPatienceBits = 6;

int lowestByteOf(uint64_t difference) {
#ifdef _MSC_VER
  int byte = 0;
  for (; (difference & 0xff) == 0; difference >>= 8) byte++;
  return byte;
#else
  return __builtin_ctzll(difference) >> 3;
#endif
}

uint8_t* writeLength(uint8_t* to, size_t rest) {
  for (; rest >= 255; rest -= 255) *to++ = 255;
  *to++ = static_cast<uint8_t>(rest);
  return to;
}

// The end of the bytes from `at` on that repeat those from `earlier` on.
const uint8_t* endOfMatch(const uint8_t* at, const uint8_t* earlier, const uint8_t* limit) {
  while (limit - at >= 8) {
    const uint64_t difference = loadLittle64(at) ^ loadLittle64(earlier);
    if (difference != 0) return at + lowestByteOf(difference);
    at += 8;
    earlier += 8;
  }
  while (at < limit && *at == *earlier) {
    at++;
    earlier++;
  }
  return at;
}

// The token and literals of a sequence; reads beyond the literals if there are kStride bytes more.
uint8_t* writeLiterals(uint8_t* to, const uint8_t* from, size_t count, const uint8_t* end) {
  if (count < 15) {
    *to++ = static_cast<uint8_t>(count << 4);
  } else {
    *to++ = 15 << 4;
    to = writeLength(to, count - 15);
  }
  if (static_cast<size_t>(end - from) < count + kStride) {
    copyBytes(to, from, count);
  } else {
    for (size_t copied = 0; copied < count; copied += kStride) {
      std::memcpy(to + copied, from + copied, kStride);
    }
  }
  return to + count;
}

uint8_t* writeMatch(uint8_t* to, uint8_t* token, size_t offset, size_t length) {
  *to++ = static_cast<uint8_t>(offset);
  *to++ = static_cast<uint8_t>(offset >> 8);
  const size_t rest = length - kMatchLeast;
  if (rest < 15) {
    *token = static_cast<uint8_t>(*token | rest);
    return to;
  }
  *token |= 15;
  return writeLength(to, rest - 15);
}

}  // namespace

// Of five bytes: four find shorter matches, which cost as much to write and save less.
inline uint16_t& Lz4Encoder::slotOf(uint64_t word) {
  return table_[((word << 24) * 0xbf58476d1ce4e5b9U) >> (64 - kHashBits)];
}

size_t Lz4Encoder::encode(const uint8_t* data, size_t count, uint8_t* output) {
  MILLRACE_ASSERT(count <= kLz4BlockBytesMax, "positions in a block are 16 bits");
  const uint8_t* const end = data + count;
  const uint8_t* written = data;
  uint8_t* to = output;
  if (count > kMatchStartBytes) {
    std::memset(table_, 0, sizeof table_);
    const uint8_t* const lastStart = end - kMatchStartBytes;
    const uint8_t* const matchLimit = end - kLastLiterals;
    const uint8_t* at = data + 1;
    uint32_t tries = 1U << kPatienceBits;
    while (at <= lastStart) {
      const uint64_t word = loadLittle64(at);
      uint16_t& slot = slotOf(word);
      const uint8_t* match = data + slot;
      slot = static_cast<uint16_t>(at - data);
      if (loadLittle32(match) != static_cast<uint32_t>(word)) {
        at += tries++ >> kPatienceBits;
        continue;
      }
      const uint8_t* const matchEnd = endOfMatch(at + kMatchLeast, match + kMatchLeast, matchLimit);
      while (at > written && match > data && at[-1] == match[-1]) {
        at--;
        match--;
      }
      uint8_t* const token = to;
      to = writeLiterals(to, written, static_cast<size_t>(at - written), end);
      to = writeMatch(to, token, static_cast<size_t>(at - match), static_cast<size_t>(matchEnd - at));
      written = at = matchEnd;
      tries = 1U << kPatienceBits;
      if (at <= lastStart) slotOf(loadLittle64(at - 2)) = static_cast<uint16_t>(at - 2 - data);
    }
  }
  return static_cast<size_t>(writeLiterals(to, written, static_cast<size_t>(end - written), end) - output);
}

}  // namespace millrace
