#include "appender.h"

#include <algorithm>
#include <cstring>

#include "bytes.h"
#include "murmur2.h"

namespace millrace {

Appender::Appender(const Options& options)
    : pool_(options.pool),
      limitBytes_(options.batchLimitBytes),
      limitBytesMax_(
          std::max(limitBytes_, std::min(pool_.batchBytesMax(), int64_t{options.recordLimitBytes}))),
      recordLimitBytes_(options.recordLimitBytes),
      budgetBytes_(static_cast<int64_t>(options.pool.budgetBytes)),
      surePayloadBytes_(std::min(recordLimitBytes_, budgetBytes_) - kBatchHeaderBytes -
                        kRecordOverheadBytesMax) {
  MILLRACE_ASSERT(limitBytes_ > 0 && limitBytes_ <= options.pool.slabBytes, "the batch limit exceeds a slab");
}

void Appender::setTopic(int32_t topic, int32_t partitionCount) {
  MILLRACE_ASSERT(topic >= 0 && partitionCount > 0, "a topic without partitions");
  const auto index = static_cast<size_t>(topic);
  if (index >= topics_.size()) topics_.resize(index + 1);
  Topic& known = topics_[index];
  if (known.partitionCount == 0) known.batchLimitBytes = static_cast<uint32_t>(limitBytes_);
  known.partitionCount = partitionCount;
  if (known.sticky >= partitionCount) known.sticky = -1;
  if (known.openBatch.size() < static_cast<size_t>(partitionCount)) {
    known.openBatch.resize(static_cast<size_t>(partitionCount), kNoBatch);
  }
}

void Appender::setBatchLimit(int32_t topic, int64_t limitBytes) {
  MILLRACE_ASSERT(partitionCount(topic) > 0, "a batch limit of a topic that is not known");
  const int64_t allowedBytes = std::clamp(limitBytes, limitBytes_, limitBytesMax_);
  topics_[static_cast<size_t>(topic)].batchLimitBytes = static_cast<uint32_t>(allowedBytes);
}

void Appender::setSticky(int32_t topic, int32_t partition) {
  MILLRACE_ASSERT(partition >= 0 && faultOf(topic, partition, true) == nullptr,
                  "a sticky partition that does not exist");
  Topic& known = topics_[static_cast<size_t>(topic)];
  known.sticky = partition;
  known.stickyLimitBytes = known.batchLimitBytes;
  known.producedBytes = 0;
}

// KIP-794: a partition keeps its records until a batch's worth has been produced and its batch is full, so
// that changing partition does not leave small batches behind; past two batches' worth it changes regardless.
bool Appender::stickyIsDone(const Topic& topic) const {
  if (topic.producedBytes < topic.stickyLimitBytes) return false;
  if (topic.producedBytes >= 2 * topic.stickyLimitBytes) return true;
  const int32_t open = topic.openBatch[static_cast<size_t>(topic.sticky)];
  return open == kNoBatch || roomIn(pool_.at(open)) < kSmallestRecordBytes;
}

bool Appender::isTooLarge(const RecordShape& shape, int64_t* upperBound) const {
  const int64_t payloadBytes = shape.payloadBytes();
  const int64_t exact = kBatchHeaderBytes + recordBytes(recordBodyBytes(payloadBytes, 0, 0));
  *upperBound = kBatchHeaderBytes + kRecordOverheadBytesMax + payloadBytes;
  return *upperBound > recordLimitBytes_ || exact > budgetBytes_;
}

MILLRACE_INLINE void Appender::writeFrame(const RecordShape& shape, int64_t bodyBytes, int64_t delta,
                                          Reservation* reservation) {
  const Batch& batch = pool_.at(reservation->batch);
  uint8_t* start = batch.memory + batch.bytes;
  const auto bytes = static_cast<uint32_t>(recordBytes(bodyBytes));
  MILLRACE_DEBUG_ASSERT(batch.phase == Phase::Open, "a record is written to a batch that is not open");
  MILLRACE_DEBUG_ASSERT(bytes <= batch.capacityBytes - batch.bytes, "a record is written past its memory");
  reservation->index = batch.records;
  reservation->targets = writeRecordFrame(start, shape, bodyBytes, delta, batch.records);
  MILLRACE_DEBUG_ASSERT(reservation->targets.end == start + bytes, "a record is not as long as computed");
  pending_.batch = reservation->batch;
  pending_.bytes = bytes;
}

MILLRACE_INLINE AppendStatus Appender::place(Topic& topic, int32_t topicHandle, const RecordShape& shape,
                                             Reservation* reservation) {
  if (closed_) return AppendStatus::Closed;
  const int64_t payloadBytes = shape.payloadBytes();
  // The exact size is below the upper bound: most records need one comparison.
  if (MILLRACE_UNLIKELY(payloadBytes > surePayloadBytes_) && isTooLarge(shape, &reservation->sizeBytes)) {
    return AppendStatus::TooLarge;
  }
  if (pending_.sticky && (topic.sticky < 0 || stickyIsDone(topic))) return AppendStatus::ChoosePartition;

  const int32_t open = topic.openBatch[static_cast<size_t>(reservation->partition)];
  if (open != kNoBatch) {
    const Batch& batch = pool_.at(open);
    const int64_t delta = timestampDelta(shape.timestampMs, batch.baseTimestampMs);
    const int64_t bodyBytes = recordBodyBytes(payloadBytes, delta, batch.records);
    if (MILLRACE_LIKELY(recordBytes(bodyBytes) <= roomIn(batch)) ||
        pool_.grow(open, recordBytes(bodyBytes))) {
      reservation->batch = open;
      writeFrame(shape, bodyBytes, delta, reservation);
      return AppendStatus::Ok;
    }
    seal(open);
    if (pending_.sticky && topic.producedBytes >= topic.stickyLimitBytes)
      return AppendStatus::ChoosePartition;
  }

  const int64_t bodyBytes = recordBodyBytes(payloadBytes, 0, 0);
  const AppendStatus status =
      openBatch(topic, topicHandle, kBatchHeaderBytes + recordBytes(bodyBytes), reservation);
  if (status == AppendStatus::Ok) writeFrame(shape, bodyBytes, 0, reservation);
  return status;
}

AppendStatus Appender::reserve(int32_t topic, int32_t partition, const uint8_t* key, const RecordShape& shape,
                               Reservation* reservation) {
  MILLRACE_ASSERT(pending_.batch == kNoBatch, "a reservation was neither committed nor cancelled");
  MILLRACE_DEBUG_ASSERT(faultOf(topic, partition, shape.keyBytes >= 0) == nullptr, "a record for nowhere");
  Topic& known = topics_[static_cast<size_t>(topic)];
  pending_.timestampMs = shape.timestampMs;
  pending_.sticky = partition == kPartitionSticky;
  if (partition == kPartitionByKey) {
    // A key that is refused for its size need not be hashed first: it may have a gigabyte.
    if (MILLRACE_UNLIKELY(!closed_ && shape.payloadBytes() > surePayloadBytes_) &&
        isTooLarge(shape, &reservation->sizeBytes)) {
      offerMemory_ = nullptr;
      return AppendStatus::TooLarge;
    }
    const uint32_t hash = toPositive(murmur2(key, static_cast<size_t>(shape.keyBytes)));
    partition = static_cast<int32_t>(hash % static_cast<uint32_t>(known.partitionCount));
  } else if (partition == kPartitionSticky) {
    partition = known.sticky;
  }
  reservation->partition = partition;
  const AppendStatus status = place(known, topic, shape, reservation);
  offerMemory_ = nullptr;
  return status;
}

AppendStatus Appender::openBatch(Topic& topic, int32_t topicHandle, int64_t batchBytes,
                                 Reservation* reservation) {
  const int32_t partition = reservation->partition;
  const bool fitsSlab = batchBytes <= pool_.slabBytes();
  if (fitsSlab || batchBytes <= topic.batchLimitBytes) {
    const int32_t handle = pool_.acquireSlab(topicHandle, partition, topic.batchLimitBytes, batchBytes);
    if (handle != kNoBatch && (fitsSlab || pool_.grow(handle, batchBytes - kBatchHeaderBytes))) {
      topic.openBatch[static_cast<size_t>(partition)] = handle;
      reservation->batch = handle;
      return AppendStatus::Ok;
    }
    if (fitsSlab) return AppendStatus::NoMemory;
    if (handle != kNoBatch) pool_.discard(handle);
  }
  // A large batch never stands in openBatch: commit seals it.
  if (offerMemory_ != nullptr && offerBytes_ >= batchBytes && offerBytes_ <= pool_.availableBytes()) {
    offerTakenBy_ = pool_.acquireLarge(offerMemory_, offerBytes_, topicHandle, partition);
    reservation->batch = offerTakenBy_;
    return AppendStatus::Ok;
  }
  reservation->sizeBytes = batchBytes;
  return static_cast<uint64_t>(batchBytes) <= pool_.availableBytes() ? AppendStatus::NeedsLarge
                                                                     : AppendStatus::NoMemory;
}

void Appender::commit() {
  MILLRACE_ASSERT(pending_.batch != kNoBatch, "nothing is reserved");
  Batch& batch = pool_.at(pending_.batch);
  uint32_t growthBytes = pending_.bytes;
  if (batch.records == 0) {
    batch.baseTimestampMs = pending_.timestampMs;
    batch.maxTimestampMs = pending_.timestampMs;
    growthBytes += kBatchHeaderBytes;
  } else {
    batch.maxTimestampMs = std::max(batch.maxTimestampMs, pending_.timestampMs);
  }
  batch.bytes += pending_.bytes;
  batch.largestRecord = std::max(batch.largestRecord, pending_.bytes);
  batch.records++;
  if (pending_.sticky) topics_[static_cast<size_t>(batch.topic)].producedBytes += growthBytes;
  if (pool_.isLarge(pending_.batch)) pool_.seal(pending_.batch);
  pending_.batch = kNoBatch;
}

void Appender::cancel() {
  MILLRACE_ASSERT(pending_.batch != kNoBatch, "nothing is reserved");
  const Batch& batch = pool_.at(pending_.batch);
  if (batch.records == 0) {
    if (pool_.isLarge(pending_.batch)) {
      offerTakenBy_ = kNoBatch;
    } else {
      topics_[static_cast<size_t>(batch.topic)].openBatch[static_cast<size_t>(batch.partition)] = kNoBatch;
    }
    pool_.discard(pending_.batch);
  }
  pending_.batch = kNoBatch;
}

void Appender::offerLarge(uint8_t* memory, uint32_t memoryBytes) {
  offerMemory_ = memory;
  offerBytes_ = memoryBytes;
  offerTakenBy_ = kNoBatch;
}

int32_t Appender::roomOf(int32_t handle) const {
  const Batch& batch = pool_.at(handle);
  if (batch.phase != Phase::Open) return 0;
  const Topic& topic = topics_[static_cast<size_t>(batch.topic)];
  int64_t room = roomIn(batch);
  if (topic.sticky == batch.partition)
    room = std::min(room, 2 * topic.stickyLimitBytes - topic.producedBytes);
  return static_cast<int32_t>(std::max<int64_t>(room, 0));
}

void Appender::seal(int32_t handle) {
  const Batch& batch = pool_.at(handle);
  if (batch.phase != Phase::Open) {
    assertPhase(batch, batch.phase);
    MILLRACE_ASSERT(batch.phase != Phase::Free, "a free batch is sealed");
    return;
  }
  int32_t& open = topics_[static_cast<size_t>(batch.topic)].openBatch[static_cast<size_t>(batch.partition)];
  MILLRACE_ASSERT(open == handle, "an open batch is not its partition's");
  open = kNoBatch;
  pool_.seal(handle);
}

bool Appender::settle(int32_t handle) {
  seal(handle);
  return pool_.settle(handle);
}

uint32_t Appender::finish(int32_t handle, int64_t producerId, int16_t producerEpoch, int32_t baseSequence,
                          int16_t attributes) {
  const Batch& batch = pool_.at(handle);
  assertPhase(batch, Phase::Sealed);
  MILLRACE_ASSERT(batch.pins == 0, "a batch that is being read is changed");
  BatchHeader header{};
  header.partitionLeaderEpoch = -1;
  header.attributes = attributes;
  header.lastOffsetDelta = batch.records - 1;
  header.baseTimestampMs = batch.baseTimestampMs;
  header.maxTimestampMs = batch.maxTimestampMs;
  header.producerId = producerId;
  header.producerEpoch = producerEpoch;
  header.baseSequence = baseSequence;
  header.recordsCount = batch.records;
  finishBatch(batch.memory, batch.bytes, header);
  return batch.bytes;
}

bool Appender::replaceRecords(int32_t handle, const uint8_t* compressed, size_t compressedBytes) {
  Batch& batch = pool_.at(handle);
  assertPhase(batch, Phase::Sealed);
  MILLRACE_ASSERT(batch.pins == 0, "a batch that is being read is changed");
  if (compressedBytes > batch.capacityBytes - kBatchHeaderBytes) return false;
  // The codec may have answered with a view of its input.
  if (compressedBytes != 0) std::memmove(batch.memory + kBatchHeaderBytes, compressed, compressedBytes);
  batch.bytes = kBatchHeaderBytes + static_cast<uint32_t>(compressedBytes);
  pool_.shrink(handle);
  return true;
}

}  // namespace millrace
