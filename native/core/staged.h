// The staged way in: records described by eight int32 words each, their bytes in a staging area. Both areas
// are written by JavaScript; nothing in them is trusted. The layout is `Staged` in src/native/addon.ts.
#pragma once

#include <cstdint>

#include "appender.h"

namespace millrace {

namespace staged_layout {
constexpr int32_t kWords = 8;
constexpr int32_t kTopic = 0;
constexpr int32_t kPartition = 1;
constexpr int32_t kKeyBytes = 2;
constexpr int32_t kValueBytes = 3;
constexpr int32_t kTimestamp = 4;  // float64 over two words
constexpr int32_t kOffset = 6;
constexpr int32_t kHeaderBytes = 7;
}  // namespace staged_layout

// Where each appended record went: its batch as a number, from `touchBase` on, of the batches touched.
namespace place_layout {
constexpr int32_t kWords = 4;
constexpr int32_t kTouch = 0;
constexpr int32_t kIndex = 1;
constexpr int32_t kKeyBytes = 2;
constexpr int32_t kValueBytes = 3;
}  // namespace place_layout

// The batches that one call has appended to, in the order of their first records.
namespace touched_layout {
constexpr int32_t kWords = 4;
constexpr int32_t kBatch = 0;
constexpr int32_t kFirstIndex = 1;   // of the first record in its batch: 0 if the batch is new
constexpr int32_t kRecords = 2;      // appended by this call
constexpr int32_t kFirstRecord = 3;  // position of the first record in the staging
}  // namespace touched_layout

struct StagingArea {
  int32_t* descriptors;
  int32_t capacity;  // records
  const uint8_t* bytes;
  int64_t byteCount;
  int32_t* places;   // as many as there are descriptors
  int32_t* touched;  // as many as there are descriptors
};

struct DrainResult {
  int32_t processed;
  AppendStatus status;  // concerns the record after the last processed
  int64_t sizeBytes;    // of NeedsLarge and TooLarge
  const char* fault;    // what is wrong with that record's descriptor, or null
  int32_t touched;      // batches
};

// Appends `count` records from `first` on, in order. Puts in the partitions of those it has appended, tells
// their places, and lists the batches touched.
DrainResult drainStaged(Appender& appender, const StagingArea& area, int32_t first, int32_t count,
                        int32_t touchBase);

// Whether a JavaScript number can be an int64 of milliseconds.
inline bool isTimestamp(double timestampMs) {
  return timestampMs >= -9223372036854775808.0 && timestampMs < 9223372036854775808.0;
}

}  // namespace millrace
