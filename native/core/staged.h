// The staged way in: records described by int32 words, their bytes in a staging area. Both areas are written
// by JavaScript; nothing in them is trusted. A record has ten words of its own, or, in a run, three behind
// the words that all records of the run share. The layouts are in abi.h.
#pragma once

#include <cstdint>

#include "abi.h"
#include "appender.h"

namespace millrace {

struct StagingArea {
  const int32_t* descriptors;
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
  int64_t position;     // of a run: where the bytes begin that have not been appended
  bool consecutive;     // of a run: all of one size and to the sticky partition, so one after another
};

// Appends `count` records from `first` on, in order. Tells their places, and lists the batches touched. A
// record that would not go to the place promised for it is a fault, and is not written.
DrainResult drainStaged(Appender& appender, const StagingArea& area, int32_t first, int32_t count,
                        int32_t touchBase);

// The records of a run that fit the descriptors and have places.
inline int32_t runCapacity(const StagingArea& area) {
  const int64_t words = (int64_t{area.capacity} - 1) * staged_layout::kWords;
  const int64_t records = words / run_layout::kWords;
  return records < area.capacity ? static_cast<int32_t>(records) : area.capacity;
}

// As drainStaged, for the records of a run; `position` is where the bytes of `first` begin. The shared
// partition is that of records with a key: by key, or the sticky one, to which all others go.
DrainResult drainRun(Appender& appender, const StagingArea& area, int32_t first, int32_t count,
                     int64_t position, int32_t touchBase);

// Whether a JavaScript number can be an int64 of milliseconds.
inline bool isTimestamp(double timestampMs) {
  return timestampMs >= -9223372036854775808.0 && timestampMs < 9223372036854775808.0;
}

}  // namespace millrace
