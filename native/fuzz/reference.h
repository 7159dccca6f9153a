// The record format, CRC-32C and murmur2 once more, written from their specifications byte by byte and
// without anything of native/core: what the core is compared with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::fuzz::reference {

// The remainder by long division, one bit at a time, for each byte; kept in a table to be affordable.
inline uint32_t crc32c(const uint8_t* data, size_t count, uint32_t before = 0) {
  static const std::vector<uint32_t> remainders = [] {
    std::vector<uint32_t> table;
    for (uint32_t byte = 0; byte < 256; byte++) {
      uint32_t remainder = byte;
      for (int bit = 0; bit < 8; bit++) {
        remainder = remainder % 2 == 1 ? remainder / 2 ^ 0x82f63b78U : remainder / 2;
      }
      table.push_back(remainder);
    }
    return table;
  }();
  uint32_t remainder = before ^ 0xffffffffU;
  for (size_t i = 0; i < count; i++) remainder = remainder >> 8 ^ remainders[(remainder ^ data[i]) & 0xff];
  return remainder ^ 0xffffffffU;
}

// As Java's Utils.murmur2 is defined, in arithmetic of 64 bits cut to 32.
inline int32_t murmur2(const uint8_t* data, size_t count) {
  const uint64_t m = 0x5bd1e995;
  const uint64_t mask = 0xffffffff;
  uint64_t h = (0x9747b28c ^ static_cast<uint64_t>(count)) & mask;
  size_t at = 0;
  for (; at + 4 <= count; at += 4) {
    uint64_t k = data[at] + data[at + 1] * uint64_t{0x100} + data[at + 2] * uint64_t{0x10000} +
                 data[at + 3] * uint64_t{0x1000000};
    k = k * m & mask;
    k = ((k ^ k >> 24) * m) & mask;
    h = (h * m & mask) ^ k;
  }
  uint64_t rest = 0;
  for (size_t i = count; i > at; i--) rest = rest << 8 | data[i - 1];
  if (count > at) h = ((h ^ rest) * m) & mask;
  h ^= h >> 13;
  h = h * m & mask;
  h ^= h >> 15;
  return static_cast<int32_t>(static_cast<uint32_t>(h));
}

inline std::string varint(uint64_t value) {
  std::string bytes;
  do {
    const auto low = static_cast<uint8_t>(value % 128);
    value /= 128;
    bytes.push_back(static_cast<char>(value != 0 ? low + 128 : low));
  } while (value != 0);
  return bytes;
}

// 0, -1, 1, -2, … become 0, 1, 2, 3, …
inline std::string zigzag(int64_t value) {
  return varint(value >= 0 ? static_cast<uint64_t>(value) * 2 : ~(static_cast<uint64_t>(value) * 2));
}

using Bytes = std::optional<std::string>;

struct Header {
  std::string key;
  Bytes value;
  bool operator==(const Header& other) const { return key == other.key && value == other.value; }
};

struct Record {
  int64_t timestampMs = 0;
  int32_t offsetDelta = 0;
  Bytes key;
  Bytes value;
  std::vector<Header> headers;
  bool operator==(const Record& other) const {
    return timestampMs == other.timestampMs && offsetDelta == other.offsetDelta && key == other.key &&
           value == other.value && headers == other.headers;
  }
};

inline std::string encoded(const Bytes& bytes) {
  return bytes ? zigzag(static_cast<int64_t>(bytes->size())) + *bytes : zigzag(-1);
}

// The section as the core takes it: with its count, empty for none.
inline std::string headerSection(const std::vector<Header>& headers) {
  if (headers.empty()) return "";
  std::string section = zigzag(static_cast<int64_t>(headers.size()));
  for (const Header& header : headers) section += encoded(Bytes(header.key)) + encoded(header.value);
  return section;
}

// A record without its length.
inline std::string body(const Record& record, int64_t baseTimestampMs) {
  std::string bytes(1, '\0');
  bytes += zigzag(static_cast<int64_t>(static_cast<uint64_t>(record.timestampMs) -
                                       static_cast<uint64_t>(baseTimestampMs)));
  bytes += zigzag(record.offsetDelta) + encoded(record.key) + encoded(record.value);
  return bytes + (record.headers.empty() ? zigzag(0) : headerSection(record.headers));
}

inline std::string encoded(const Record& record, int64_t baseTimestampMs) {
  return encoded(Bytes(body(record, baseTimestampMs)));
}

inline void appendBig(std::string* to, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; i--) to->push_back(static_cast<char>(value >> (8 * i)));
}

// Sets length and CRC to what the bytes are. Does nothing to less than a header.
inline void repair(std::string* batch) {
  if (batch->size() < 61) return;
  std::string length, crc;
  appendBig(&length, batch->size() - 12, 4);
  batch->replace(8, 4, length);
  const auto* data = reinterpret_cast<const uint8_t*>(batch->data());
  appendBig(&crc, crc32c(data + 21, batch->size() - 21), 4);
  batch->replace(17, 4, crc);
}

struct Batch {
  int64_t baseOffset = 0;
  int32_t leaderEpoch = 0;
  int16_t attributes = 0;
  int32_t lastOffsetDelta = 0;
  int64_t baseTimestampMs = 0;
  int64_t maxTimestampMs = 0;
  int64_t producerId = 0;
  int16_t producerEpoch = 0;
  int32_t baseSequence = 0;
  std::vector<Record> records;
};

inline std::string encoded(const Batch& batch) {
  std::string bytes;
  appendBig(&bytes, static_cast<uint64_t>(batch.baseOffset), 8);
  appendBig(&bytes, 0, 4);
  appendBig(&bytes, static_cast<uint64_t>(batch.leaderEpoch), 4);
  appendBig(&bytes, 2, 1);
  appendBig(&bytes, 0, 4);
  appendBig(&bytes, static_cast<uint64_t>(batch.attributes), 2);
  appendBig(&bytes, static_cast<uint64_t>(batch.lastOffsetDelta), 4);
  appendBig(&bytes, static_cast<uint64_t>(batch.baseTimestampMs), 8);
  appendBig(&bytes, static_cast<uint64_t>(batch.maxTimestampMs), 8);
  appendBig(&bytes, static_cast<uint64_t>(batch.producerId), 8);
  appendBig(&bytes, static_cast<uint64_t>(batch.producerEpoch), 2);
  appendBig(&bytes, static_cast<uint64_t>(batch.baseSequence), 4);
  appendBig(&bytes, batch.records.size(), 4);
  for (const Record& record : batch.records) bytes += encoded(record, batch.baseTimestampMs);
  repair(&bytes);
  return bytes;
}

// Takes one batch apart; `failed` once anything is not as it should be.
class Decoder {
 public:
  Decoder(const uint8_t* data, size_t count) : data_(data), end_(count) {}

  bool decode(Batch* batch) {
    *batch = Batch{};
    if (end_ < 61) return false;
    batch->baseOffset = static_cast<int64_t>(big(8));
    const auto length = static_cast<int32_t>(big(4));
    if (length < 61 - 12 || static_cast<uint64_t>(length) + 12 > end_) return false;
    end_ = static_cast<size_t>(length) + 12;
    batch->leaderEpoch = static_cast<int32_t>(big(4));
    if (big(1) != 2) return false;
    if (big(4) != crc32c(data_ + 21, end_ - 21)) return false;
    batch->attributes = static_cast<int16_t>(big(2));
    batch->lastOffsetDelta = static_cast<int32_t>(big(4));
    batch->baseTimestampMs = static_cast<int64_t>(big(8));
    batch->maxTimestampMs = static_cast<int64_t>(big(8));
    batch->producerId = static_cast<int64_t>(big(8));
    batch->producerEpoch = static_cast<int16_t>(big(2));
    batch->baseSequence = static_cast<int32_t>(big(4));
    const auto count = static_cast<int32_t>(big(4));
    if (count < 0) return false;
    if (batch->attributes % 8 != 0) return true;
    for (int32_t i = 0; i < count && !failed_; i++) batch->records.push_back(record(batch->baseTimestampMs));
    return !failed_ && at_ == end_;
  }

 private:
  uint64_t big(size_t bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) value = value * 256 + data_[at_++];
    return value;
  }

  uint64_t varintUpTo(size_t end, int bits) {
    uint64_t value = 0;
    for (int shift = 0; shift < bits; shift += 7) {
      if (at_ >= end) break;
      const uint64_t byte = data_[at_++];
      const uint64_t low = byte % 128;
      if (low << shift >> shift != low || (bits == 32 && low << shift > 0xffffffffU)) break;
      value += low << shift;
      if (byte < 128) return value;
    }
    failed_ = true;
    return 0;
  }

  int64_t signedVarint(size_t end, int bits) {
    const uint64_t value = varintUpTo(end, bits);
    return value % 2 == 0 ? static_cast<int64_t>(value / 2) : -static_cast<int64_t>(value / 2) - 1;
  }

  Bytes bytesUpTo(size_t end) {
    const int64_t count = signedVarint(end, 32);
    if (failed_ || count == -1) return std::nullopt;
    if (count < 0 || static_cast<uint64_t>(count) > end - at_) {
      failed_ = true;
      return std::nullopt;
    }
    at_ += static_cast<size_t>(count);
    return std::string(reinterpret_cast<const char*>(data_ + at_ - count), static_cast<size_t>(count));
  }

  Record record(int64_t baseTimestampMs) {
    Record record;
    const int64_t length = signedVarint(end_, 32);
    if (failed_ || length < 1 || static_cast<uint64_t>(length) > end_ - at_) {
      failed_ = true;
      return record;
    }
    const size_t end = at_ + static_cast<size_t>(length);
    at_++;
    const int64_t delta = signedVarint(end, 64);
    record.timestampMs =
        static_cast<int64_t>(static_cast<uint64_t>(baseTimestampMs) + static_cast<uint64_t>(delta));
    record.offsetDelta = static_cast<int32_t>(signedVarint(end, 32));
    record.key = bytesUpTo(end);
    record.value = bytesUpTo(end);
    const int64_t headers = failed_ ? 0 : signedVarint(end, 32);
    if (headers < 0) failed_ = true;
    for (int64_t i = 0; i < headers && !failed_; i++) {
      const Bytes key = bytesUpTo(end);
      const Bytes value = failed_ ? std::nullopt : bytesUpTo(end);
      if (!key) failed_ = true;
      if (!failed_) record.headers.push_back({*key, value});
    }
    if (at_ != end) failed_ = true;
    return record;
  }

  const uint8_t* data_;
  size_t at_ = 0;
  size_t end_;
  bool failed_ = false;
};

}  // namespace millrace::fuzz::reference
