// The calls paid per batch. A batch that does not exist or is in the wrong phase is a thrown Error, so that
// the core's own asserts, which end the process, are never reached from JavaScript.
#include <cstdio>
#include <functional>
#include <limits>

#include "../core/split.h"
#include "arguments.h"
#include "core_state.h"

namespace millrace {
namespace {

const char* phaseName(Phase phase) {
  switch (phase) {
    case Phase::Free:
      return "free";
    case Phase::Open:
      return "open";
    case Phase::Sealed:
      return "sealed";
    case Phase::Settled:
      return "settled";
  }
  return "unknown";
}

// Which batches a call may be made on.
struct Demand {
  const char* verb;
  bool open;
  bool sealed;
  bool settled;
  bool unpinned;  // nobody reads it
};

bool throwPhase(napi_env env, const Demand& demand, int32_t handle, const char* state) {
  char message[96];
  std::snprintf(message, sizeof message, "%s: batch %d is %s", demand.verb, handle, state);
  throwError(env, kIllegalState, message);
  return false;
}

bool readBatch(napi_env env, napi_value value, const CoreState* state, const Demand& demand,
               int32_t* handle) {
  if (!readInt32(env, value, "batch", handle)) return false;
  const SlabPool& pool = state->appender.pool();
  if (!pool.isBatch(*handle)) return throwPhase(env, demand, *handle, "free or does not exist");
  const Batch& batch = pool.at(*handle);
  const bool allowed = (batch.phase == Phase::Open && demand.open) ||
                       (batch.phase == Phase::Sealed && demand.sealed) ||
                       (batch.phase == Phase::Settled && demand.settled);
  if (!allowed) return throwPhase(env, demand, *handle, phaseName(batch.phase));
  if (demand.unpinned && batch.pins > 0) return throwPhase(env, demand, *handle, "being read");
  return true;
}

napi_value releasedOrNot(napi_env env, CoreState* state, int32_t handle, bool released) {
  if (released) releaseLarge(env, state, handle);
  return makeBoolean(env, released);
}

// The first three arguments of a split: a sealed batch, its records region (null: as it stands in the batch)
// and a position in it.
bool readSplit(napi_env env, const napi_value* arguments, const CoreState* state, const Demand& demand,
               int32_t* handle, RecordsRegion* region, int32_t* position) {
  if (!readInt32(env, arguments[2], "position", position)) return false;
  if (!readBatch(env, arguments[0], state, demand, handle)) return false;
  CallerBytes records;
  if (!readBytes(env, arguments[1], BytesKind::View, {nullptr, 0}, &records)) return false;
  if (records.kind != BytesKind::View && records.kind != BytesKind::Null) {
    throwTypeError(env, "records must be a Uint8Array or null, and not detached");
    return false;
  }
  // Another thread could change them between being measured and being copied.
  if (records.kind == BytesKind::View && isShared(env, arguments[1])) {
    throwTypeError(env, "records must not be in shared memory");
    return false;
  }
  const Batch& batch = state->appender.pool().at(*handle);
  *region = records.kind == BytesKind::View
                ? RecordsRegion{records.data, records.count}
                : RecordsRegion{batch.memory + kBatchHeaderBytes, batch.bytes - kBatchHeaderBytes};
  if (*position >= 0) return true;
  throwRangeError(env, "position must be at least 0");
  return false;
}

// Records must not change between being measured and being copied.
bool overlaps(const RecordsRegion& region, const uint8_t* memory, size_t memoryBytes) {
  const std::less<const uint8_t*> isBelow;
  return isBelow(memory, region.data + region.count) && isBelow(region.data, memory + memoryBytes);
}

bool isInt16(int32_t value) {
  return value >= std::numeric_limits<int16_t>::min() && value <= std::numeric_limits<int16_t>::max();
}

}  // namespace

napi_value seal(napi_env env, napi_callback_info info) {
  constexpr Demand demand{"seal", true, true, true, false};
  napi_value arguments[1];
  CoreState* state;
  int32_t handle;
  if (!readCall(env, info, 1, arguments, &state)) return nullptr;
  if (!readBatch(env, arguments[0], state, demand, &handle)) return nullptr;
  state->appender.seal(handle);
  return nullptr;
}

napi_value finish(napi_env env, napi_callback_info info) {
  constexpr Demand demand{"finish", false, true, false, true};
  napi_value arguments[6];
  CoreState* state;
  int32_t handle, idHigh, idLow, epoch, sequence, attributes;
  if (!readCall(env, info, 6, arguments, &state)) return nullptr;
  if (!readInt32(env, arguments[1], "producerIdHigh", &idHigh)) return nullptr;
  if (!readInt32(env, arguments[2], "producerIdLow", &idLow)) return nullptr;
  if (!readInt32(env, arguments[3], "producerEpoch", &epoch)) return nullptr;
  if (!readInt32(env, arguments[4], "baseSequence", &sequence)) return nullptr;
  if (!readInt32(env, arguments[5], "attributes", &attributes)) return nullptr;
  // After the numbers: a runtime that converts an argument to a number may run code, which may settle the
  // batch.
  if (!readBatch(env, arguments[0], state, demand, &handle)) return nullptr;
  if (!isInt16(epoch) || !isInt16(attributes))
    return throwRangeError(env, "producerEpoch and attributes are int16");
  const uint64_t id =
      static_cast<uint64_t>(static_cast<uint32_t>(idHigh)) << 32 | static_cast<uint32_t>(idLow);
  const uint32_t bytes = state->appender.finish(handle, static_cast<int64_t>(id), static_cast<int16_t>(epoch),
                                                sequence, static_cast<int16_t>(attributes));
  const Batch& batch = state->appender.pool().at(handle);
  state->result[result_layout::kLargestRecord] = static_cast<int32_t>(batch.largestRecord);
  return makeInt32(env, static_cast<int32_t>(bytes));
}

napi_value replaceRecords(napi_env env, napi_callback_info info) {
  constexpr Demand demand{"replaceRecords", false, true, false, true};
  napi_value arguments[2];
  CoreState* state;
  int32_t handle;
  CallerBytes compressed;
  if (!readCall(env, info, 2, arguments, &state)) return nullptr;
  if (!readBatch(env, arguments[0], state, demand, &handle)) return nullptr;
  if (!readBytes(env, arguments[1], BytesKind::View, {nullptr, 0}, &compressed)) return nullptr;
  if (compressed.kind != BytesKind::View) return throwTypeError(env, "compressed must be a Uint8Array");
  return makeBoolean(env, state->appender.replaceRecords(handle, compressed.data, compressed.count));
}

napi_value measureChild(napi_env env, napi_callback_info info) {
  constexpr Demand demand{"measureChild", false, true, false, false};
  napi_value arguments[5];
  CoreState* state;
  int32_t handle, position, limitBytes;
  int32_t recordsMax = std::numeric_limits<int32_t>::max();
  RecordsRegion region{};
  Child child;
  if (!readCall(env, info, 5, arguments, &state)) return nullptr;
  if (!readInt32(env, arguments[3], "limitBytes", &limitBytes)) return nullptr;
  // May be left out.
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, arguments[4], &type) != napi_ok) return nullptr;
  if (type != napi_undefined && !readInt32(env, arguments[4], "recordsMax", &recordsMax)) return nullptr;
  if (!readSplit(env, arguments, state, demand, &handle, &region, &position)) return nullptr;
  if (!measureChild(region, static_cast<size_t>(position), limitBytes, recordsMax, &child))
    return makeInt32(env, -1);
  state->result[result_layout::kIndex] = child.records;
  storeSize(state, child.bytes);
  return makeInt32(env, static_cast<int32_t>(child.end));
}

napi_value splitOff(napi_env env, napi_callback_info info) {
  constexpr Demand demand{"splitOff", false, true, false, false};
  napi_value arguments[5];
  CoreState* state;
  int32_t handle, position, records;
  RecordsRegion region{};
  Child child;
  void* memory = nullptr;
  size_t memoryBytes = 0;
  if (!readCall(env, info, 5, arguments, &state)) return nullptr;
  if (!readInt32(env, arguments[3], "records", &records)) return nullptr;
  // Before the rest is read, as it may run code.
  if (!checkMemory(env, arguments[4])) return nullptr;
  if (!readSplit(env, arguments, state, demand, &handle, &region, &position)) return nullptr;
  if (napi_get_arraybuffer_info(env, arguments[4], &memory, &memoryBytes) != napi_ok) return nullptr;
  if (overlaps(region, static_cast<const uint8_t*>(memory), memoryBytes)) {
    return throwRangeError(env, "memory must not be that of the records");
  }
  constexpr int64_t unlimited = std::numeric_limits<int64_t>::max();
  if (!measureChild(region, static_cast<size_t>(position), unlimited, records, &child) ||
      child.records != records || child.bytes != static_cast<int64_t>(memoryBytes)) {
    return throwRangeError(env, "records and memory must be as measured");
  }
  napi_ref reference = nullptr;
  if (napi_create_reference(env, arguments[4], 1, &reference) != napi_ok) return nullptr;
  const int32_t part =
      splitOff(&state->appender.pool(), handle, region, child, static_cast<uint8_t*>(memory));
  keepLarge(state, part, reference);
  return makeInt32(env, part);
}

napi_value describe(napi_env env, napi_callback_info info) {
  constexpr Demand demand{"describe", true, true, true, false};
  napi_value arguments[1];
  CoreState* state;
  int32_t handle;
  if (!readCall(env, info, 1, arguments, &state)) return nullptr;
  if (!readBatch(env, arguments[0], state, demand, &handle)) return nullptr;
  const Batch& batch = state->appender.pool().at(handle);
  state->result[result_layout::kBatch] = handle;
  state->result[result_layout::kIndex] = batch.records;
  state->result[result_layout::kPartition] = batch.partition;
  storeSize(state, batch.bytes);
  state->result[result_layout::kRoom] = state->appender.roomOf(handle);
  state->result[result_layout::kLargestRecord] = static_cast<int32_t>(batch.largestRecord);
  return nullptr;
}

napi_value pin(napi_env env, napi_callback_info info) {
  constexpr Demand demand{"pin", false, true, false, false};
  napi_value arguments[1];
  CoreState* state;
  int32_t handle;
  if (!readCall(env, info, 1, arguments, &state)) return nullptr;
  if (!readBatch(env, arguments[0], state, demand, &handle)) return nullptr;
  if (!state->appender.pool().canPin(handle)) {
    throwPhase(env, demand, handle, "being read too often");
    return nullptr;
  }
  state->appender.pool().pin(handle);
  return nullptr;
}

napi_value unpin(napi_env env, napi_callback_info info) {
  constexpr Demand demand{"unpin", false, true, true, false};
  napi_value arguments[1];
  CoreState* state;
  int32_t handle;
  if (!readCall(env, info, 1, arguments, &state)) return nullptr;
  if (!readBatch(env, arguments[0], state, demand, &handle)) return nullptr;
  SlabPool& pool = state->appender.pool();
  if (pool.at(handle).pins == 0) {
    throwPhase(env, demand, handle, "not being read");
    return nullptr;
  }
  return releasedOrNot(env, state, handle, pool.unpin(handle));
}

napi_value settle(napi_env env, napi_callback_info info) {
  constexpr Demand demand{"settle", true, true, false, false};
  napi_value arguments[1];
  CoreState* state;
  int32_t handle;
  if (!readCall(env, info, 1, arguments, &state)) return nullptr;
  if (!readBatch(env, arguments[0], state, demand, &handle)) return nullptr;
  return releasedOrNot(env, state, handle, state->appender.settle(handle));
}

napi_value availableBytes(napi_env env, napi_callback_info info) {
  CoreState* state;
  if (!readCall(env, info, 0, nullptr, &state)) return nullptr;
  return makeDouble(env, static_cast<double>(state->appender.pool().availableBytes()));
}

}  // namespace millrace
