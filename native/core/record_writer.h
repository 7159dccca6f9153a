// Writes staged records: the appender's own way, with all that is the same for those of one topic found once.
#pragma once

#include <algorithm>

#include "appender.h"
#include "bytes.h"
#include "murmur2.h"

namespace millrace {

class RecordWriter {
 public:
  explicit RecordWriter(Appender& appender) : appender_(appender) {}

  // What follows is for the topic, which is known to the appender.
  void select(int32_t topic) {
    if (topic == topicHandle_) return;
    topicHandle_ = topic;
    refresh();
  }

  // Whether a record of this shape would become record `index` of `batch`. True only if that batch is open
  // and has room. Then nothing is sealed, opened or chosen.
  bool isNext(int32_t partition, const uint8_t* key, const RecordShape& shape, int32_t batch,
              int32_t index) const {
    if (partition == kPartitionSticky) {
      if (sticky_ < 0 || topic_->producedBytes >= stickyEndBytes_) return false;
      partition = sticky_;
    } else if (partition == kPartitionByKey) {
      partition = partitionOfKey(key, shape.keyBytes);
    }
    if (openBatch_[partition] != batch) return false;
    const Batch& open = batches_[batch];
    const int64_t delta = timestampDelta(shape.timestampMs, open.baseTimestampMs);
    const int64_t bodyBytes = recordBodyBytes(shape.payloadBytes(), delta, index);
    return open.records == index && recordBytes(bodyBytes) <= Appender::roomIn(open);
  }

  // Writes a record into the open batch of its partition, as record `index` of `batch` if it is promised that
  // place. False, with nothing done, where there is none with room, or anything else needs a closer look.
  // Key, value and headers stand at `bytes`.
  template <bool kIsPromised = false>
  MILLRACE_INLINE bool extend(int32_t partition, const uint8_t* bytes, const RecordShape& shape,
                              int32_t promisedBatch = kNoBatch, int32_t promisedIndex = 0) {
    measure(shape);
    const bool isSticky = partition == kPartitionSticky;
    int32_t target = partition;
    if (isSticky) {
      // Up to here the sticky partition changes only where a batch is full, and then the record has no room.
      if (MILLRACE_UNLIKELY(sticky_ < 0 || topic_->producedBytes >= stickyEndBytes_)) return false;
      target = sticky_;
    } else if (partition == kPartitionByKey) {
      target = partitionOfKey(bytes, shape.keyBytes);
    }
    const int32_t handle = openBatch_[target];
    if (MILLRACE_UNLIKELY(handle == kNoBatch || payloadBytes_ > payloadBytesMax_)) return false;
    Batch& batch = batches_[handle];
    if (kIsPromised && MILLRACE_UNLIKELY(handle != promisedBatch || batch.records != promisedIndex))
      return false;
    const int64_t delta = timestampDelta(shape.timestampMs, batch.baseTimestampMs);
    const int64_t bodyBytes = recordBodyBytes(payloadBytes_, delta, batch.records);
    const auto recordSize = static_cast<uint32_t>(recordBytes(bodyBytes));
    if (MILLRACE_UNLIKELY(recordSize > Appender::roomIn(batch))) return false;
    copyTo(writeRecordFrame(batch.memory + batch.bytes, shape, bodyBytes, delta, batch.records), bytes);

    handle_ = handle;
    index_ = batch.records++;
    batch.bytes += recordSize;
    batch.largestRecord = std::max(batch.largestRecord, recordSize);
    batch.maxTimestampMs = std::max(batch.maxTimestampMs, shape.timestampMs);
    if (isSticky) topic_->producedBytes += recordSize;
    return true;
  }

  // Writes up to `count` records more that are as long as the last one, which went to the sticky partition,
  // into its batch, as long as nothing has to change for them. Their bytes stand at `bytes`, which are
  // `left`, and their time is that of the last one. Answers how many it was; `extend` may take one more.
  // `kHasHeaders` is false where no record of the run has headers: their words are not read.
  template <bool kHasHeaders>
  int32_t extendAlike(int64_t timestampMs, const int32_t* words, int32_t count, const uint8_t* bytes,
                      int64_t left) {
    Batch& batch = batches_[handle_];
    if (MILLRACE_UNLIKELY(openBatch_[sticky_] != handle_ || payloadBytes_ > payloadBytesMax_)) return 0;
    const auto byteCount = static_cast<int64_t>(keyCount_ + valueCount_ + (kHasHeaders ? headerCount_ : 0));
    const int64_t delta = timestampDelta(timestampMs, batch.baseTimestampMs);
    const RecordShape shape{timestampMs, keyBytes_, valueBytes_,
                            kHasHeaders ? static_cast<int32_t>(headerCount_) : 0};
    const int64_t stickyBytes = stickyEndBytes_ - 1 - topic_->producedBytes;
    const int64_t roomBytes = std::min(Appender::roomIn(batch), stickyBytes);
    uint8_t* const start = batch.memory + batch.bytes;
    uint8_t* to = start;
    int32_t records = 0;
    uint32_t recordSize = 0;
    for (; records < count; records++, words += run_layout::kWords, bytes += byteCount, left -= byteCount) {
      const bool isAlike = words[run_layout::kKeyBytes] == keyBytes_ &&
                           words[run_layout::kValueBytes] == valueBytes_ &&
                           (!kHasHeaders || words[run_layout::kHeaderBytes] == shape.headerBytes);
      if (!isAlike || byteCount > left) break;
      const int32_t index = batch.records + records;
      const int64_t bodyBytes = recordBodyBytes(payloadBytes_, delta, index);
      if (to - start + recordBytes(bodyBytes) > roomBytes) break;
      recordSize = static_cast<uint32_t>(recordBytes(bodyBytes));
      const RecordTargets targets = writeRecordFrame(to, shape, bodyBytes, delta, index);
      copyTo<kHasHeaders>(targets, bytes);
      to = targets.end;
    }
    index_ += records;
    batch.records += records;
    batch.bytes += static_cast<uint32_t>(to - start);
    batch.largestRecord = std::max(batch.largestRecord, recordSize);
    topic_->producedBytes += to - start;
    return records;
  }

  // The long way, for what `extend` has not taken.
  AppendStatus append(int32_t partition, const uint8_t* bytes, const RecordShape& shape) {
    Reservation reservation;
    const AppendStatus status = appender_.reserve(topicHandle_, partition, bytes, shape, &reservation);
    sizeBytes_ = reservation.sizeBytes;
    if (status != AppendStatus::Ok) return status;
    measure(shape);
    copyTo(reservation.targets, bytes);
    appender_.commit();
    handle_ = reservation.batch;
    index_ = reservation.index;
    refresh();
    return status;
  }

  // Of the last record written.
  Batch& batch() { return batches_[handle_]; }
  int32_t handle() const { return handle_; }
  int32_t index() const { return index_; }
  // Whether all keys and all values so far are of one size, those that were not taken included.
  bool isUniform() const { return sizes_ <= 1; }
  bool hasNoKey() const { return keyBytes_ < 0; }
  // Of the last answer of `append`, as Reservation has it.
  int64_t sizeBytes() const { return sizeBytes_; }

 private:
  MILLRACE_INLINE int32_t partitionOfKey(const uint8_t* key, int32_t keyBytes) const {
    const uint32_t hash = toPositive(murmur2(key, static_cast<size_t>(keyBytes)));
    return static_cast<int32_t>(hash % partitionCount_);
  }

  // Most records of a run are as long as the one before.
  MILLRACE_INLINE void measure(const RecordShape& shape) {
    const auto headerCount = static_cast<size_t>(shape.headerBytes);
    const bool isAlike = shape.keyBytes == keyBytes_ && shape.valueBytes == valueBytes_;
    if (isAlike && headerCount == headerCount_) return;
    if (!isAlike) sizes_++;
    keyBytes_ = shape.keyBytes;
    valueBytes_ = shape.valueBytes;
    keyCount_ = keyBytes_ > 0 ? static_cast<size_t>(keyBytes_) : 0;
    valueCount_ = valueBytes_ > 0 ? static_cast<size_t>(valueBytes_) : 0;
    headerCount_ = headerCount;
    payloadBytes_ = shape.payloadBytes();
  }

  // Key, value and headers to their places in a record whose frame is written.
  template <bool kHasHeaders = true>
  MILLRACE_INLINE void copyTo(const RecordTargets& targets, const uint8_t* bytes) const {
    copyBytes(targets.key, bytes, keyCount_);
    copyBytes(targets.value, bytes + keyCount_, valueCount_);
    if (kHasHeaders && headerCount_ > 0)
      copyBytes(targets.headers, bytes + keyCount_ + valueCount_, headerCount_);
  }

  // A new batch may have moved the pool's table.
  void refresh() {
    topic_ = &appender_.topics_[static_cast<size_t>(topicHandle_)];
    openBatch_ = topic_->openBatch.data();
    sticky_ = topic_->sticky;
    partitionCount_ = static_cast<uint32_t>(topic_->partitionCount);
    batches_ = &appender_.pool_.at(0);
    stickyEndBytes_ = 2 * topic_->stickyLimitBytes;
    // A closed appender takes nothing, and an offer of memory is for the next reservation.
    const bool isPlain = !appender_.closed_ && appender_.offerMemory_ == nullptr;
    payloadBytesMax_ = isPlain ? appender_.surePayloadBytes_ : -1;
  }

  Appender& appender_;
  int32_t topicHandle_ = -1;
  Appender::Topic* topic_ = nullptr;
  const int32_t* openBatch_ = nullptr;
  Batch* batches_ = nullptr;
  int32_t sticky_ = -1;
  uint32_t partitionCount_ = 0;
  int64_t stickyEndBytes_ = 0;
  int64_t payloadBytesMax_ = -1;
  int32_t keyBytes_ = -2;
  int32_t valueBytes_ = -2;
  int32_t sizes_ = 0;  // how often a key or value was not as long as the one before
  size_t keyCount_ = 0;
  size_t valueCount_ = 0;
  size_t headerCount_ = 0;
  int64_t payloadBytes_ = 0;
  int32_t handle_ = kNoBatch;
  int32_t index_ = -1;
  int64_t sizeBytes_ = 0;
};

}  // namespace millrace
