// Record batch, magic 2. All integers big-endian.
//
//   batch  := baseOffset int64 | batchLength int32 | partitionLeaderEpoch int32 | magic int8 | crc uint32
//           | attributes int16 | lastOffsetDelta int32 | baseTimestamp int64 | maxTimestamp int64
//           | producerId int64 | producerEpoch int16 | baseSequence int32 | recordsCount int32 | record*
//   record := length varint | attributes int8 | timestampDelta varlong | offsetDelta varint
//           | keyLength varint | key | valueLength varint | value | headerCount varint | header*
//   header := keyLength varint | key | valueLength varint | value          (length -1: null)
//
// batchLength counts what follows it, the CRC-32C covers attributes to the end, a record's length excludes
// itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "varint.h"

namespace millrace {

namespace batch_layout {
constexpr uint32_t kOffsetOfBaseOffset = 0;
constexpr uint32_t kOffsetOfBatchLength = 8;
constexpr uint32_t kOffsetOfPartitionLeaderEpoch = 12;
constexpr uint32_t kOffsetOfMagic = 16;
constexpr uint32_t kOffsetOfCrc = 17;
constexpr uint32_t kOffsetOfAttributes = 21;
constexpr uint32_t kOffsetOfLastOffsetDelta = 23;
constexpr uint32_t kOffsetOfBaseTimestamp = 27;
constexpr uint32_t kOffsetOfMaxTimestamp = 35;
constexpr uint32_t kOffsetOfProducerId = 43;
constexpr uint32_t kOffsetOfProducerEpoch = 51;
constexpr uint32_t kOffsetOfBaseSequence = 53;
constexpr uint32_t kOffsetOfRecordsCount = 57;
constexpr uint32_t kOffsetOfRecords = 61;

static_assert(kOffsetOfBatchLength == kOffsetOfBaseOffset + 8, "baseOffset is int64");
static_assert(kOffsetOfPartitionLeaderEpoch == kOffsetOfBatchLength + 4, "batchLength is int32");
static_assert(kOffsetOfMagic == kOffsetOfPartitionLeaderEpoch + 4, "partitionLeaderEpoch is int32");
static_assert(kOffsetOfCrc == kOffsetOfMagic + 1, "magic is int8");
static_assert(kOffsetOfAttributes == kOffsetOfCrc + 4, "crc is uint32");
static_assert(kOffsetOfLastOffsetDelta == kOffsetOfAttributes + 2, "attributes is int16");
static_assert(kOffsetOfBaseTimestamp == kOffsetOfLastOffsetDelta + 4, "lastOffsetDelta is int32");
static_assert(kOffsetOfMaxTimestamp == kOffsetOfBaseTimestamp + 8, "baseTimestamp is int64");
static_assert(kOffsetOfProducerId == kOffsetOfMaxTimestamp + 8, "maxTimestamp is int64");
static_assert(kOffsetOfProducerEpoch == kOffsetOfProducerId + 8, "producerId is int64");
static_assert(kOffsetOfBaseSequence == kOffsetOfProducerEpoch + 2, "producerEpoch is int16");
static_assert(kOffsetOfRecordsCount == kOffsetOfBaseSequence + 4, "baseSequence is int32");
static_assert(kOffsetOfRecords == kOffsetOfRecordsCount + 4, "recordsCount is int32");
}  // namespace batch_layout

constexpr uint32_t kBatchHeaderBytes = 61;
static_assert(batch_layout::kOffsetOfRecords == kBatchHeaderBytes, "the header is 61 bytes");

constexpr uint8_t kMagic = 2;
constexpr uint16_t kCodecMask = 0x7;
// length, attributes, timestampDelta, offsetDelta, null key, null value, headerCount: a byte each.
constexpr uint32_t kSmallestRecordBytes = 7;
// Java's MAX_RECORD_OVERHEAD: length, attributes, timestampDelta and offsetDelta at their longest.
constexpr uint32_t kRecordOverheadBytesMax = kVarintBytesMax + 1 + kVarlongBytesMax + kVarintBytesMax;
static_assert(kRecordOverheadBytesMax == 21, "Java's MAX_RECORD_OVERHEAD");

// Timestamps are any int64 and their difference wraps, as in Java.
inline int64_t timestampDelta(int64_t timestampMs, int64_t baseMs) {
  return static_cast<int64_t>(static_cast<uint64_t>(timestampMs) - static_cast<uint64_t>(baseMs));
}

inline int64_t timestampSum(int64_t baseMs, int64_t delta) {
  return static_cast<int64_t>(static_cast<uint64_t>(baseMs) + static_cast<uint64_t>(delta));
}

// Lengths of a record's parts; -1 is null for key and value. Headers are the encoded section with its count,
// 0 when there are none (the zero count is then written by the record writer).
struct RecordShape {
  int64_t timestampMs;
  int32_t keyBytes;
  int32_t valueBytes;
  int32_t headerBytes;

  // Key, value and headers with their lengths: the part that does not depend on the place in the batch.
  int64_t payloadBytes() const {
    return int64_t{varintBytes(keyBytes)} + (keyBytes > 0 ? keyBytes : 0) + varintBytes(valueBytes) +
           (valueBytes > 0 ? valueBytes : 0) + (headerBytes > 0 ? headerBytes : 1);
  }
};

// Value of the length field: the record without that field itself.
inline int64_t recordBodyBytes(int64_t payloadBytes, int64_t delta, int32_t offsetDelta) {
  return 1 + varlongBytes(delta) + varintBytes(offsetDelta) + payloadBytes;
}

inline int64_t recordBytes(int64_t bodyBytes) {
  return unsignedVarintBytes(static_cast<uint64_t>(bodyBytes) << 1) + bodyBytes;
}

// Where the caller is to put the bytes of a record whose frame is written.
struct RecordTargets {
  uint8_t* key;
  uint8_t* value;
  uint8_t* headers;
  uint8_t* end;
};

// Writes all of a record but the bytes of key, value and headers, for which it leaves room.
inline RecordTargets writeRecordFrame(uint8_t* to, const RecordShape& shape, int64_t bodyBytes, int64_t delta,
                                      int32_t offsetDelta) {
  RecordTargets targets;
  to = writeVarint(to, static_cast<int32_t>(bodyBytes));
  *to++ = 0;
  to = writeVarlong(to, delta);
  to = writeVarint(to, offsetDelta);
  to = writeVarint(to, shape.keyBytes);
  targets.key = to;
  if (shape.keyBytes > 0) to += shape.keyBytes;
  to = writeVarint(to, shape.valueBytes);
  targets.value = to;
  if (shape.valueBytes > 0) to += shape.valueBytes;
  targets.headers = to;
  if (shape.headerBytes > 0) {
    to += shape.headerBytes;
  } else {
    *to++ = 0;
  }
  targets.end = to;
  return targets;
}

struct BatchHeader {
  int64_t baseOffset;
  int32_t partitionLeaderEpoch;
  uint32_t crc;
  int16_t attributes;
  int32_t lastOffsetDelta;
  int64_t baseTimestampMs;
  int64_t maxTimestampMs;
  int64_t producerId;
  int16_t producerEpoch;
  int32_t baseSequence;
  int32_t recordsCount;
};

// Writes the header in front of `batchBytes - 61` bytes of records, with length and CRC (header.crc is not
// read).
void finishBatch(uint8_t* batch, uint32_t batchBytes, const BatchHeader& header);

enum class ReadStatus : uint8_t {
  Ok,
  End,         // all records of the batch have been read
  Truncated,   // fewer bytes than the lengths say
  BadMagic,    // not magic 2
  BadCrc,      // CRC does not match
  BadLength,   // a length is negative, inconsistent or leaves bytes over
  Compressed,  // records cannot be read before they are decompressed
};

struct BytesView {
  const uint8_t* data;
  int32_t count;  // -1: null
};

struct Record {
  int64_t timestampMs;
  int32_t offsetDelta;
  BytesView key;
  BytesView value;
  int32_t headerCount;
  BytesView headers;  // encoded, without the count
};

// Reads one batch. Trusts nothing: every length is checked against the bytes that are left.
class BatchReader {
 public:
  BatchReader(const uint8_t* data, size_t count) : data_(data), count_(count) {}

  // Checks magic, length and CRC. Must be the first call; `header()` and `next()` need its Ok.
  ReadStatus open();
  const BatchHeader& header() const { return header_; }
  uint32_t batchBytes() const { return batchBytes_; }
  ReadStatus next(Record* record);

 private:
  const uint8_t* data_;
  size_t count_;
  uint32_t batchBytes_ = 0;
  const uint8_t* position_ = nullptr;
  int32_t recordsRead_ = 0;
  BatchHeader header_{};
};

// Reads one header of `Record::headers` and moves `headers` past it.
ReadStatus readHeader(BytesView* headers, BytesView* key, BytesView* value);

}  // namespace millrace
