// The encoder's round trip: records written by the core, read by the reference and by the core.
#include <cstring>
#include <memory>

#include "records.h"

namespace millrace::fuzz {
namespace {

int32_t lengthOf(const reference::Bytes& bytes) {
  return bytes ? static_cast<int32_t>(bytes->size()) : -1;
}

struct Encoded {
  std::unique_ptr<uint8_t[]> memory;  // of exactly `bytes`
  uint32_t bytes = kBatchHeaderBytes;
};

RecordShape shapeOf(const reference::Record& record, const std::string& headers) {
  return {record.timestampMs, lengthOf(record.key), lengthOf(record.value),
          static_cast<int32_t>(headers.size())};
}

Encoded encodeByCore(const reference::Batch& batch) {
  Encoded encoded;
  for (const reference::Record& record : batch.records) {
    const RecordShape shape = shapeOf(record, headerSection(record.headers));
    const int64_t delta = timestampDelta(record.timestampMs, batch.baseTimestampMs);
    const int64_t bytes = recordBytes(recordBodyBytes(shape.payloadBytes(), delta, record.offsetDelta));
    FUZZ_CHECK(bytes >= kSmallestRecordBytes);
    FUZZ_CHECK(bytes <= int64_t{kRecordOverheadBytesMax} + shape.payloadBytes());
    encoded.bytes += static_cast<uint32_t>(bytes);
  }
  encoded.memory = std::make_unique<uint8_t[]>(encoded.bytes);
  uint8_t* to = encoded.memory.get() + kBatchHeaderBytes;
  for (const reference::Record& record : batch.records) {
    const std::string headers = headerSection(record.headers);
    const RecordShape shape = shapeOf(record, headers);
    const int64_t delta = timestampDelta(record.timestampMs, batch.baseTimestampMs);
    const int64_t bodyBytes = recordBodyBytes(shape.payloadBytes(), delta, record.offsetDelta);
    const RecordTargets targets = writeRecordFrame(to, shape, bodyBytes, delta, record.offsetDelta);
    if (record.key) std::memcpy(targets.key, record.key->data(), record.key->size());
    if (record.value) std::memcpy(targets.value, record.value->data(), record.value->size());
    std::memcpy(targets.headers, headers.data(), headers.size());
    FUZZ_CHECK(targets.end == to + recordBytes(bodyBytes));
    to = targets.end;
  }
  FUZZ_CHECK(to == encoded.memory.get() + encoded.bytes);
  BatchHeader header{batch.baseOffset,
                     batch.leaderEpoch,
                     0,
                     batch.attributes,
                     batch.lastOffsetDelta,
                     batch.baseTimestampMs,
                     batch.maxTimestampMs,
                     batch.producerId,
                     batch.producerEpoch,
                     batch.baseSequence,
                     static_cast<int32_t>(batch.records.size())};
  finishBatch(encoded.memory.get(), encoded.bytes, header);
  return encoded;
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t count) {
  using namespace millrace::fuzz;
  Input input(data, count);
  reference::Batch batch;
  batch.baseOffset = input.number();
  batch.leaderEpoch = static_cast<int32_t>(input.number());
  batch.attributes = static_cast<int16_t>(input.number() & ~int64_t{7});
  batch.lastOffsetDelta = static_cast<int32_t>(input.number());
  batch.baseTimestampMs = input.number();
  batch.maxTimestampMs = input.number();
  batch.producerId = input.number();
  batch.producerEpoch = static_cast<int16_t>(input.number());
  batch.baseSequence = static_cast<int32_t>(input.number());
  const int32_t firstOffset = input.rarely(4) ? static_cast<int32_t>(input.word(3)) : 0;
  while (!input.empty() && batch.records.size() < 300) {
    batch.records.push_back(makeRecord(&input, 5000));
    batch.records.back().offsetDelta = firstOffset + static_cast<int32_t>(batch.records.size()) - 1;
  }

  const Encoded written = encodeByCore(batch);
  const std::string expected = encoded(batch);
  FUZZ_CHECK(written.bytes == expected.size());
  FUZZ_CHECK(std::memcmp(written.memory.get(), expected.data(), expected.size()) == 0);
  reference::Batch decoded, read;
  FUZZ_CHECK(reference::Decoder(written.memory.get(), written.bytes).decode(&decoded));
  checkEqual(batch, decoded);
  FUZZ_CHECK(readByCore(written.memory.get(), written.bytes, &read));
  checkEqual(batch, read);
  return 0;
}
