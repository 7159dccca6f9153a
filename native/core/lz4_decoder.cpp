#include "lz4_decoder.h"

#include "bytes.h"
#include "lz4.h"

namespace millrace {
namespace {

constexpr size_t kNibbleMax = 15;

class Lz4Reader {
 public:
  Lz4Reader(const uint8_t* block, size_t count) : at_(block), end_(block + count) {}

  bool isAtEnd() const { return at_ == end_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  bool byte(uint8_t* value) {
    if (isAtEnd()) return false;
    *value = *at_++;
    return true;
  }

  // A nibble of 15 is continued by bytes, up to one below 255.
  bool length(size_t nibble, size_t* total) {
    *total = nibble;
    if (nibble < kNibbleMax) return true;
    uint8_t more = 0;
    do {
      if (!byte(&more)) return false;
      *total += more;
    } while (more == 255);
    return true;
  }

  bool offset(size_t* value) {
    uint8_t low = 0, high = 0;
    if (!byte(&low) || !byte(&high)) return false;
    *value = static_cast<size_t>(low | high << 8);
    return true;
  }

  const uint8_t* take(size_t bytes) {
    const uint8_t* const from = at_;
    at_ += bytes;
    return from;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace

int64_t lz4Decode(const uint8_t* block, size_t count, uint8_t* output, size_t room) {
  Lz4Reader reader(block, count);
  size_t written = 0;
  uint8_t token = 0;
  while (reader.byte(&token)) {
    size_t literals = 0, offset = 0, repeated = 0;
    if (!reader.length(token >> 4, &literals) || literals > reader.left()) return kLz4Malformed;
    if (literals > room - written) return kLz4TooLarge;
    if (literals > 0) copyBytes(output + written, reader.take(literals), literals);
    written += literals;
    if (reader.isAtEnd()) {
      return (token & kNibbleMax) == 0 ? static_cast<int64_t>(written) : kLz4Malformed;
    }
    if (!reader.offset(&offset) || offset == 0 || offset > written) return kLz4Malformed;
    if (!reader.length(token & kNibbleMax, &repeated)) return kLz4Malformed;
    repeated += kLz4MatchLeast;
    if (repeated > room - written) return kLz4TooLarge;
    // Byte by byte: a match may repeat what it has just written.
    for (uint8_t* to = output + written; repeated > 0; repeated--, to++, written++)
      *to = to[-static_cast<ptrdiff_t>(offset)];
  }
  return kLz4Malformed;
}

}  // namespace millrace
