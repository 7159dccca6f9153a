// Staging memory and what tests of it share: records with descriptors of their own, and runs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/staged.h"
#include "support.h"

namespace millrace::test {

// Of exact size, so that a sanitizer sees every read past it.
class Staging {
 public:
  explicit Staging(int32_t capacity, size_t byteCount)
      : descriptors_(static_cast<size_t>(capacity) * staged_layout::kWords),
        places_(static_cast<size_t>(capacity) * place_layout::kWords),
        touched_(static_cast<size_t>(capacity) * touched_layout::kWords),
        bytes_(byteCount),
        capacity_(capacity) {}

  void put(int32_t topic, int32_t partition, const TestRecord& record) {
    int32_t* words = at(count++);
    const auto timestampMs = static_cast<double>(record.timestampMs);
    words[staged_layout::kTopic] = topic;
    words[staged_layout::kPartition] = partition;
    words[staged_layout::kKeyBytes] = lengthOf(record.key);
    words[staged_layout::kValueBytes] = lengthOf(record.value);
    std::memcpy(words + staged_layout::kTimestamp, &timestampMs, sizeof timestampMs);
    words[staged_layout::kOffset] = static_cast<int32_t>(used_);
    words[staged_layout::kHeaderBytes] = static_cast<int32_t>(record.headers.size());
    words[staged_layout::kBatch] = kNoBatch;
    for (const std::string& part : {record.key.value_or(""), record.value.value_or(""), record.headers}) {
      std::copy(part.begin(), part.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(used_));
      used_ += part.size();
    }
  }
  // The place that the record put last has to get.
  void promise(int32_t batch, int32_t index) {
    at(count - 1)[staged_layout::kBatch] = batch;
    at(count - 1)[staged_layout::kIndex] = index;
  }
  int32_t* at(int32_t record) {
    return descriptors_.data() + static_cast<size_t>(record) * staged_layout::kWords;
  }
  StagingArea area() {
    return {descriptors_.data(), capacity_,      bytes_.data(), static_cast<int64_t>(bytes_.size()),
            places_.data(),      touched_.data()};
  }
  const int32_t* place(int32_t record) const {
    return places_.data() + static_cast<size_t>(record) * place_layout::kWords;
  }
  const int32_t* touched(int32_t number) const {
    return touched_.data() + static_cast<size_t>(number) * touched_layout::kWords;
  }
  int32_t batchOf(int32_t record) const {
    return touched(place(record)[place_layout::kTouch])[touched_layout::kBatch];
  }
  int32_t partitionOf(int32_t record) const {
    return touched(place(record)[place_layout::kTouch])[touched_layout::kPartition];
  }

  // The form of a run, for which room is needed as runCapacity reckons it.
  void beginRun(int32_t topic, int32_t keyedPartition, double timestampMs) {
    descriptors_[staged_layout::kTopic] = topic;
    descriptors_[staged_layout::kPartition] = keyedPartition;
    std::memcpy(descriptors_.data() + staged_layout::kTimestamp, &timestampMs, sizeof timestampMs);
  }
  void add(const Bytes& key, const Bytes& value, const std::string& headers = "") {
    int32_t* words = runWords(count++);
    words[run_layout::kKeyBytes] = lengthOf(key);
    words[run_layout::kValueBytes] = lengthOf(value);
    words[run_layout::kHeaderBytes] = static_cast<int32_t>(headers.size());
    if (!headers.empty()) descriptors_[staged_layout::kHeaderBytes] = 1;
    for (const std::string& part : {key.value_or(""), value.value_or(""), headers}) {
      std::copy(part.begin(), part.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(used_));
      used_ += part.size();
    }
  }
  int32_t* runWords(int32_t record) {
    return descriptors_.data() + run_layout::kFirst + static_cast<size_t>(record) * run_layout::kWords;
  }

  int32_t count = 0;

 private:
  std::vector<int32_t> descriptors_;
  std::vector<int32_t> places_;
  std::vector<int32_t> touched_;
  std::vector<uint8_t> bytes_;
  int32_t capacity_;
  size_t used_ = 0;
};

inline void expectSameBatches(TestAppender& staged, TestAppender& direct) {
  for (int32_t batch = 0; direct->pool().isBatch(batch); batch++) {
    direct->seal(batch);
    staged->seal(batch);
    ASSERT_EQ(staged.finished(batch), direct.finished(batch)) << "batch " << batch;
  }
}

// Memory has run out: makes room again.
inline void settleAll(TestAppender& appender, int32_t slabCount) {
  for (int32_t batch = 0; batch < slabCount; batch++) {
    if (appender->pool().isBatch(batch)) appender->settle(batch);
  }
}

// A word that cannot be, and what the fault says of it.
struct Nonsense {
  int32_t word;
  int32_t value;
  const char* fault;
};

}  // namespace millrace::test
