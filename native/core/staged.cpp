#include "staged.h"

#include <cstring>

#include "bytes.h"
#include "record_writer.h"

namespace millrace {
namespace {

int64_t lengthOf(int32_t bytesOrNull) {
  return bytesOrNull > 0 ? bytesOrNull : 0;
}

constexpr char kBadKey[] = "the key's length is below -1";
constexpr char kBadValue[] = "the value's length is below -1";
constexpr char kBadHeaders[] = "the headers' length is negative";
constexpr char kNotStaged[] = "its bytes are not in the staging area";
constexpr char kNoTimestamp[] = "the timestamp is not an int64";
constexpr char kElsewhere[] = "it would not go to the place promised for it";

const char* placeFault(const Appender& appender, int32_t topic, int32_t partition, bool hasKey,
                       double timestampMs) {
  const char* fault = appender.faultOf(topic, partition, hasKey);
  return fault == nullptr && !isTimestamp(timestampMs) ? kNoTimestamp : fault;
}

const char* recordFault(const Appender& appender, const int32_t* words, const StagingArea& area,
                        double timestampMs) {
  using namespace staged_layout;
  if (words[kKeyBytes] < -1) return kBadKey;
  if (words[kValueBytes] < -1) return kBadValue;
  if (words[kHeaderBytes] < 0) return kBadHeaders;
  const int64_t bytes = lengthOf(words[kKeyBytes]) + lengthOf(words[kValueBytes]) + words[kHeaderBytes];
  if (words[kOffset] < 0 || words[kOffset] + bytes > area.byteCount) return kNotStaged;
  return placeFault(appender, words[kTopic], words[kPartition], words[kKeyBytes] >= 0, timestampMs);
}

const char* runFault(const Appender& appender, int32_t topic, int32_t partition, double timestampMs) {
  if (partition != kPartitionByKey && partition != kPartitionSticky)
    return "a run has no partition of its own";
  return placeFault(appender, topic, partition, true, timestampMs);
}

// The number of a batch among those touched, which it joins with the first of the records at `index`.
MILLRACE_INLINE int32_t touch(Batch& batch, int32_t handle, int32_t index, int32_t records, int32_t* touched,
                              int32_t* count) {
  using namespace touched_layout;
  int32_t* entry = touched + static_cast<size_t>(batch.touch) * kWords;
  if (MILLRACE_UNLIKELY(batch.touch >= *count || entry[kBatch] != handle)) {
    batch.touch = (*count)++;
    entry = touched + static_cast<size_t>(batch.touch) * kWords;
    entry[kBatch] = handle;
    entry[kFirstIndex] = index;
    entry[kRecords] = 0;
    entry[kTopic] = batch.topic;
    entry[kPartition] = batch.partition;
  }
  entry[kRecords] += records;
  return batch.touch;
}

MILLRACE_INLINE void tellPlace(int32_t* place, int32_t touch, int32_t index, int32_t keyBytes,
                               int32_t valueBytes) {
  using namespace place_layout;
  place[kTouch] = touch;
  place[kIndex] = index;
  place[kKeyBytes] = keyBytes;
  place[kValueBytes] = valueBytes;
}

}  // namespace

DrainResult drainStaged(Appender& appender, const StagingArea& area, int32_t first, int32_t count,
                        int32_t touchBase) {
  using namespace staged_layout;
  MILLRACE_ASSERT(first >= 0 && count >= 0 && count <= area.capacity - first,
                  "more staged records than descriptors");
  DrainResult result{0, AppendStatus::Ok, 0, nullptr, 0, 0, false};
  RecordWriter writer(appender);
  for (; result.processed < count; result.processed++) {
    const int32_t* words = area.descriptors + static_cast<size_t>(first + result.processed) * kWords;
    double timestampMs;
    std::memcpy(&timestampMs, words + kTimestamp, sizeof timestampMs);
    result.fault = recordFault(appender, words, area, timestampMs);
    if (MILLRACE_UNLIKELY(result.fault != nullptr)) return result;

    writer.select(words[kTopic]);
    const int32_t partition = words[kPartition];
    const uint8_t* bytes = area.bytes + words[kOffset];
    const RecordShape shape{static_cast<int64_t>(timestampMs), words[kKeyBytes], words[kValueBytes],
                            words[kHeaderBytes]};
    const bool isPromised = words[kBatch] != kNoBatch;
    const bool isWritten = isPromised
                               ? writer.extend<true>(partition, bytes, shape, words[kBatch], words[kIndex])
                               : writer.extend(partition, bytes, shape);
    if (!isWritten) {
      if (isPromised && !writer.isNext(partition, bytes, shape, words[kBatch], words[kIndex])) {
        result.fault = kElsewhere;
        return result;
      }
      result.status = writer.append(partition, bytes, shape);
      if (result.status != AppendStatus::Ok) {
        result.sizeBytes = writer.sizeBytes();
        return result;
      }
    }
    const int32_t touched =
        touch(writer.batch(), writer.handle(), writer.index(), 1, area.touched, &result.touched);
    tellPlace(area.places + static_cast<size_t>(first + result.processed) * place_layout::kWords,
              touchBase + touched, writer.index(), shape.keyBytes, shape.valueBytes);
  }
  return result;
}

namespace {

// All of a run but its descriptor, which is sound. `kHasHeaders` is false where no record has any.
template <bool kHasHeaders>
void writeRun(RecordWriter& writer, const StagingArea& area, int32_t first, int32_t count, int32_t touchBase,
              int64_t timeMs, DrainResult* result) {
  using namespace run_layout;
  const int32_t keyedPartition = area.descriptors[staged_layout::kPartition];
  const int32_t* words = area.descriptors + kFirst + static_cast<size_t>(first) * kWords;
  int32_t* place = area.places + static_cast<size_t>(first) * place_layout::kWords;
  int64_t left = area.byteCount - result->position;
  const uint8_t* bytes = area.bytes + result->position;
  while (result->processed < count) {
    const int32_t keyBytes = words[kKeyBytes];
    const int32_t valueBytes = words[kValueBytes];
    const int32_t headerBytes = kHasHeaders ? words[kHeaderBytes] : 0;
    const int64_t byteCount = lengthOf(keyBytes) + lengthOf(valueBytes) + headerBytes;
    if (MILLRACE_UNLIKELY(keyBytes < -1 || valueBytes < -1 || headerBytes < 0 || byteCount > left)) {
      result->fault = keyBytes < -1     ? kBadKey
                      : valueBytes < -1 ? kBadValue
                      : headerBytes < 0 ? kBadHeaders
                                        : kNotStaged;
      break;
    }
    const int32_t partition = keyBytes < 0 ? kPartitionSticky : keyedPartition;
    const RecordShape shape{timeMs, keyBytes, valueBytes, headerBytes};
    if (MILLRACE_UNLIKELY(!writer.extend(partition, bytes, shape))) {
      result->status = writer.append(partition, bytes, shape);
      if (result->status != AppendStatus::Ok) {
        result->sizeBytes = writer.sizeBytes();
        break;
      }
    }
    const int32_t index = writer.index();
    int32_t records = 1;
    if (partition == kPartitionSticky) {
      records += writer.extendAlike<kHasHeaders>(timeMs, words + kWords, count - result->processed - 1,
                                                 bytes + byteCount, left - byteCount);
    }
    const int32_t touched =
        touch(writer.batch(), writer.handle(), index, records, area.touched, &result->touched);
    for (int32_t i = 0; i < records; i++, place += place_layout::kWords)
      tellPlace(place, touchBase + touched, index + i, keyBytes, valueBytes);
    bytes += records * byteCount;
    left -= records * byteCount;
    words += records * kWords;
    result->processed += records;
  }
  result->position = area.byteCount - left;
  result->consecutive = writer.isUniform() && (writer.hasNoKey() || keyedPartition == kPartitionSticky);
}

}  // namespace

DrainResult drainRun(Appender& appender, const StagingArea& area, int32_t first, int32_t count,
                     int64_t position, int32_t touchBase) {
  MILLRACE_ASSERT(first >= 0 && count >= 0 && count <= runCapacity(area) - first,
                  "more staged records than descriptors");
  DrainResult result{0, AppendStatus::Ok, 0, nullptr, 0, position, false};
  if (count == 0) return result;
  double timestampMs;
  std::memcpy(&timestampMs, area.descriptors + staged_layout::kTimestamp, sizeof timestampMs);
  const int32_t topic = area.descriptors[staged_layout::kTopic];
  result.fault = runFault(appender, topic, area.descriptors[staged_layout::kPartition], timestampMs);
  if (result.fault == nullptr && (position < 0 || position > area.byteCount)) result.fault = kNotStaged;
  if (result.fault != nullptr) return result;

  RecordWriter writer(appender);
  writer.select(topic);
  const auto write = area.descriptors[staged_layout::kHeaderBytes] == 0 ? writeRun<false> : writeRun<true>;
  write(writer, area, first, count, touchBase, static_cast<int64_t>(timestampMs), &result);
  return result;
}

}  // namespace millrace
