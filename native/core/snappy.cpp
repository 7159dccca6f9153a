#include "snappy.h"

#include "repeats.h"
#include "varint.h"

namespace millrace {
namespace {

constexpr size_t kMatchMost = 64;
// Of the short form.
constexpr size_t kShortOffsets = 2048;
constexpr size_t kShortLengths = 12;

uint8_t* writeLongForm(uint8_t* to, size_t offset, size_t length) {
  to[0] = static_cast<uint8_t>((length - 1) << 2 | 2);
  to[1] = static_cast<uint8_t>(offset);
  to[2] = static_cast<uint8_t>(offset >> 8);
  return to + 3;
}

MILLRACE_INLINE uint8_t* writeMatch(uint8_t* to, size_t offset, size_t length) {
  if (MILLRACE_UNLIKELY(length > kMatchMost)) {
    // What is left is at least kRepeatLeast bytes, so that the short form may do.
    for (; length >= kMatchMost + kRepeatLeast; length -= kMatchMost)
      to = writeLongForm(to, offset, kMatchMost);
    if (length > kMatchMost) {
      to = writeLongForm(to, offset, kMatchMost - kRepeatLeast);
      length -= kMatchMost - kRepeatLeast;
    }
  }
  if (length >= kShortLengths || offset >= kShortOffsets) return writeLongForm(to, offset, length);
  to[0] = static_cast<uint8_t>(offset >> 8 << 5 | (length - kRepeatLeast) << 2 | 1);
  to[1] = static_cast<uint8_t>(offset);
  return to + 2;
}

struct Format {
  static constexpr uint32_t kPatienceBits = 5;
  static constexpr size_t kMatchStartBytes = 8;
  static constexpr size_t kLastLiterals = 0;

  static uint8_t* literals(uint8_t* to, const uint8_t* from, size_t count, const uint8_t* end) {
    if (count == 0) return to;
    const size_t rest = count - 1;
    if (rest < 60) {
      *to++ = static_cast<uint8_t>(rest << 2);
    } else if (rest < 256) {
      *to++ = 60 << 2;
      *to++ = static_cast<uint8_t>(rest);
    } else {
      *to++ = 61 << 2;
      *to++ = static_cast<uint8_t>(rest);
      *to++ = static_cast<uint8_t>(rest >> 8);
    }
    return copyLiterals(to, from, count, end);
  }

  static MILLRACE_INLINE uint8_t* sequence(uint8_t* to, const Repeat& repeat, const uint8_t* end) {
    if (repeat.start != repeat.literals) to = literals(to, repeat.literals, repeat.literalBytes(), end);
    return writeMatch(to, repeat.offset(), repeat.length());
  }
};

}  // namespace

size_t SnappyEncoder::encode(const uint8_t* data, size_t count, uint8_t* output) {
  uint8_t* to = output;
  while (count > 0) {
    const size_t blockBytes = count < kSnappyBlockBytesMax ? count : kSnappyBlockBytesMax;
    uint8_t* const block = to + 4;
    to = encodeRepeats<Format>(data, blockBytes, &table_, writeUnsignedVarint(block, blockBytes));
    storeBig32(block - 4, static_cast<uint32_t>(to - block));
    data += blockBytes;
    count -= blockBytes;
  }
  return static_cast<size_t>(to - output);
}

}  // namespace millrace
