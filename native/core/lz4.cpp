#include "lz4.h"

#include "repeats.h"

namespace millrace {
namespace {

static_assert(kLz4MatchLeast == kRepeatLeast, "repeats.h finds what the format can write");

uint8_t* writeLength(uint8_t* to, size_t rest) {
  for (; rest >= 255; rest -= 255) *to++ = 255;
  *to++ = static_cast<uint8_t>(rest);
  return to;
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

struct Format {
  static constexpr uint32_t kPatienceBits = 6;
  static constexpr size_t kMatchStartBytes = kLz4MatchStartBytes;
  static constexpr size_t kLastLiterals = kLz4LastLiterals;

  // The token and literals of a sequence.
  static uint8_t* literals(uint8_t* to, const uint8_t* from, size_t count, const uint8_t* end) {
    if (count < 15) {
      *to++ = static_cast<uint8_t>(count << 4);
    } else {
      *to++ = 15 << 4;
      to = writeLength(to, count - 15);
    }
    return copyLiterals(to, from, count, end);
  }

  static MILLRACE_INLINE uint8_t* sequence(uint8_t* to, const Repeat& repeat, const uint8_t* end) {
    uint8_t* const token = to;
    // Most matches follow one another.
    if (MILLRACE_LIKELY(repeat.start == repeat.literals)) {
      *to++ = 0;
    } else {
      to = literals(to, repeat.literals, repeat.literalBytes(), end);
    }
    return writeMatch(to, token, repeat.offset(), repeat.length());
  }
};

}  // namespace

size_t Lz4Encoder::encode(const uint8_t* data, size_t count, uint8_t* output) {
  MILLRACE_ASSERT(count <= kLz4BlockBytesMax, "a block of LZ4 is at most so large");
  return static_cast<size_t>(encodeRepeats<Format>(data, count, &table_, output) - output);
}

}  // namespace millrace
