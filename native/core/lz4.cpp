#include "lz4.h"

#include <cstring>

#ifdef _MSC_VER
#include <intrin.h>
#endif

#include "bytes.h"
#include "check.h"

namespace millrace {
namespace {

constexpr size_t kStride = 16;
// After 2^6 misses every second position is tried, after as many more every third, until a match is found.
constexpr uint32_t kPatienceBits = 6;

uint32_t lowestBitOf(uint64_t word) {
#ifdef _MSC_VER
  uint32_t bit = 0;
  for (; (word & 1) == 0; word >>= 1) bit++;
  return bit;
#else
  return static_cast<uint32_t>(__builtin_ctzll(word));
#endif
}

uint8_t* writeLength(uint8_t* to, size_t rest) {
  for (; rest >= 255; rest -= 255) *to++ = 255;
  *to++ = static_cast<uint8_t>(rest);
  return to;
}

// The end of the bytes from `at` on that repeat those from `earlier` on.
const uint8_t* endOfRepeat(const uint8_t* at, const uint8_t* earlier, const uint8_t* limit) {
  while (limit - at >= 8) {
    const uint64_t difference = loadLittle64(at) ^ loadLittle64(earlier);
    if (difference != 0) return at + lowestBitOf(difference) / 8;
    at += 8;
    earlier += 8;
  }
  while (at < limit && *at == *earlier) {
    at++;
    earlier++;
  }
  return at;
}

// A position and the eight bytes there; what is beyond the last start counts as zero.
struct Place {
  const uint8_t* at;
  uint64_t word;
};

// The end of a match of at least kLz4MatchLeast bytes.
//
// What bounds the encoder is one load waiting for another: the word at a match's end gives a slot, the slot
// the next match, and that its end. So the word is shifted out of what has been read already, not loaded.
MILLRACE_INLINE Place endOfMatch(const uint8_t* at, const uint8_t* match, const uint8_t* end) {
  constexpr ptrdiff_t aheadBytes = kLz4MatchLeast + 16;
  if (MILLRACE_LIKELY(end - at >= aheadBytes)) {
    const uint64_t word = loadLittle64(at + kLz4MatchLeast);
    const uint64_t difference = word ^ loadLittle64(match + kLz4MatchLeast);
    if (MILLRACE_LIKELY(difference != 0)) {
      const uint64_t beyond = loadLittle64(at + kLz4MatchLeast + 8);
      const uint32_t bit = lowestBitOf(difference);
      const uint32_t same = bit & 56;
      return {at + kLz4MatchLeast + bit / 8, word >> same | (beyond << 1) << (63 ^ same)};
    }
  }
  const uint8_t* const matchEnd =
      endOfRepeat(at + kLz4MatchLeast, match + kLz4MatchLeast, end - kLz4LastLiterals);
  const bool mayStart = end - matchEnd >= static_cast<ptrdiff_t>(kLz4MatchStartBytes);
  return {matchEnd, mayStart ? loadLittle64(matchEnd) : 0};
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
  const size_t rest = length - kLz4MatchLeast;
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
  if (count > kLz4MatchStartBytes) {
    std::memset(table_, 0, sizeof table_);
    const uint8_t* const lastStart = end - kLz4MatchStartBytes;
    Place place{data + 1, loadLittle64(data + 1)};
    uint32_t tries = 1U << kPatienceBits;
    for (;;) {
      uint16_t& slot = slotOf(place.word);
      const uint8_t* match = data + slot;
      slot = static_cast<uint16_t>(place.at - data);
      if (loadLittle32(match) != static_cast<uint32_t>(place.word)) {
        place.at += tries++ >> kPatienceBits;
        if (MILLRACE_UNLIKELY(place.at > lastStart)) break;
        place.word = loadLittle64(place.at);
        continue;
      }
      const uint8_t* start = place.at;
      place = endOfMatch(start, match, end);
      while (start > written && match > data && start[-1] == match[-1]) {
        start--;
        match--;
      }
      uint8_t* const token = to;
      // Most matches follow one another.
      if (MILLRACE_LIKELY(start == written)) {
        *to++ = 0;
      } else {
        to = writeLiterals(to, written, static_cast<size_t>(start - written), end);
      }
      to = writeMatch(to, token, static_cast<size_t>(start - match), static_cast<size_t>(place.at - start));
      written = place.at;
      tries = 1U << kPatienceBits;
      if (MILLRACE_UNLIKELY(place.at > lastStart)) break;
      slotOf(loadLittle64(place.at - 2)) = static_cast<uint16_t>(place.at - 2 - data);
    }
  }
  return static_cast<size_t>(writeLiterals(to, written, static_cast<size_t>(end - written), end) - output);
}

}  // namespace millrace
