#include "snappy_decoder.h"

#include <cstring>

#include "bytes.h"
#include "check.h"
#include "varint.h"

namespace millrace {
namespace {

constexpr size_t kStride = 16;

// Reads elements and writes what they stand for. A method answers false where that breaks the format.
class SnappyReader {
 public:
  SnappyReader(const uint8_t* at, const uint8_t* end, uint8_t* output, size_t bytes)
      : at_(at), end_(end), begin_(output), to_(output), limit_(output + bytes) {}

  bool readAll() {
    while (at_ < end_) {
      const uint8_t tag = *at_++;
      if (!((tag & 3) == 0 ? literals(tag >> 2) : match(tag))) return false;
    }
    return to_ == limit_;
  }

 private:
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  size_t room() const { return static_cast<size_t>(limit_ - to_); }

  // A number of 1 to 4 bytes, little-endian.
  bool number(size_t bytes, size_t* value) {
    if (left() < bytes) return false;
    *value = 0;
    for (size_t i = 0; i < bytes; i++) *value |= static_cast<size_t>(at_[i]) << (8 * i);
    at_ += bytes;
    return true;
  }

  bool literals(size_t count) {
    if (count >= 60 && !number(count - 59, &count)) return false;
    count++;
    if (MILLRACE_LIKELY(count <= kStride && left() >= kStride && room() >= kStride)) {
      std::memcpy(to_, at_, kStride);
    } else {
      if (count > left() || count > room()) return false;
      std::memcpy(to_, at_, count);
    }
    at_ += count;
    to_ += count;
    return true;
  }

  bool match(uint8_t tag) {
    size_t length = (tag >> 2) + size_t{1};
    size_t offset = 0;
    if ((tag & 3) == 1) {
      if (!number(1, &offset)) return false;
      offset |= static_cast<size_t>(tag >> 5) << 8;
      length = (tag >> 2 & 7) + size_t{4};
    } else if (!number((tag & 3) == 2 ? 2 : 4, &offset)) {
      return false;
    }
    if (offset == 0 || offset > static_cast<size_t>(to_ - begin_) || length > room()) return false;
    repeat(offset, length);
    return true;
  }

  void repeat(size_t offset, size_t length) {
    uint8_t* const end = to_ + length;
    const uint8_t* from = to_ - offset;
    if (MILLRACE_LIKELY(offset >= 8 && room() >= length + 8)) {
      for (; to_ < end; to_ += 8, from += 8) {
        uint64_t word;
        std::memcpy(&word, from, sizeof word);
        std::memcpy(to_, &word, sizeof word);
      }
    } else {
      // Byte by byte: a match may repeat what it has just written.
      while (to_ < end) *to_++ = *from++;
    }
    to_ = end;
  }

  const uint8_t* at_;
  const uint8_t* const end_;
  const uint8_t* const begin_;
  uint8_t* to_;
  uint8_t* const limit_;
};

}  // namespace

int64_t snappyDecode(const uint8_t* block, size_t count, uint8_t* output, size_t room) {
  const uint8_t* const end = block + count;
  uint64_t bytes = 0;
  const uint8_t* const elements = readUnsignedVarint(block, end, 32, &bytes);
  if (elements == nullptr) return kSnappyMalformed;
  if (bytes > room) return kSnappyTooLarge;
  SnappyReader reader(elements, end, output, static_cast<size_t>(bytes));
  return reader.readAll() ? static_cast<int64_t>(bytes) : kSnappyMalformed;
}

}  // namespace millrace
