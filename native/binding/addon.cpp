// The addon's exports: creation of cores and functions of bytes.
#include <node_api.h>

#include <cstdio>
#include <iterator>
#include <limits>

#include "../core/crc32c.h"
#include "arguments.h"
#include "codecs.h"
#include "core_state.h"

namespace millrace {
namespace {

constexpr double kInt32Max = std::numeric_limits<int32_t>::max();
constexpr double kSafeIntegerMax = 9007199254740991.0;

struct Memory {
  void* data = nullptr;
  size_t count = 0;
};

// Reads createCore's options; after the first fault the rest answers zeros and `failed` is true.
class OptionReader {
 public:
  OptionReader(napi_env env, napi_value options) : env_(env), options_(options) {}

  double number(const char* name, double least, double most) {
    const napi_value value = get(name);
    if (failed_) return 0;
    double number = -1;
    if (napi_get_value_double(env_, value, &number) != napi_ok) number = -1;
    if (number >= least && number <= most && number == static_cast<double>(static_cast<int64_t>(number))) {
      return number;
    }
    fail(throwRangeError, "%s must be an integer of at least %lld and at most %lld", name,
         static_cast<long long>(least), static_cast<long long>(most));
    return 0;
  }

  bool boolean(const char* name) {
    const napi_value value = get(name);
    bool result = false;
    if (!failed_ && napi_get_value_bool(env_, value, &result) != napi_ok) {
      fail(throwTypeError, "%s must be a boolean", name);
    }
    return !failed_ && result;
  }

  // To be checked once more when all options have been read: a getter of a later one may detach it.
  napi_value buffer(const char* name, double leastBytes) {
    const napi_value value = get(name);
    bool isBuffer = false;
    if (!failed_ && (napi_is_arraybuffer(env_, value, &isBuffer) != napi_ok || !isBuffer)) {
      fail(throwTypeError, "%s must be an ArrayBuffer", name);
    }
    if (failed_) return nullptr;
    if (isResizable(env_, value)) {
      fail(throwTypeError, "%s must be of fixed length", name);
    } else {
      check(value, name, leastBytes);
    }
    return value;
  }

  // The memory of a buffer that has been read.
  Memory check(napi_value buffer, const char* name, double leastBytes) {
    Memory memory;
    if (failed_) return memory;
    if (napi_get_arraybuffer_info(env_, buffer, &memory.data, &memory.count) != napi_ok ||
        static_cast<double>(memory.count) < leastBytes) {
      fail(throwRangeError, "%s is too small or detached", name);
    }
    return memory;
  }

  bool failed() const { return failed_; }

 private:
  napi_value get(const char* name) {
    if (failed_) return nullptr;
    napi_value value = nullptr;
    bool isPending = false;
    failed_ = napi_get_named_property(env_, options_, name, &value) != napi_ok ||
              napi_is_exception_pending(env_, &isPending) != napi_ok || isPending;
    return value;
  }

  using Throw = napi_value (*)(napi_env, const char*);

  template <typename... Arguments>
  void fail(Throw throwIt, const char* format, Arguments... arguments) {
    bool isPending = false;
    if (!failed_ && napi_is_exception_pending(env_, &isPending) == napi_ok && !isPending) {
      char message[128];
      std::snprintf(message, sizeof message, format, arguments...);
      throwIt(env_, message);
    }
    failed_ = true;
  }

  napi_env env_;
  napi_value options_;
  bool failed_ = false;
};

napi_value createCore(napi_env env, napi_callback_info info) {
  napi_value options;
  napi_valuetype type = napi_undefined;
  if (!readArguments(env, info, 1, &options)) return nullptr;
  if (napi_typeof(env, options, &type) != napi_ok || type != napi_object) {
    return throwTypeError(env, "options must be an object");
  }
  OptionReader read(env, options);
  constexpr double slabBytesLeast = kBatchHeaderBytes + kSmallestRecordBytes;
  constexpr double descriptorBytesLeast = staged_layout::kWords * sizeof(int32_t);
  constexpr double resultBytesLeast = result_layout::kWords * sizeof(int32_t);
  const double slabBytes = read.number("slabBytes", slabBytesLeast, kInt32Max);
  const double slabMarginBytes = read.number("slabMarginBytes", 0, kInt32Max);
  const double strideBytes = slabMarginBytes + slabBytes;
  const double budgetBytes = read.number("budgetBytes", slabBytes, kSafeIntegerMax);
  const double batchLimitBytes = read.number("batchLimitBytes", 1, slabBytes);
  const double batchSlabsMax = read.number("batchSlabsMax", 1, FreeSlabs::kGroupSlabsMax);
  const double recordLimitBytes = read.number("recordLimitBytes", 0, kInt32Max);
  const bool fillFreed = read.boolean("fillFreed");
  const napi_value buffers[] = {
      read.buffer("arena", strideBytes), read.buffer("descriptors", descriptorBytesLeast),
      read.buffer("places", 1),          read.buffer("touched", 1),
      read.buffer("staging", 1),         read.buffer("result", resultBytesLeast)};
  const Memory arena = read.check(buffers[0], "arena", strideBytes);
  const Memory descriptors = read.check(buffers[1], "descriptors", descriptorBytesLeast);
  const double capacity = static_cast<double>(descriptors.count / (staged_layout::kWords * sizeof(int32_t)));
  const Memory places = read.check(buffers[2], "places", capacity * place_layout::kWords * sizeof(int32_t));
  const Memory touched =
      read.check(buffers[3], "touched", capacity * touched_layout::kWords * sizeof(int32_t));
  const Memory staging = read.check(buffers[4], "staging", 1);
  const Memory result = read.check(buffers[5], "result", resultBytesLeast);
  if (read.failed()) return nullptr;

  const double slabCount = static_cast<double>(arena.count) / strideBytes;
  if (batchSlabsMax * strideBytes > kInt32Max)
    return throwRangeError(env, "batchSlabsMax is too large for such slabs");
  if (slabCount > kInt32Max / 2 || capacity > kInt32Max / 8) {
    return throwRangeError(env, "arena or descriptors are too large");
  }
  Appender::Options settings{};
  settings.pool.arena = static_cast<uint8_t*>(arena.data);
  settings.pool.slabBytes = static_cast<uint32_t>(slabBytes);
  settings.pool.slabCount = static_cast<int32_t>(slabCount);
  settings.pool.budgetBytes = static_cast<uint64_t>(budgetBytes);
  settings.pool.fillFreed = fillFreed;
  settings.pool.marginBytes = static_cast<uint32_t>(slabMarginBytes);
  settings.pool.batchSlabsMax = static_cast<int32_t>(batchSlabsMax);
  settings.batchLimitBytes = static_cast<uint32_t>(batchLimitBytes);
  settings.recordLimitBytes = static_cast<uint32_t>(recordLimitBytes);

  auto* state = new CoreState(settings);
  state->staging = {static_cast<int32_t*>(descriptors.data),   static_cast<int32_t>(capacity),
                    static_cast<const uint8_t*>(staging.data), static_cast<int64_t>(staging.count),
                    static_cast<int32_t*>(places.data),        static_cast<int32_t*>(touched.data)};
  state->result = static_cast<int32_t*>(result.data);
  return wrapCore(env, state, buffers, std::size(buffers));
}

// Detaches the buffer, which frees its memory at once. Where a runtime refuses, the collector frees it.
napi_value freeBuffer(napi_env env, napi_callback_info info) {
  napi_value buffer;
  bool isBuffer = false;
  if (!readArguments(env, info, 1, &buffer)) return nullptr;
  if (napi_is_arraybuffer(env, buffer, &isBuffer) != napi_ok || !isBuffer) {
    return throwTypeError(env, "buffer must be an ArrayBuffer");
  }
  static_cast<void>(napi_detach_arraybuffer(env, buffer));
  return nullptr;
}

struct AddonFunction {
  const char* name;
  napi_callback callback;
};

constexpr AddonFunction kFunctions[] = {
    {"createCore", createCore},
    {"freeBuffer", freeBuffer},
    {"murmur2", murmur2OfValue},
    {"crc32c", crc32cOfValue},
    {"createGzipEncoder", createGzipEncoder},
    {"createLz4HcEncoder", createLz4HcEncoder},
    {"lz4Decode", lz4Decode},
    {"snappyDecode", snappyDecode},
    {"zstdDecode", zstdDecode},
    {"zstdBound", zstdBound},
    {"createZstdEncoder", createZstdEncoder},
};

bool addString(napi_env env, napi_value exports, const char* name, const char* text) {
  napi_value value = nullptr;
  return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok &&
         napi_set_named_property(env, exports, name, value) == napi_ok;
}

}  // namespace
}  // namespace millrace

NAPI_MODULE_INIT() {
  using namespace millrace;
  bool made = keepViewProbe(env) && addLz4Block(env, exports) && addSnappyChunks(env, exports) &&
              addString(env, exports, "version", MILLRACE_VERSION) &&
              addString(env, exports, "zstdVersion", zstdVersion()) &&
              addString(env, exports, "crc32cImplementation", crc32cPicked().name);
  for (const AddonFunction& function : kFunctions) {
    napi_value value = nullptr;
    made = made &&
           napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.callback, nullptr, &value) ==
               napi_ok &&
           napi_set_named_property(env, exports, function.name, value) == napi_ok;
  }
  return made ? exports : throwError(env, kInternal, "the runtime could not create the addon's functions");
}
