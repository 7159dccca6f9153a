// What several tests need: hex, owned memory, a reader of finished batches, deterministic random numbers.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/appender.h"
#include "core/record_batch.h"

namespace millrace::test {

inline std::vector<uint8_t> fromHex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

inline std::string toHex(const uint8_t* data, size_t count) {
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  for (size_t i = 0; i < count; i++) {
    hex.push_back(digits[data[i] >> 4]);
    hex.push_back(digits[data[i] & 15]);
  }
  return hex;
}

// xorshift: the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2685821657736338717ULL + 1) {}
  uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  size_t below(size_t limit) { return static_cast<size_t>(next() % limit); }
  std::string bytes(size_t count) {
    std::string result;
    for (size_t i = 0; i < count; i++) result.push_back(static_cast<char>(next() & 0xff));
    return result;
  }

 private:
  uint64_t state_;
};

using Bytes = std::optional<std::string>;

struct TestRecord {
  int64_t timestampMs = 0;
  Bytes key;
  Bytes value;
  std::string headers;  // encoded with their count; empty for none
};

inline const uint8_t* dataOf(const std::string& bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

inline int32_t lengthOf(const Bytes& bytes) {
  return bytes ? static_cast<int32_t>(bytes->size()) : -1;
}

inline std::string toString(const BytesView& view) {
  return view.count > 0
             ? std::string(reinterpret_cast<const char*>(view.data), static_cast<size_t>(view.count))
             : "";
}

// An appender over its own arena.
class TestAppender {
 public:
  struct Limits {
    uint32_t slabBytes = 1024;
    int32_t slabCount = 8;
    uint64_t budgetBytes = 0;      // 0: all slabs
    uint32_t batchLimitBytes = 0;  // 0: slabBytes
    uint32_t recordLimitBytes = 1 << 20;
    int32_t batchSlabsMax = 1;
  };

  TestAppender() : TestAppender(Limits{}) {}
  explicit TestAppender(const Limits& limits)
      : arena_(std::make_unique<uint8_t[]>(static_cast<size_t>(limits.slabCount) * limits.slabBytes)) {
    Appender::Options options{};
    options.pool.arena = arena_.get();
    options.pool.slabBytes = limits.slabBytes;
    options.pool.slabCount = limits.slabCount;
    options.pool.budgetBytes = limits.budgetBytes != 0
                                   ? limits.budgetBytes
                                   : static_cast<uint64_t>(limits.slabCount) * limits.slabBytes;
    options.pool.fillFreed = true;
    options.pool.batchSlabsMax = limits.batchSlabsMax;
    options.batchLimitBytes = limits.batchLimitBytes != 0 ? limits.batchLimitBytes : limits.slabBytes;
    options.recordLimitBytes = limits.recordLimitBytes;
    appender_ = std::make_unique<Appender>(options);
  }

  Appender& operator*() { return *appender_; }
  Appender* operator->() { return appender_.get(); }

  AppendStatus append(int32_t topic, int32_t partition, const TestRecord& record) {
    const RecordShape shape{record.timestampMs, lengthOf(record.key), lengthOf(record.value),
                            static_cast<int32_t>(record.headers.size())};
    last = Reservation{};
    const AppendStatus status =
        appender_->reserve(topic, partition, record.key ? dataOf(*record.key) : nullptr, shape, &last);
    if (status != AppendStatus::Ok) return status;
    if (record.key) std::copy(record.key->begin(), record.key->end(), last.targets.key);
    if (record.value) std::copy(record.value->begin(), record.value->end(), last.targets.value);
    std::copy(record.headers.begin(), record.headers.end(), last.targets.headers);
    appender_->commit();
    return status;
  }

  // A record that makes its batch grow by exactly this much (with timestamp 0 and an offset below 64).
  AppendStatus appendBytes(int32_t topic, int32_t partition, int32_t recordBytes) {
    int32_t value = recordBytes;
    while (recordBytesOf(value) > recordBytes) value--;
    EXPECT_EQ(recordBytesOf(value), recordBytes);
    TestRecord record;
    record.value = std::string(static_cast<size_t>(value), 'v');
    return append(topic, partition, record);
  }

  std::string finished(int32_t batch) {
    const uint32_t bytes = appender_->finish(batch, -1, -1, -1, 0);
    return std::string(reinterpret_cast<const char*>(appender_->pool().at(batch).memory), bytes);
  }

  Reservation last;

 private:
  static int64_t recordBytesOf(int32_t valueBytes) {
    const RecordShape shape{0, -1, valueBytes, 0};
    return recordBytes(recordBodyBytes(shape.payloadBytes(), 0, 0));
  }

  std::unique_ptr<uint8_t[]> arena_;
  std::unique_ptr<Appender> appender_;
};

}  // namespace millrace::test
