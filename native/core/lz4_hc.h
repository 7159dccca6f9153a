// Encoder of the LZ4 block format, whose grammar stands in lz4.h, for small output rather than speed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lz4.h"

namespace millrace {

constexpr int kLz4HcLevelLeast = 1;
constexpr int kLz4HcLevelMost = 17;

// About a MiB: make one where it is needed, and keep it.
class Lz4HcEncoder {
 public:
  // Encodes at most kLz4BlockBytesMax into a block at `output`, which has lz4RoomFor(count); answers its
  // size. `level` is one of Kafka's, 1 to 17. Stays within its memory even if the data change meanwhile.
  size_t encode(const uint8_t* data, size_t count, int level, uint8_t* output);

 private:
  static constexpr int kHashBits = 15;

  struct Effort {
    // Places looked at for each position that is searched.
    uint32_t attempts;
    // A match of more bytes is taken whole, and nothing is searched for inside it.
    uint32_t enough;
    // A match may be taken that many bytes shorter than it is, so that the next one can begin.
    uint32_t shorter;
    // Whether positions inside of matches are searched, too.
    bool everywhere;
  };
  struct Match {
    size_t length;
    size_t offset;
  };
  struct Block {
    const uint8_t* data;
    // Where matches end at the latest.
    const uint8_t* limit;
    const Effort& effort;
  };

  static Effort effortOf(int level);
  void linkPlaces(const uint8_t* data, size_t count);
  void findMatches(const uint8_t* data, size_t count, const Effort& effort);
  Match longerMatch(const Block& block, size_t at, size_t best) const;
  void keepMatch(const uint8_t* data, size_t at, Match match);
  void chooseSteps(size_t count, const Effort& effort);

  // The latest place of each hash, and for each place the one before it with the same hash.
  uint16_t latest_[size_t{1} << kHashBits];
  uint16_t before_[kLz4BlockBytesMax];
  // The longest match at each position: its length, 0 for none, and how far back it is.
  uint16_t length_[kLz4BlockBytesMax];
  uint16_t offset_[kLz4BlockBytesMax];
  // From each position to the end: bytes written, and literals that come first. One more than positions.
  uint32_t cost_[kLz4BlockBytesMax + 1];
  uint32_t literals_[kLz4BlockBytesMax + 1];
};

}  // namespace millrace
