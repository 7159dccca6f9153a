#include "lz4_hc.h"

#include <cstring>

#include "bytes.h"
#include "check.h"

namespace millrace {
namespace {

constexpr size_t kNibbleMost = 15;
// No match begins at the last positions of a block, so this is none of them.
constexpr uint16_t kNowhere = 0xffff;

// Bytes that a length takes besides its nibble.
uint32_t lengthBytes(size_t length) {
  return length < kNibbleMost ? 0 : 1 + static_cast<uint32_t>((length - kNibbleMost) / 255);
}

uint32_t matchBytes(size_t length) {
  return 3 + lengthBytes(length - kLz4MatchLeast);
}

// What one literal more adds to a run that has `count` with it.
uint32_t literalBytes(uint32_t count) {
  return 1 + (lengthBytes(count) - lengthBytes(count - 1));
}

size_t repeatedBytes(const uint8_t* at, const uint8_t* earlier, const uint8_t* limit) {
  const uint8_t* const start = at;
  while (limit - at >= 8 && loadLittle64(at) == loadLittle64(earlier)) {
    at += 8;
    earlier += 8;
  }
  while (at < limit && *at == *earlier) {
    at++;
    earlier++;
  }
  return static_cast<size_t>(at - start);
}

uint8_t* writeLength(uint8_t* to, size_t length) {
  if (length < kNibbleMost) return to;
  size_t rest = length - kNibbleMost;
  for (; rest >= 255; rest -= 255) *to++ = 255;
  *to++ = static_cast<uint8_t>(rest);
  return to;
}

uint8_t nibbleOf(size_t length) {
  return static_cast<uint8_t>(length < kNibbleMost ? length : kNibbleMost);
}

// Token and literals; the match, if one follows, goes on from there.
uint8_t* writeLiterals(uint8_t* to, const uint8_t* from, size_t count, size_t matchLength) {
  const size_t rest = matchLength == 0 ? 0 : matchLength - kLz4MatchLeast;
  *to++ = static_cast<uint8_t>(nibbleOf(count) << 4 | nibbleOf(rest));
  to = writeLength(to, count);
  if (count > 0) std::memcpy(to, from, count);
  return to + count;
}

}  // namespace

// From level 10 on every position is searched, and from 12 on the result is the least that the format allows,
// but for ties between runs of literals.
Lz4HcEncoder::Effort Lz4HcEncoder::effortOf(int level) {
  if (level <= 2) return {8, 24, 4, false};
  if (level <= 9) return {uint32_t{1} << level, 64, 4, false};
  if (level == 10) return {96, 128, 128, true};
  if (level == 11) return {512, 256, 256, true};
  return {1024, 512, 512, true};
}

// For each position the one before it with the same hash of four bytes.
void Lz4HcEncoder::linkPlaces(const uint8_t* data, size_t count) {
  std::memset(latest_, 0xff, sizeof latest_);
  for (size_t at = 0; at + kLz4MatchLeast <= count; at++) {
    uint16_t& latest = latest_[(loadLittle32(data + at) * 2654435761U) >> (32 - kHashBits)];
    before_[at] = latest;
    latest = static_cast<uint16_t>(at);
  }
}

// A match that is longer than `best` bytes, if one is found.
//
// It begins like the position, and it has the four bytes that end behind the best match so far: its start is
// in both lists of places. Each step goes on in that list which is behind.
Lz4HcEncoder::Match Lz4HcEncoder::longerMatch(const Block& block, size_t at, size_t best) const {
  const uint8_t* const data = block.data;
  const auto next = [this](int32_t place, size_t ahead) {
    const uint16_t before = before_[static_cast<size_t>(place) + ahead];
    return before == kNowhere ? -1 : static_cast<int32_t>(before) - static_cast<int32_t>(ahead);
  };
  Match found{0, 0};
  if (best < kLz4MatchLeast) best = kLz4MatchLeast - 1;
  size_t ahead = best + 1 - kLz4MatchLeast;
  const auto start = static_cast<int32_t>(at);
  int32_t front = next(start, 0);
  int32_t tail = next(start, ahead);
  const uint32_t word = loadLittle32(data + at);
  for (uint32_t left = block.effort.attempts; left > 0 && front >= 0 && tail >= 0; left--) {
    if (front > tail) {
      front = next(front, 0);
      continue;
    }
    if (tail > front) {
      tail = next(tail, ahead);
      continue;
    }
    const uint8_t* const earlier = data + front;
    const size_t length = loadLittle32(earlier) == word ? repeatedBytes(data + at, earlier, block.limit) : 0;
    if (length > best) {
      best = length;
      found = {length, static_cast<size_t>(start - front)};
      if (best > block.effort.enough || data + at + best >= block.limit) break;
      ahead = best + 1 - kLz4MatchLeast;
      tail = next(start, ahead);
    }
    front = next(front, 0);
  }
  return found;
}

// The match as far as it reaches to both sides, where it is longer than what is known.
void Lz4HcEncoder::keepMatch(const uint8_t* data, size_t at, Match match) {
  size_t length = match.length;
  while (at > match.offset && data[at - 1] == data[at - 1 - match.offset] && length >= length_[at - 1]) {
    at--;
    length++;
  }
  for (; length >= kLz4MatchLeast && length > length_[at]; length--, at++) {
    length_[at] = static_cast<uint16_t>(length);
    offset_[at] = static_cast<uint16_t>(match.offset);
  }
}

void Lz4HcEncoder::findMatches(const uint8_t* data, size_t count, const Effort& effort) {
  std::memset(length_, 0, count * sizeof length_[0]);
  if (count <= kLz4MatchStartBytes) return;
  linkPlaces(data, count);
  const Block block{data, data + count - kLz4LastLiterals, effort};
  const size_t starts = count - kLz4MatchStartBytes + 1;
  for (size_t at = 0; at < starts;) {
    const Match match = longerMatch(block, at, length_[at]);
    if (match.length != 0) keepMatch(data, at, match);
    const size_t length = length_[at];
    // Where a match is known already, the next that matters goes on beyond its end.
    const bool skips = length > effort.enough || (!effort.everywhere && length > kLz4MatchLeast);
    at += skips ? length - 2 : 1;
  }
}

// From the end to the start: at each position a literal or some bytes of its match, whichever leads to fewer
// bytes. All offsets cost the same, so only the longest match matters. Leaves in length_ what is to be taken.
void Lz4HcEncoder::chooseSteps(size_t count, const Effort& effort) {
  cost_[count] = 0;
  literals_[count] = 0;
  for (size_t at = count; at-- > 0;) {
    const uint32_t run = literals_[at + 1] + 1;
    // A match that has begun before may go on at the last positions, but none begins there.
    const size_t longest = at + kLz4MatchStartBytes <= count ? length_[at] : 0;
    uint32_t least = cost_[at + 1] + literalBytes(run);
    size_t taken = 0;
    const size_t less = longest > effort.enough ? 0 : effort.shorter;
    const size_t shortest = longest > kLz4MatchLeast + less ? longest - less : kLz4MatchLeast;
    for (size_t length = longest; length >= shortest; length--) {
      const uint32_t cost = cost_[at + length] + matchBytes(length);
      if (cost > least || (cost == least && taken != 0)) continue;
      least = cost;
      taken = length;
    }
    cost_[at] = least;
    literals_[at] = taken == 0 ? run : 0;
    length_[at] = static_cast<uint16_t>(taken);
  }
}

size_t Lz4HcEncoder::encode(const uint8_t* data, size_t count, int level, uint8_t* output) {
  MILLRACE_ASSERT(count <= kLz4BlockBytesMax, "positions in a block are 16 bits");
  const Effort effort = effortOf(level);
  findMatches(data, count, effort);
  chooseSteps(count, effort);
  uint8_t* to = output;
  size_t written = 0;
  for (size_t at = 0; at < count;) {
    const size_t length = length_[at];
    if (length == 0) {
      at++;
      continue;
    }
    to = writeLiterals(to, data + written, at - written, length);
    *to++ = static_cast<uint8_t>(offset_[at]);
    *to++ = static_cast<uint8_t>(offset_[at] >> 8);
    to = writeLength(to, length - kLz4MatchLeast);
    at += length;
    written = at;
  }
  to = writeLiterals(to, data + written, count - written, 0);
  return static_cast<size_t>(to - output);
}

}  // namespace millrace
