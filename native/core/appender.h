// Puts records into the open batch of their partition in final wire form.
//
// An append is `reserve`, which chooses partition and batch and writes the record's frame, then the caller's
// copy of key, value and headers into the targets, then `commit`. Nothing else may be called in between but
// `cancel`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "abi.h"
#include "check.h"
#include "record_batch.h"
#include "slab_pool.h"

namespace millrace {

struct Reservation {
  int32_t batch = kNoBatch;
  int32_t partition = -1;
  int32_t index = -1;
  // Of NeedsLarge: exact size of the batch. Of TooLarge: the upper bound that isTooLarge gives.
  int64_t sizeBytes = 0;
  RecordTargets targets{};
};

class Appender {
 public:
  struct Options {
    SlabPool::Options pool;
    uint32_t batchLimitBytes;
    uint32_t recordLimitBytes;
  };

  explicit Appender(const Options& options);

  // Makes a topic known or changes its partition count; open batches stay. A topic made anew may have fewer
  // partitions: nothing is chosen for the others any more, but what names one of them goes there.
  void setTopic(int32_t topic, int32_t partitionCount);
  // How large the next batches of a topic may become. Less than `batchLimitBytes` counts as that, more than
  // the pool or `recordLimitBytes` allow as what they allow. Open batches keep their limit.
  void setBatchLimit(int32_t topic, int64_t limitBytes);
  // Makes a partition the topic's sticky one and begins to count the bytes produced to it.
  void setSticky(int32_t topic, int32_t partition);
  int32_t partitionCount(int64_t topic) const {
    return topic >= 0 && topic < static_cast<int64_t>(topics_.size())
               ? topics_[static_cast<size_t>(topic)].partitionCount
               : 0;
  }

  // What is wrong with an address, or null. `reserve` needs one without fault.
  const char* faultOf(int32_t topic, int32_t partition, bool hasKey) const {
    const int32_t count = partitionCount(topic);
    if (MILLRACE_UNLIKELY(count == 0)) return "the topic is not known";
    if (partition == kPartitionByKey) return hasKey ? nullptr : "a partition by key needs a key";
    if (partition == kPartitionSticky) return nullptr;
    const auto everHad = static_cast<int32_t>(topics_[static_cast<size_t>(topic)].openBatch.size());
    return partition >= 0 && partition < everHad ? nullptr : "the partition does not exist";
  }

  // Whether a record alone exceeds the record limit or the budget; `upperBound` is Java's
  // estimateSizeInBytesUpperBound of its batch.
  bool isTooLarge(const RecordShape& shape, int64_t* upperBound) const;

  // `key` is read for kPartitionByKey only. Unless Ok, nothing has changed but that a batch may be sealed.
  AppendStatus reserve(int32_t topic, int32_t partition, const uint8_t* key, const RecordShape& shape,
                       Reservation* reservation);
  void commit();
  void cancel();

  // Memory for a large batch. The next reserve takes it or, not needing it, drops it.
  void offerLarge(uint8_t* memory, uint32_t memoryBytes);
  // The batch that took the last offer, or kNoBatch: then the memory is not used and may go.
  int32_t offerTakenBy() const { return offerTakenBy_; }

  // As many bytes of records as the batch takes before it is closed, or the sticky choice may change where it
  // is the sticky partition's: 0 if it is not open.
  int32_t roomOf(int32_t batch) const;

  void seal(int32_t batch);
  bool settle(int32_t batch);
  void close() { closed_ = true; }
  bool closed() const { return closed_; }

  uint32_t finish(int32_t batch, int64_t producerId, int16_t producerEpoch, int32_t baseSequence,
                  int16_t attributes);
  bool replaceRecords(int32_t batch, const uint8_t* compressed, size_t compressedBytes);

  SlabPool& pool() { return pool_; }
  const SlabPool& pool() const { return pool_; }

 private:
  friend class RecordWriter;

  struct Topic {
    int32_t partitionCount = 0;
    int32_t sticky = -1;
    uint32_t batchLimitBytes = 0;    // of its next batches
    int64_t stickyLimitBytes = 0;    // batchLimitBytes as it was when the sticky partition was chosen
    int64_t producedBytes = 0;       // to the sticky partition
    std::vector<int32_t> openBatch;  // by partition, gone ones included; kNoBatch if none
  };

  // The record between reserve and commit.
  struct Pending {
    int32_t batch = kNoBatch;
    uint32_t bytes = 0;
    int64_t timestampMs = 0;
    bool sticky = false;
  };

  // Bytes of records that a batch takes as it is.
  static int64_t roomIn(const Batch& batch) {
    return int64_t{std::min(batch.limitBytes, batch.capacityBytes)} - batch.bytes;
  }
  bool stickyIsDone(const Topic& topic) const;
  AppendStatus place(Topic& topic, int32_t topicHandle, const RecordShape& shape, Reservation* reservation);
  AppendStatus openBatch(Topic& topic, int32_t topicHandle, int64_t batchBytes, Reservation* reservation);
  void writeFrame(const RecordShape& shape, int64_t bodyBytes, int64_t delta, Reservation* reservation);

  SlabPool pool_;
  int64_t limitBytes_;
  int64_t limitBytesMax_;  // of any topic
  int64_t recordLimitBytes_;
  int64_t budgetBytes_;
  int64_t surePayloadBytes_;  // a payload up to this is never too large
  std::vector<Topic> topics_;
  Pending pending_;
  uint8_t* offerMemory_ = nullptr;
  uint32_t offerBytes_ = 0;
  int32_t offerTakenBy_ = kNoBatch;
  bool closed_ = false;
};

}  // namespace millrace
