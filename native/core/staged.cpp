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

}  // namespace

DrainResult drainStaged(Appender& appender, const StagingArea& area, int32_t first, int32_t count) {
  using namespace staged_layout;
  MILLRACE_ASSERT(first >= 0 && count >= 0 && count <= area.capacity - first,
                  "more staged records than descriptors");
  DrainResult result{0, AppendStatus::Ok, 0, nullptr};
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
    words[kIndex] = reservation.index;
    words[kBatch] = reservation.batch;
  }
  return result;
}

}  // namespace millrace
