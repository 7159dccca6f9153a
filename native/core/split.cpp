#include "split.h"

#include <algorithm>
#include <limits>

#include "bytes.h"
#include "record_batch.h"

namespace millrace {
namespace {

struct Piece {
  int64_t delta;           // of the timestamp, to the first record of the batch that is split
  const uint8_t* payload;  // from the key's length on
  int64_t payloadBytes;
};

// The position after the record, or null.
const uint8_t* readPiece(const uint8_t* from, const uint8_t* end, Piece* piece) {
  int32_t bodyBytes = 0;
  const uint8_t* at = readVarint(from, end, &bodyBytes);
  if (at == nullptr || bodyBytes < 1 || end - at < bodyBytes) return nullptr;
  const uint8_t* recordEnd = at + bodyBytes;
  at++;  // attributes
  int32_t offsetDelta = 0;
  at = readVarlong(at, recordEnd, &piece->delta);
  if (at != nullptr) at = readVarint(at, recordEnd, &offsetDelta);
  if (at == nullptr) return nullptr;
  piece->payload = at;
  piece->payloadBytes = recordEnd - at;
  return recordEnd;
}

}  // namespace

bool measureChild(const RecordsRegion& region, size_t position, int64_t limitBytes, int32_t recordsMax,
                  Child* child) {
  if (position >= region.count) return false;
  const uint8_t* at = region.data + position;
  const uint8_t* end = region.data + region.count;
  int64_t firstDelta = 0;
  int64_t bytes = 0;
  int32_t records = 0;
  while (at != end && records < recordsMax) {
    Piece piece;
    const uint8_t* next = readPiece(at, end, &piece);
    if (next == nullptr) return false;
    if (records == 0) firstDelta = piece.delta;
    const int64_t delta = timestampDelta(piece.delta, firstDelta);
    bytes += recordBytes(recordBodyBytes(piece.payloadBytes, delta, records));
    if (records > 0 && bytes > limitBytes) break;
    if (bytes > std::numeric_limits<int32_t>::max() - int64_t{kBatchHeaderBytes}) return false;
    child->bytes = kBatchHeaderBytes + bytes;
    child->records = ++records;
    at = next;
  }
  child->begin = position;
  child->end = static_cast<size_t>(at - region.data);
  return records > 0;
}

int32_t splitOff(SlabPool* pool, int32_t parent, const RecordsRegion& region, const Child& child,
                 uint8_t* memory) {
  const int32_t handle = pool->acquirePart(parent, memory, static_cast<uint32_t>(child.bytes));
  const int64_t parentBaseMs = pool->at(parent).baseTimestampMs;
  Batch& batch = pool->at(handle);
  const uint8_t* at = region.data + child.begin;
  const uint8_t* end = region.data + child.end;
  uint8_t* to = memory + kBatchHeaderBytes;
  int64_t firstDelta = 0;
  for (int32_t index = 0; index < child.records; index++) {
    Piece piece;
    at = readPiece(at, end, &piece);
    MILLRACE_ASSERT(at != nullptr, "records have changed since they were measured");
    const int64_t timestampMs = timestampSum(parentBaseMs, piece.delta);
    if (index == 0) {
      firstDelta = piece.delta;
      batch.baseTimestampMs = timestampMs;
      batch.maxTimestampMs = timestampMs;
    }
    batch.maxTimestampMs = std::max(batch.maxTimestampMs, timestampMs);
    const int64_t delta = timestampDelta(piece.delta, firstDelta);
    const int64_t bodyBytes = recordBodyBytes(piece.payloadBytes, delta, index);
    batch.largestRecord = std::max(batch.largestRecord, static_cast<uint32_t>(recordBytes(bodyBytes)));
    to = writeVarint(to, static_cast<int32_t>(bodyBytes));
    *to++ = 0;
    to = writeVarlong(to, delta);
    to = writeVarint(to, index);
    copyBytes(to, piece.payload, static_cast<size_t>(piece.payloadBytes));
    to += piece.payloadBytes;
  }
  MILLRACE_ASSERT(at == end && to == memory + child.bytes, "a child is not as long as measured");
  batch.bytes = static_cast<uint32_t>(child.bytes);
  batch.records = child.records;
  pool->seal(handle);
  return handle;
}

}  // namespace millrace
