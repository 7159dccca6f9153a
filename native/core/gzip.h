// Encoder of gzip (RFC 1952) around DEFLATE (RFC 1951), for a whole input at a time.
//
//   member  = 1f 8b 08 00, time uint32 = 0, 00, ff, block*, CRC-32 uint32, size uint32 (little-endian)
//   block   = last (1 bit), kind (2 bits), what the kind says:
//     0  fill up to a byte, size uint16, its complement, bytes as they are
//     2  codes of literals and lengths, and of offsets, then symbols of these; 256 ends the block
//
// A match repeats 3 to 258 bytes that stand up to 32 KiB before. This encoder looks at two places for each:
// the latest with the same eight bytes, and with the same four; and whether one that begins later is longer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "huffman.h"
#include "repeats.h"

namespace millrace {

// The room that encoding needs: blocks that do not get smaller are stored.
constexpr size_t gzipRoomFor(size_t count) {
  return count + (count / 32768 + 1) * 8 + 64;
}

// About 300 KiB: make one where it is needed, and keep it.
class GzipEncoder {
 public:
  // Encodes to `output`, which has gzipRoomFor(count); answers the size. Stays within its memory even if the
  // data change meanwhile.
  size_t encode(const uint8_t* data, size_t count, uint8_t* output);

 private:
  static constexpr size_t kBlockBytesMax = 65535;
  static constexpr int kHashBits = 14;
  static constexpr size_t kLiteralSymbols = 286;
  static constexpr size_t kOffsetSymbols = 30;

  // Literals, then a match.
  struct Sequence {
    uint32_t literals;
    uint16_t length;
    uint16_t offset;
  };
  struct Match {
    const uint8_t* start;
    size_t length;
    size_t offset;
  };
  class BitWriter;
  class CodeLengths;

  void findSequences(const uint8_t* begin, const uint8_t* end);
  bool matchAt(const uint8_t* at, const uint8_t* end, Match* match);
  void preferLongerAt(const uint8_t* at, const uint8_t* end, Match* match);
  void remember(const uint8_t* at, uint64_t word);
  void rememberWithin(const uint8_t* from, const uint8_t* to, const uint8_t* lastStart);
  void addSequence(const uint8_t* literals, const Match& match, const uint8_t* end);
  void countSymbols();
  uint64_t bitsOfSymbols() const;
  void writeSymbols(BitWriter* bits) const;

  // Where every hash of eight and of four bytes was seen last, from `base_` on modulo 2^16.
  RepeatTable<kHashBits> long_;
  RepeatTable<kHashBits> short_;
  const uint8_t* base_ = nullptr;

  // Of the block at hand.
  Sequence sequences_[kBlockBytesMax / kRepeatLeast + 1];
  size_t sequenceCount_ = 0;
  uint8_t literals_[kBlockBytesMax + kLiteralStride];
  size_t literalCount_ = 0;
  // How often each symbol occurs.
  uint32_t literalFrequencies_[kLiteralSymbols];
  uint32_t offsetFrequencies_[kOffsetSymbols];
  HuffmanCode literalCodes_[kLiteralSymbols];
  HuffmanCode offsetCodes_[kOffsetSymbols];
};

}  // namespace millrace
