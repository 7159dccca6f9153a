// Batches of records made from an input, and the core's reader put in the reference's terms.
#pragma once

#include <algorithm>

#include "core/record_batch.h"
#include "input.h"
#include "reference.h"

namespace millrace::fuzz {

inline reference::Bytes makeBytes(Input* input, uint32_t limit) {
  const uint32_t count = input->below(limit + 1);
  return count == limit ? reference::Bytes() : input->bytes(count);
}

// `largest` bounds key and value each.
inline reference::Record makeRecord(Input* input, uint32_t largest) {
  reference::Record record;
  record.timestampMs = input->number();
  record.key = makeBytes(input, std::min<uint32_t>(largest, 20));
  record.value = makeBytes(input, input->rarely(32) ? largest : std::min<uint32_t>(largest, 40));
  if (input->rarely(4)) {
    const uint32_t headers = input->rarely(64) ? input->below(150) : input->below(4);
    for (uint32_t i = 0; i < headers; i++) {
      record.headers.push_back({input->bytes(input->below(5)), makeBytes(input, 6)});
    }
  }
  return record;
}

inline reference::Bytes fromView(const BytesView& view) {
  if (view.count < 0) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(view.data), static_cast<size_t>(view.count));
}

// All of a batch by the core's reader. True if it was readable to its end, or is compressed.
inline bool readByCore(const uint8_t* data, size_t count, reference::Batch* batch) {
  BatchReader reader(data, count);
  if (reader.open() != ReadStatus::Ok) return false;
  const BatchHeader& header = reader.header();
  FUZZ_CHECK(reader.batchBytes() >= kBatchHeaderBytes && reader.batchBytes() <= count);
  *batch = {header.baseOffset,      header.partitionLeaderEpoch,
            header.attributes,      header.lastOffsetDelta,
            header.baseTimestampMs, header.maxTimestampMs,
            header.producerId,      header.producerEpoch,
            header.baseSequence,    {}};
  Record record;
  ReadStatus status;
  while ((status = reader.next(&record)) == ReadStatus::Ok) {
    reference::Record read{
        record.timestampMs, record.offsetDelta, fromView(record.key), fromView(record.value), {}};
    BytesView left = record.headers;
    for (int32_t i = 0; i < record.headerCount; i++) {
      BytesView key, value;
      FUZZ_CHECK(readHeader(&left, &key, &value) == ReadStatus::Ok);
      read.headers.push_back({*fromView(key), fromView(value)});
    }
    batch->records.push_back(std::move(read));
  }
  if (status == ReadStatus::Compressed) FUZZ_CHECK(batch->records.empty() && header.attributes % 8 != 0);
  return status == ReadStatus::End || status == ReadStatus::Compressed;
}

inline void checkEqual(const reference::Batch& one, const reference::Batch& other) {
  FUZZ_CHECK(one.baseOffset == other.baseOffset);
  FUZZ_CHECK(one.leaderEpoch == other.leaderEpoch);
  FUZZ_CHECK(one.attributes == other.attributes);
  FUZZ_CHECK(one.lastOffsetDelta == other.lastOffsetDelta);
  FUZZ_CHECK(one.baseTimestampMs == other.baseTimestampMs);
  FUZZ_CHECK(one.maxTimestampMs == other.maxTimestampMs);
  FUZZ_CHECK(one.producerId == other.producerId);
  FUZZ_CHECK(one.producerEpoch == other.producerEpoch);
  FUZZ_CHECK(one.baseSequence == other.baseSequence);
  FUZZ_CHECK(one.records == other.records);
}

}  // namespace millrace::fuzz
