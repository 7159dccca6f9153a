// The calls paid per record, or per 256 of them: raw Node-API, nothing allocated.
#include <cstdio>
#include <cstring>
#include <limits>

#include "../core/bytes.h"
#include "arguments.h"
#include "core_state.h"

namespace millrace {
namespace {

// Both are above what one cluster has; their tables are made at once.
constexpr int32_t kTopicsMax = 1 << 20;
constexpr int32_t kPartitionsMax = 1 << 20;

// Encodes a string of known length in its place. Node-API ends it with a zero byte, which falls on the byte
// after it: the next length or count of the same record, already written, and so put back.
bool encodeInPlace(napi_env env, const CallerBytes& bytes, uint8_t* to) {
  uint8_t& after = to[bytes.count];
  const uint8_t saved = after;
  size_t written = 0;
  const napi_status status =
      napi_get_value_string_utf8(env, bytes.string, reinterpret_cast<char*>(to), bytes.count + 1, &written);
  after = saved;
  return status == napi_ok && written == bytes.count;
}

bool place(napi_env env, const CallerBytes& bytes, uint8_t* to) {
  if (bytes.isLongString()) return encodeInPlace(env, bytes, to);
  copyBytes(to, bytes.data, bytes.count);
  return true;
}

// -1 for null. What is too long for an int32 is over every record limit, and stays so when cut.
int32_t lengthOf(const CallerBytes& bytes) {
  if (bytes.kind == BytesKind::Null) return -1;
  constexpr size_t largest = std::numeric_limits<int32_t>::max();
  return static_cast<int32_t>(bytes.count < largest ? bytes.count : largest);
}

bool isUsable(const CallerBytes& bytes, AppendStatus* status) {
  if (bytes.kind == BytesKind::Detached) *status = AppendStatus::Detached;
  if (bytes.kind == BytesKind::BadType) *status = AppendStatus::BadType;
  return bytes.kind != BytesKind::Detached && bytes.kind != BytesKind::BadType;
}

struct AppendCall {
  int32_t topic;
  int32_t partition;
  double timestampMs;
  int32_t headerBytes;
  CallerBytes key;
  CallerBytes value;
};

bool readAppendCall(napi_env env, const napi_value* arguments, CoreState* state, AppendCall* call) {
  if (!readInt32(env, arguments[0], "topic", &call->topic)) return false;
  if (!readInt32(env, arguments[1], "partition", &call->partition)) return false;
  if (!readDouble(env, arguments[2], "timestampMs", &call->timestampMs)) return false;
  if (!readInt32(env, arguments[5], "headerBytes", &call->headerBytes)) return false;
  // After the numbers: a runtime that converts an argument to a number may run code, which may detach a
  // buffer.
  if (!readBytes(env, arguments[3], state->keyGuess, {state->keyScratch, kScratchBytes}, &call->key))
    return false;
  if (!readBytes(env, arguments[4], state->valueGuess, {state->valueScratch, kScratchBytes}, &call->value)) {
    return false;
  }
  state->keyGuess = call->key.kind;
  state->valueGuess = call->value.kind;
  const char* fault =
      state->appender.faultOf(call->topic, call->partition, call->key.kind != BytesKind::Null);
  if (!isTimestamp(call->timestampMs)) fault = "the timestamp is not an int64";
  if (call->headerBytes < 0 || call->headerBytes > state->staging.byteCount) {
    fault = "the headers are not in the staging area";
  }
  if (fault != nullptr) throwRangeError(env, fault);
  return fault == nullptr;
}

// Writes the record and the result words; false if a string could not be encoded, with nothing appended.
bool appendRecord(napi_env env, CoreState* state, const AppendCall& call, AppendStatus* status) {
  const RecordShape shape{static_cast<int64_t>(call.timestampMs), lengthOf(call.key), lengthOf(call.value),
                          call.headerBytes};
  Reservation reservation;
  std::vector<uint8_t> longKey;
  CallerBytes key = call.key;
  if (call.partition == kPartitionByKey && key.isLongString()) {
    // Not encoded when it is of no use: it may be half a gigabyte.
    if (state->appender.isTooLarge(shape, &reservation.sizeBytes)) {
      *status = AppendStatus::TooLarge;
      storeSize(state, reservation.sizeBytes);
      return true;
    }
    longKey.resize(key.count + 1);
    if (!encodeInPlace(env, key, longKey.data())) return false;
    key.data = longKey.data();
  }
  *status = state->appender.reserve(call.topic, call.partition, key.data, shape, &reservation);
  if (*status != AppendStatus::Ok) {
    storeSize(state, reservation.sizeBytes);
    return true;
  }
  if (!place(env, key, reservation.targets.key) || !place(env, call.value, reservation.targets.value)) {
    state->appender.cancel();
    return false;
  }
  copyBytes(reservation.targets.headers, state->staging.bytes, static_cast<size_t>(call.headerBytes));
  state->appender.commit();
  state->result[result_layout::kBatch] = reservation.batch;
  state->result[result_layout::kIndex] = reservation.index;
  state->result[result_layout::kPartition] = reservation.partition;
  state->result[result_layout::kKeyBytes] = shape.keyBytes;
  state->result[result_layout::kValueBytes] = shape.valueBytes;
  return true;
}

struct DrainCall {
  int32_t first;
  int32_t count;
  int32_t touchBase;
};

// The arguments that both drains have; `capacity` is how many records the descriptors hold.
bool readDrainCall(napi_env env, const napi_value* arguments, const StagingArea& staging, int32_t capacity,
                   DrainCall* call) {
  if (!readInt32(env, arguments[0], "first", &call->first)) return false;
  if (!readInt32(env, arguments[1], "count", &call->count)) return false;
  if (!readInt32(env, arguments[2], "touchBase", &call->touchBase)) return false;
  const char* fault = nullptr;
  if (call->touchBase < 0 || call->touchBase > std::numeric_limits<int32_t>::max() - staging.capacity)
    fault = "touchBase is no number of a batch";
  else if (call->first < 0 || call->count < 0 || call->first > capacity ||
           call->count > capacity - call->first)
    fault = "first and count are beyond the staged descriptors";
  if (fault != nullptr) throwRangeError(env, fault);
  return fault == nullptr;
}

napi_value answerDrain(napi_env env, CoreState* state, int32_t first, const DrainResult& drained) {
  if (state->offer != nullptr) settleOffer(env, state);
  if (drained.fault != nullptr) {
    char message[160];
    std::snprintf(message, sizeof message, "staged record %d: %s", first + drained.processed, drained.fault);
    return throwRangeError(env, message);
  }
  storeSize(state, drained.sizeBytes);
  state->result[result_layout::kTouched] = drained.touched;
  constexpr int32_t unit = 1 << kDrainStatusBits;
  return makeInt32(env, drained.processed * unit + static_cast<int32_t>(drained.status));
}

}  // namespace

napi_value append(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  CoreState* state;
  AppendCall call;
  if (!readCall(env, info, 6, arguments, &state) || !readAppendCall(env, arguments, state, &call))
    return nullptr;
  AppendStatus status = AppendStatus::Ok;
  if (state->appender.closed()) {
    status = AppendStatus::Closed;
  } else if (isUsable(call.key, &status) && isUsable(call.value, &status)) {
    const bool encoded = appendRecord(env, state, call, &status);
    if (state->offer != nullptr) settleOffer(env, state);
    if (!encoded) return throwError(env, kInternal, "the runtime could not encode a string as UTF-8");
  }
  return makeInt32(env, static_cast<int32_t>(status));
}

napi_value drainStaged(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  CoreState* state;
  DrainCall call;
  if (!readCall(env, info, 3, arguments, &state)) return nullptr;
  if (!readDrainCall(env, arguments, state->staging, state->staging.capacity, &call)) return nullptr;
  return answerDrain(env, state, call.first,
                     drainStaged(state->appender, state->staging, call.first, call.count, call.touchBase));
}

napi_value drainRun(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  CoreState* state;
  DrainCall call;
  int32_t position;
  if (!readCall(env, info, 4, arguments, &state)) return nullptr;
  if (!readDrainCall(env, arguments, state->staging, runCapacity(state->staging), &call)) return nullptr;
  if (!readInt32(env, arguments[3], "position", &position)) return nullptr;
  const DrainResult drained =
      drainRun(state->appender, state->staging, call.first, call.count, position, call.touchBase);
  state->result[result_layout::kPosition] = static_cast<int32_t>(drained.position);
  state->result[result_layout::kConsecutive] = drained.consecutive ? 1 : 0;
  return answerDrain(env, state, call.first, drained);
}

napi_value setTopic(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  CoreState* state;
  int32_t topic, partitionCount;
  if (!readCall(env, info, 2, arguments, &state)) return nullptr;
  if (!readInt32(env, arguments[0], "topic", &topic)) return nullptr;
  if (!readInt32(env, arguments[1], "partitionCount", &partitionCount)) return nullptr;
  if (topic < 0 || topic >= kTopicsMax)
    return throwRangeError(env, "topic must be a small handle: 0, 1, 2 ...");
  if (partitionCount < 1 || partitionCount > kPartitionsMax)
    return throwRangeError(env, "partitionCount must be at least 1, and no more than a cluster has");
  state->appender.setTopic(topic, partitionCount);
  return nullptr;
}

napi_value setBatchLimit(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  CoreState* state;
  int32_t topic, limitBytes;
  if (!readCall(env, info, 2, arguments, &state)) return nullptr;
  if (!readInt32(env, arguments[0], "topic", &topic)) return nullptr;
  if (!readInt32(env, arguments[1], "limitBytes", &limitBytes)) return nullptr;
  if (state->appender.partitionCount(topic) == 0) return throwRangeError(env, "the topic is not known");
  state->appender.setBatchLimit(topic, limitBytes);
  return nullptr;
}

napi_value setSticky(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  CoreState* state;
  int32_t topic, partition;
  if (!readCall(env, info, 2, arguments, &state)) return nullptr;
  if (!readInt32(env, arguments[0], "topic", &topic)) return nullptr;
  if (!readInt32(env, arguments[1], "partition", &partition)) return nullptr;
  const char* fault =
      partition < 0 ? "the partition does not exist" : state->appender.faultOf(topic, partition, true);
  if (fault != nullptr) return throwRangeError(env, fault);
  state->appender.setSticky(topic, partition);
  return nullptr;
}

napi_value provideLarge(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  CoreState* state;
  if (!readCall(env, info, 1, arguments, &state)) return nullptr;
  void* data = nullptr;
  size_t count = 0;
  if (!checkMemory(env, arguments[0])) return nullptr;
  if (napi_get_arraybuffer_info(env, arguments[0], &data, &count) != napi_ok) return nullptr;
  if (count <= kBatchHeaderBytes || count > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return throwRangeError(env, "memory holds no batch");
  }
  withdrawOffer(env, state);
  if (napi_create_reference(env, arguments[0], 1, &state->offer) != napi_ok) return nullptr;
  state->appender.offerLarge(static_cast<uint8_t*>(data), static_cast<uint32_t>(count));
  return nullptr;
}

napi_value close(napi_env env, napi_callback_info info) {
  CoreState* state;
  if (!readCall(env, info, 0, nullptr, &state)) return nullptr;
  state->appender.close();
  return nullptr;
}

}  // namespace millrace
