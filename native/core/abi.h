// What JavaScript and native code agree on: statuses, sentinels, and layouts of int32 words. The one list
// of it:
// src/native/abi.ts is made from this file (node scripts/abi.mjs), and a test compares them.
#pragma once

#include <cstdint>

namespace millrace {

// Answers of drainStaged and drainRun (why they stopped) and of append.
enum class AppendStatus : int32_t {
  Ok = 0,
  // No slab or budget left: nothing was written, wait until a batch is settled.
  NoMemory = 1,
  // KIP-794: the topic's sticky partition has had its share; call setSticky, then go on.
  ChoosePartition = 2,
  // The record is larger than a slab and the budget has room: call provideLarge with `result[SIZE]`
  // bytes, repeat.
  NeedsLarge = 3,
  // Over the record limit given at creation (max.request.size); `result[SIZE]` is its upper bound in bytes.
  TooLarge = 4,
  // The view's ArrayBuffer is detached.
  Detached = 5,
  // Key or value is neither string, Uint8Array nor null/undefined.
  BadType = 6,
  // `close` has been called.
  Closed = 7,
};

// Bits of the answer to a drain that hold its status; the others count the records it has written.
constexpr int32_t kDrainStatusBits = 3;
static_assert(static_cast<int32_t>(AppendStatus::Closed) < (1 << kDrainStatusBits),
              "a status must not run into the count of records beside it");

// Partition argument: by murmur2 of the key over all partitions of the topic (Java's `toPositive(hash) %
// n`).
constexpr int32_t kPartitionByKey = -1;
// Partition argument: the topic's sticky partition.
constexpr int32_t kPartitionSticky = -2;
// Of a staged record: no place is promised.
constexpr int32_t kNoBatch = -1;

// A staged record. Key, value and encoded headers stand one after the other in the staging bytes from
// OFFSET on.
namespace staged_layout {
constexpr int32_t kWords = 10;
constexpr int32_t kTopic = 0;
// A partition, PARTITION_BY_KEY or PARTITION_STICKY.
constexpr int32_t kPartition = 1;
// Bytes, or -1 for null.
constexpr int32_t kKeyBytes = 2;
// Bytes, or -1 for null.
constexpr int32_t kValueBytes = 3;
// A float64 over two words.
constexpr int32_t kTimestamp = 4;
// Position in the staging bytes.
constexpr int32_t kOffset = 6;
// Bytes of the encoded headers section; 0 for none, native code writes the zero count itself.
constexpr int32_t kHeaderBytes = 7;
// The place that JavaScript has promised: the handle of an open batch, or NO_BATCH. Native code writes
// the record there or refuses the call.
constexpr int32_t kBatch = 8;
// The index that the record has to get in it.
constexpr int32_t kIndex = 9;
}  // namespace staged_layout

// A run of records that share topic and time: one descriptor as above, of which TOPIC, TIMESTAMP, PARTITION
// and HEADER_BYTES count, then three words for each record. PARTITION is that of records with a key; those
// without go to the sticky one. HEADER_BYTES of the descriptor is 0 where no record has headers: the words
// of the records are not read then. Key, value and encoded headers stand one after the other in the staging
// bytes.
namespace run_layout {
constexpr int32_t kWords = 3;
// The first record's words.
constexpr int32_t kFirst = staged_layout::kWords;
// Bytes, or -1 for null.
constexpr int32_t kKeyBytes = 0;
// Bytes, or -1 for null.
constexpr int32_t kValueBytes = 1;
// As of a staged record. Read only where the descriptor says that some record has headers.
constexpr int32_t kHeaderBytes = 2;
}  // namespace run_layout

// Where a staged record went, written by native code.
namespace place_layout {
constexpr int32_t kWords = 4;
// Number of the record's batch among those touched by the call, counted from `touchBase`.
constexpr int32_t kTouch = 0;
// The record's index in its batch.
constexpr int32_t kIndex = 1;
constexpr int32_t kKeyBytes = 2;
constexpr int32_t kValueBytes = 3;
}  // namespace place_layout

// A batch that a call has appended staged records to, in the order of first records.
namespace touched_layout {
constexpr int32_t kWords = 5;
constexpr int32_t kBatch = 0;
// Index of the call's first record in the batch: 0 if the batch is new.
constexpr int32_t kFirstIndex = 1;
// Records the call has appended to it.
constexpr int32_t kRecords = 2;
constexpr int32_t kTopic = 3;
constexpr int32_t kPartition = 4;
}  // namespace touched_layout

// The shared result array, written by every append and by describe.
namespace result_layout {
constexpr int32_t kWords = 16;
constexpr int32_t kBatch = 0;
constexpr int32_t kIndex = 1;
constexpr int32_t kPartition = 2;
constexpr int32_t kKeyBytes = 3;
constexpr int32_t kValueBytes = 4;
// Upper bound of the record's batch size in bytes: NEEDS_LARGE, TOO_LARGE. Of describe: bytes so far.
constexpr int32_t kSize = 5;
// Batches that drainStaged or drainRun has appended to.
constexpr int32_t kTouched = 6;
// Of drainRun: where the bytes begin of the first record that it has not appended.
constexpr int32_t kPosition = 7;
// Of describe: bytes of records that an open batch takes before it is closed or another is chosen.
constexpr int32_t kRoom = 8;
// Of drainRun: 1 if all records it has appended are of one size and went to the sticky partition, so that
// they
// stand one after another in the touched batches, in the order of those; else 0.
constexpr int32_t kConsecutive = 9;
// Of describe and finish: bytes of the batch's largest record, its length field included.
constexpr int32_t kLargestRecord = 10;
}  // namespace result_layout

}  // namespace millrace
