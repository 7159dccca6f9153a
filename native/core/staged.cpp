#include "staged.h"

#include <cstring>

#include "bytes.h"

namespace millrace {
namespace {

int64_t lengthOf(int32_t bytesOrNull) {
  return bytesOrNull > 0 ? bytesOrNull : 0;
}

const char* lengthFault(const int32_t* words, const StagingArea& area, int64_t bytes) {
  using namespace staged_layout;
  if (words[kKeyBytes] < -1) return "the key's length is below -1";
  if (words[kValueBytes] < -1) return "the value's length is below -1";
  if (words[kHeaderBytes] < 0) return "the headers' length is negative";
  if (words[kOffset] < 0 || words[kOffset] + bytes > area.byteCount)
    return "its bytes are not in the staging area";
  return nullptr;
}

// The number of the record's batch among those touched, which it joins with its first record.
MILLRACE_INLINE int32_t touch(Batch& batch, const Reservation& reservation, const StagingArea& area,
                              int32_t first, DrainResult* result) {
  using namespace touched_layout;
  int32_t* entry = area.touched + static_cast<size_t>(batch.touch) * kWords;
  if (MILLRACE_UNLIKELY(batch.touch >= result->touched || entry[kBatch] != reservation.batch)) {
    batch.touch = result->touched++;
    entry = area.touched + static_cast<size_t>(batch.touch) * kWords;
    entry[kBatch] = reservation.batch;
    entry[kFirstIndex] = reservation.index;
    entry[kRecords] = 0;
    entry[kFirstRecord] = first + result->processed;
  }
  entry[kRecords]++;
  return batch.touch;
}

}  // namespace

DrainResult drainStaged(Appender& appender, const StagingArea& area, int32_t first, int32_t count,
                        int32_t touchBase) {
  using namespace staged_layout;
  MILLRACE_ASSERT(first >= 0 && count >= 0 && count <= area.capacity - first,
                  "more staged records than descriptors");
  DrainResult result{0, AppendStatus::Ok, 0, nullptr, 0};
  for (; result.processed < count; result.processed++) {
    int32_t* words = area.descriptors + static_cast<size_t>(first + result.processed) * kWords;
    const int64_t keyBytes = lengthOf(words[kKeyBytes]);
    const int64_t valueBytes = lengthOf(words[kValueBytes]);
    const int64_t headerBytes = lengthOf(words[kHeaderBytes]);
    double timestampMs;
    std::memcpy(&timestampMs, words + kTimestamp, sizeof timestampMs);

    result.fault = lengthFault(words, area, keyBytes + valueBytes + headerBytes);
    if (result.fault == nullptr) {
      result.fault = appender.faultOf(words[kTopic], words[kPartition], words[kKeyBytes] >= 0);
    }
    if (result.fault == nullptr && !isTimestamp(timestampMs)) result.fault = "the timestamp is not an int64";
    if (MILLRACE_UNLIKELY(result.fault != nullptr)) return result;

    const uint8_t* bytes = area.bytes + words[kOffset];
    const RecordShape shape{static_cast<int64_t>(timestampMs), words[kKeyBytes], words[kValueBytes],
                            words[kHeaderBytes]};
    Reservation reservation;
    result.status = appender.reserve(words[kTopic], words[kPartition], bytes, shape, &reservation);
    if (result.status != AppendStatus::Ok) {
      result.sizeBytes = reservation.sizeBytes;
      return result;
    }
    copyBytes(reservation.targets.key, bytes, static_cast<size_t>(keyBytes));
    copyBytes(reservation.targets.value, bytes + keyBytes, static_cast<size_t>(valueBytes));
    copyBytes(reservation.targets.headers, bytes + keyBytes + valueBytes, static_cast<size_t>(headerBytes));
    appender.commit();
    words[kPartition] = reservation.partition;
    int32_t* place = area.places + static_cast<size_t>(first + result.processed) * place_layout::kWords;
    place[place_layout::kTouch] =
        touchBase + touch(appender.pool().at(reservation.batch), reservation, area, first, &result);
    place[place_layout::kIndex] = reservation.index;
    place[place_layout::kKeyBytes] = shape.keyBytes;
    place[place_layout::kValueBytes] = shape.valueBytes;
  }
  return result;
}

}  // namespace millrace
