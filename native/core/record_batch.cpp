#include "record_batch.h"

#include "bytes.h"
#include "crc32c.h"

namespace millrace {

using namespace batch_layout;

void finishBatch(uint8_t* batch, uint32_t batchBytes, const BatchHeader& header) {
  storeBig64(batch + kOffsetOfBaseOffset, static_cast<uint64_t>(header.baseOffset));
  storeBig32(batch + kOffsetOfBatchLength, batchBytes - kOffsetOfPartitionLeaderEpoch);
  storeBig32(batch + kOffsetOfPartitionLeaderEpoch, static_cast<uint32_t>(header.partitionLeaderEpoch));
  batch[kOffsetOfMagic] = kMagic;
  storeBig16(batch + kOffsetOfAttributes, static_cast<uint16_t>(header.attributes));
  storeBig32(batch + kOffsetOfLastOffsetDelta, static_cast<uint32_t>(header.lastOffsetDelta));
  storeBig64(batch + kOffsetOfBaseTimestamp, static_cast<uint64_t>(header.baseTimestampMs));
  storeBig64(batch + kOffsetOfMaxTimestamp, static_cast<uint64_t>(header.maxTimestampMs));
  storeBig64(batch + kOffsetOfProducerId, static_cast<uint64_t>(header.producerId));
  storeBig16(batch + kOffsetOfProducerEpoch, static_cast<uint16_t>(header.producerEpoch));
  storeBig32(batch + kOffsetOfBaseSequence, static_cast<uint32_t>(header.baseSequence));
  storeBig32(batch + kOffsetOfRecordsCount, static_cast<uint32_t>(header.recordsCount));
  storeBig32(batch + kOffsetOfCrc, crc32c(0, batch + kOffsetOfAttributes, batchBytes - kOffsetOfAttributes));
}

ReadStatus BatchReader::open() {
  if (count_ < kBatchHeaderBytes) return ReadStatus::Truncated;
  if (data_[kOffsetOfMagic] != kMagic) return ReadStatus::BadMagic;
  const int64_t batchLength = static_cast<int32_t>(loadBig32(data_ + kOffsetOfBatchLength));
  const int64_t batchBytes = batchLength + kOffsetOfPartitionLeaderEpoch;
  if (batchBytes < kBatchHeaderBytes) return ReadStatus::BadLength;
  if (static_cast<uint64_t>(batchBytes) > count_) return ReadStatus::Truncated;
  batchBytes_ = static_cast<uint32_t>(batchBytes);

  header_.baseOffset = static_cast<int64_t>(loadBig64(data_ + kOffsetOfBaseOffset));
  header_.partitionLeaderEpoch = static_cast<int32_t>(loadBig32(data_ + kOffsetOfPartitionLeaderEpoch));
  header_.crc = loadBig32(data_ + kOffsetOfCrc);
  header_.attributes = static_cast<int16_t>(loadBig16(data_ + kOffsetOfAttributes));
  header_.lastOffsetDelta = static_cast<int32_t>(loadBig32(data_ + kOffsetOfLastOffsetDelta));
  header_.baseTimestampMs = static_cast<int64_t>(loadBig64(data_ + kOffsetOfBaseTimestamp));
  header_.maxTimestampMs = static_cast<int64_t>(loadBig64(data_ + kOffsetOfMaxTimestamp));
  header_.producerId = static_cast<int64_t>(loadBig64(data_ + kOffsetOfProducerId));
  header_.producerEpoch = static_cast<int16_t>(loadBig16(data_ + kOffsetOfProducerEpoch));
  header_.baseSequence = static_cast<int32_t>(loadBig32(data_ + kOffsetOfBaseSequence));
  header_.recordsCount = static_cast<int32_t>(loadBig32(data_ + kOffsetOfRecordsCount));

  if (crc32c(0, data_ + kOffsetOfAttributes, batchBytes_ - kOffsetOfAttributes) != header_.crc) {
    return ReadStatus::BadCrc;
  }
  if (header_.recordsCount < 0) return ReadStatus::BadLength;
  position_ = data_ + kOffsetOfRecords;
  return ReadStatus::Ok;
}

namespace {

// A length and that many bytes; -1 is null.
const uint8_t* readView(const uint8_t* from, const uint8_t* end, BytesView* view) {
  int32_t count = 0;
  from = readVarint(from, end, &count);
  if (from == nullptr || count < -1) return nullptr;
  *view = {count < 0 ? nullptr : from, count};
  if (count <= 0) return from;
  return end - from < count ? nullptr : from + count;
}

}  // namespace

ReadStatus BatchReader::next(Record* record) {
  if ((static_cast<uint16_t>(header_.attributes) & kCodecMask) != 0) return ReadStatus::Compressed;
  const uint8_t* batchEnd = data_ + batchBytes_;
  if (recordsRead_ == header_.recordsCount) {
    return position_ == batchEnd ? ReadStatus::End : ReadStatus::BadLength;
  }
  int32_t bodyBytes = 0;
  const uint8_t* at = readVarint(position_, batchEnd, &bodyBytes);
  if (at == nullptr || bodyBytes < 0 || batchEnd - at < bodyBytes) return ReadStatus::Truncated;
  const uint8_t* end = at + bodyBytes;
  if (at == end) return ReadStatus::BadLength;
  at++;
  int64_t delta = 0;
  at = readVarlong(at, end, &delta);
  if (at != nullptr) at = readVarint(at, end, &record->offsetDelta);
  if (at != nullptr) at = readView(at, end, &record->key);
  if (at != nullptr) at = readView(at, end, &record->value);
  if (at != nullptr) at = readVarint(at, end, &record->headerCount);
  if (at == nullptr || record->headerCount < 0) return ReadStatus::BadLength;

  record->timestampMs = timestampSum(header_.baseTimestampMs, delta);
  record->headers = {at, static_cast<int32_t>(end - at)};
  BytesView left = record->headers;
  for (int32_t i = 0; i < record->headerCount; i++) {
    BytesView key, value;
    if (readHeader(&left, &key, &value) != ReadStatus::Ok) return ReadStatus::BadLength;
  }
  if (left.count != 0) return ReadStatus::BadLength;
  position_ = end;
  recordsRead_++;
  return ReadStatus::Ok;
}

ReadStatus readHeader(BytesView* headers, BytesView* key, BytesView* value) {
  const uint8_t* end = headers->data + headers->count;
  const uint8_t* at = readView(headers->data, end, key);
  if (at == nullptr || key->count < 0) return ReadStatus::BadLength;
  at = readView(at, end, value);
  if (at == nullptr) return ReadStatus::BadLength;
  *headers = {at, static_cast<int32_t>(end - at)};
  return ReadStatus::Ok;
}

}  // namespace millrace
