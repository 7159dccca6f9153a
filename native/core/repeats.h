// One pass over a block that finds what repeats, for encoders that differ in how they write it.
//
// A `Format` says where matches may begin and end, and writes:
//   kPatienceBits     after 2^kPatienceBits misses every second position is tried, after as many more every
//                     third, until a match is found
//   kMatchStartBytes  no match begins within so many last bytes of a block; at least 8
//   kLastLiterals     no match ends within so many last bytes
//   sequence(to, repeat, end)  writes the literals and the match; answers where it ends
//   literals(to, from, count, end)  writes the last literals, which may be none
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef _MSC_VER
#include <intrin.h>
#endif

#include "bytes.h"
#include "check.h"

namespace millrace {

// Where in a block each hash was seen last: positions of a block fit into 16 bits.
template <int kHashBits>
struct RepeatTable {
  uint16_t places[size_t{1} << kHashBits];
};

constexpr size_t kRepeatLeast = 4;
// Literals are copied so many bytes at a time.
constexpr size_t kLiteralStride = 16;

// Literals, then bytes from `start` up to `end` that repeat those from `match` on.
struct Repeat {
  const uint8_t* literals;
  const uint8_t* start;
  const uint8_t* match;
  const uint8_t* end;

  size_t literalBytes() const { return static_cast<size_t>(start - literals); }
  size_t offset() const { return static_cast<size_t>(start - match); }
  size_t length() const { return static_cast<size_t>(end - start); }
};

namespace repeats {

inline uint32_t lowestBitOf(uint64_t word) {
#ifdef _MSC_VER
  uint32_t bit = 0;
  for (; (word & 1) == 0; word >>= 1) bit++;
  return bit;
#else
  return static_cast<uint32_t>(__builtin_ctzll(word));
#endif
}

// The end of the bytes from `at` on that repeat those from `earlier` on.
inline const uint8_t* endOfRepeat(const uint8_t* at, const uint8_t* earlier, const uint8_t* limit) {
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

// The end of a match of at least kRepeatLeast bytes.
//
// What bounds the encoder is one load waiting for another: the word at a match's end gives a slot, the slot
// the next match, and that its end. So the word is shifted out of what has been read already, not loaded.
template <typename Format>
MILLRACE_INLINE Place endOfMatch(const uint8_t* at, const uint8_t* match, const uint8_t* end) {
  constexpr ptrdiff_t aheadBytes = kRepeatLeast + 16;
  if (MILLRACE_LIKELY(end - at >= aheadBytes)) {
    const uint64_t word = loadLittle64(at + kRepeatLeast);
    const uint64_t difference = word ^ loadLittle64(match + kRepeatLeast);
    if (MILLRACE_LIKELY(difference != 0)) {
      const uint64_t beyond = loadLittle64(at + kRepeatLeast + 8);
      const uint32_t bit = lowestBitOf(difference);
      const uint32_t same = bit & 56;
      return {at + kRepeatLeast + bit / 8, word >> same | (beyond << 1) << (63 ^ same)};
    }
  }
  const uint8_t* const matchEnd =
      endOfRepeat(at + kRepeatLeast, match + kRepeatLeast, end - Format::kLastLiterals);
  const bool mayStart = end - matchEnd >= static_cast<ptrdiff_t>(Format::kMatchStartBytes);
  return {matchEnd, mayStart ? loadLittle64(matchEnd) : 0};
}

// The slot of a word's first bytes.
template <int kHashBits, int kBytes>
MILLRACE_INLINE size_t slotOf(uint64_t word) {
  return ((word << (64 - 8 * kBytes)) * 0xbf58476d1ce4e5b9U) >> (64 - kHashBits);
}

}  // namespace repeats

// Copies literals; reads beyond them if there are kLiteralStride bytes more, and writes as far beyond.
inline uint8_t* copyLiterals(uint8_t* to, const uint8_t* from, size_t count, const uint8_t* end) {
  if (static_cast<size_t>(end - from) < count + kLiteralStride) {
    copyBytes(to, from, count);
  } else {
    for (size_t copied = 0; copied < count; copied += kLiteralStride) {
      std::memcpy(to + copied, from + copied, kLiteralStride);
    }
  }
  return to + count;
}

// Encodes a block of at most 64 KiB to `to`; answers the end of what it has written. The table is cleared
// first: stale places do no harm, as every candidate is compared, but the same input shall always give the
// same block.
template <typename Format, int kHashBits>
uint8_t* encodeRepeats(const uint8_t* data, size_t count, RepeatTable<kHashBits>* table, uint8_t* to) {
  using repeats::Place;
  // Four bytes find shorter matches, which cost as much to write and save less.
  constexpr auto slotOf = repeats::slotOf<kHashBits, 5>;
  MILLRACE_ASSERT(count <= 64 * 1024, "positions in a block are 16 bits");
  const uint8_t* const end = data + count;
  const uint8_t* written = data;
  if (count > Format::kMatchStartBytes) {
    std::memset(table->places, 0, sizeof table->places);
    const uint8_t* const lastStart = end - Format::kMatchStartBytes;
    Place place{data + 1, loadLittle64(data + 1)};
    uint32_t tries = 1U << Format::kPatienceBits;
    for (;;) {
      const size_t slot = slotOf(place.word);
      const uint8_t* match = data + table->places[slot];
      table->places[slot] = static_cast<uint16_t>(place.at - data);
      if (loadLittle32(match) != static_cast<uint32_t>(place.word)) {
        place.at += tries++ >> Format::kPatienceBits;
        if (MILLRACE_UNLIKELY(place.at > lastStart)) break;
        place.word = loadLittle64(place.at);
        continue;
      }
      const uint8_t* start = place.at;
      place = repeats::endOfMatch<Format>(start, match, end);
      while (start > written && match > data && start[-1] == match[-1]) {
        start--;
        match--;
      }
      to = Format::sequence(to, {written, start, match, place.at}, end);
      written = place.at;
      tries = 1U << Format::kPatienceBits;
      if (MILLRACE_UNLIKELY(place.at > lastStart)) break;
      table->places[slotOf(loadLittle64(place.at - 2))] = static_cast<uint16_t>(place.at - 2 - data);
    }
  }
  return Format::literals(to, written, static_cast<size_t>(end - written), end);
}

}  // namespace millrace
