// zstd of the library that is compiled in: encoders with contexts that are kept, and a decoder.
#include <zstd.h>

#include <atomic>

#include "arguments.h"
#include "codecs.h"

namespace millrace {
namespace {

// Contexts that an encoder keeps for its next calls. One is in use on the event loop, the others on threads.
constexpr size_t kIdleContextsMax = 4;

// Frees itself with its last user: a function that JavaScript holds, or work on a thread.
class ZstdEncoder {
 public:
  explicit ZstdEncoder(int level) : level_(level) {}
  ZstdEncoder(const ZstdEncoder&) = delete;
  ZstdEncoder& operator=(const ZstdEncoder&) = delete;

  void hold() { users_++; }
  void release() {
    if (--users_ == 0) delete this;
  }

  // The size of the frame, or an error code of zstd's. On any thread.
  size_t encode(const CallerBytes& input, const CallerBytes& output) {
    ZSTD_CCtx* const context = take();
    if (context == nullptr) return kNoMemory;
    // A view says where it begins; that it may be written is the caller's word.
    auto* to = const_cast<uint8_t*>(output.data);
    const size_t bytes = ZSTD_compress2(context, to, output.count, input.data, input.count);
    give(context);
    return bytes;
  }

 private:
  // As zstd's own: the negative of ZSTD_error_memory_allocation.
  static constexpr size_t kNoMemory = ~size_t{64} + 1;

  ~ZstdEncoder() {
    for (std::atomic<ZSTD_CCtx*>& idle : idle_) ZSTD_freeCCtx(idle.load());
  }

  ZSTD_CCtx* take() {
    for (std::atomic<ZSTD_CCtx*>& idle : idle_) {
      ZSTD_CCtx* const context = idle.exchange(nullptr);
      if (context != nullptr) return context;
    }
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    if (context != nullptr) ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level_);
    return context;
  }

  void give(ZSTD_CCtx* context) {
    for (std::atomic<ZSTD_CCtx*>& idle : idle_) {
      ZSTD_CCtx* none = nullptr;
      if (idle.compare_exchange_strong(none, context)) return;
    }
    ZSTD_freeCCtx(context);
  }

  const int level_;
  std::atomic<int> users_{1};
  std::atomic<ZSTD_CCtx*> idle_[kIdleContextsMax]{};
};

// One encoding on a thread.
struct ZstdWork {
  ZstdEncoder* encoder = nullptr;
  CallerBytes input;
  CallerBytes output;
  napi_ref buffers[2]{};
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
  size_t result = 0;
};

napi_value throwZstd(napi_env env, size_t code) {
  return throwError(env, "ZSTD", ZSTD_getErrorName(code));
}

// The memory of a view is read or written while JavaScript runs, or read twice: nobody may change it.
bool readOwnView(napi_env env, napi_value value, const char* name, CallerBytes* bytes) {
  if (!readView(env, value, name, bytes)) return false;
  if (!isShared(env, value)) return true;
  throwTypeError(env, "input and output must not be shared memory");
  return false;
}

bool readEncode(napi_env env, napi_callback_info info, napi_value* arguments, ZstdEncoder** encoder,
                CallerBytes* input, CallerBytes* output) {
  size_t count = 2;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, &data) != napi_ok) return false;
  *encoder = static_cast<ZstdEncoder*>(data);
  return readOwnView(env, arguments[0], "input", input) && readOwnView(env, arguments[1], "output", output);
}

napi_value encodeNow(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  ZstdEncoder* encoder;
  CallerBytes input, output;
  if (!readEncode(env, info, arguments, &encoder, &input, &output)) return nullptr;
  const size_t bytes = encoder->encode(input, output);
  return ZSTD_isError(bytes) ? throwZstd(env, bytes) : makeDouble(env, static_cast<double>(bytes));
}

void executeWork(napi_env, void* data) {
  auto* work = static_cast<ZstdWork*>(data);
  work->result = work->encoder->encode(work->input, work->output);
}

void freeWork(napi_env env, ZstdWork* work) {
  for (napi_ref buffer : work->buffers) {
    if (buffer != nullptr) napi_delete_reference(env, buffer);
  }
  if (work->work != nullptr) napi_delete_async_work(env, work->work);
  work->encoder->release();
  delete work;
}

void completeWork(napi_env env, napi_status status, void* data) {
  auto* work = static_cast<ZstdWork*>(data);
  const bool isError = status != napi_ok || ZSTD_isError(work->result) != 0;
  napi_value outcome = nullptr;
  if (isError) {
    const char* reason = status != napi_ok ? "the work was cancelled" : ZSTD_getErrorName(work->result);
    napi_value text = nullptr;
    if (napi_create_string_utf8(env, reason, NAPI_AUTO_LENGTH, &text) == napi_ok &&
        napi_create_error(env, nullptr, text, &outcome) == napi_ok) {
      napi_reject_deferred(env, work->deferred, outcome);
    }
  } else {
    outcome = makeDouble(env, static_cast<double>(work->result));
    if (outcome != nullptr) napi_resolve_deferred(env, work->deferred, outcome);
  }
  freeWork(env, work);
}

// A promise of the frame's size; the input must stay as it is until then, and neither may be detached.
napi_value encodeOnThread(napi_env env, napi_callback_info info) {
  napi_value arguments[2], promise = nullptr, name = nullptr;
  auto* work = new ZstdWork();
  if (!readEncode(env, info, arguments, &work->encoder, &work->input, &work->output)) {
    delete work;
    return nullptr;
  }
  work->encoder->hold();
  const bool queued =
      napi_create_reference(env, arguments[0], 1, &work->buffers[0]) == napi_ok &&
      napi_create_reference(env, arguments[1], 1, &work->buffers[1]) == napi_ok &&
      napi_create_string_utf8(env, "millrace.zstd", NAPI_AUTO_LENGTH, &name) == napi_ok &&
      napi_create_async_work(env, nullptr, name, executeWork, completeWork, work, &work->work) == napi_ok &&
      napi_create_promise(env, &work->deferred, &promise) == napi_ok &&
      napi_queue_async_work(env, work->work) == napi_ok;
  if (queued) return promise;
  freeWork(env, work);
  return throwError(env, kInternal, "the runtime could not queue the work");
}

void releaseEncoder(napi_env, void* data, void*) {
  static_cast<ZstdEncoder*>(data)->release();
}

bool addEncode(napi_env env, napi_value object, const char* name, napi_callback callback,
               ZstdEncoder* encoder) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, encoder, &function) != napi_ok)
    return false;
  if (napi_add_finalizer(env, function, encoder, releaseEncoder, nullptr, nullptr) != napi_ok) return false;
  encoder->hold();
  return napi_set_named_property(env, object, name, function) == napi_ok;
}

// Each environment has a decoder for the moment of a call only: decoding is for tests and tools.
class ZstdDecoder {
 public:
  ZstdDecoder() : context_(ZSTD_createDCtx()) {}
  ZstdDecoder(const ZstdDecoder&) = delete;
  ZstdDecoder& operator=(const ZstdDecoder&) = delete;
  ~ZstdDecoder() { ZSTD_freeDCtx(context_); }

  ZSTD_DCtx* context() const { return context_; }

 private:
  ZSTD_DCtx* context_;
};

}  // namespace

napi_value createZstdEncoder(napi_env env, napi_callback_info info) {
  napi_value argument, object = nullptr;
  int32_t level = 0;
  if (!readArguments(env, info, 1, &argument) || !readInt32(env, argument, "level", &level)) return nullptr;
  const ZSTD_bounds bounds = ZSTD_cParam_getBounds(ZSTD_c_compressionLevel);
  if (level < bounds.lowerBound || level > bounds.upperBound) {
    return throwRangeError(env, "level must be -131072 to 22");
  }
  auto* encoder = new ZstdEncoder(level);
  const bool made = napi_create_object(env, &object) == napi_ok &&
                    addEncode(env, object, "encode", encodeNow, encoder) &&
                    addEncode(env, object, "encodeOnThread", encodeOnThread, encoder);
  encoder->release();
  return made ? object : throwError(env, kInternal, "the runtime could not create the encoder's functions");
}

napi_value zstdBound(napi_env env, napi_callback_info info) {
  napi_value argument;
  double count = 0;
  if (!readArguments(env, info, 1, &argument) || !readDouble(env, argument, "inputBytes", &count))
    return nullptr;
  constexpr double most = 4294967295.0;
  if (!(count >= 0 && count <= most)) return throwRangeError(env, "inputBytes must be a length");
  return makeDouble(env, static_cast<double>(ZSTD_compressBound(static_cast<size_t>(count))));
}

napi_value zstdDecode(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  CallerBytes input, output;
  if (!readArguments(env, info, 2, arguments) || !readOwnView(env, arguments[0], "input", &input) ||
      !readOwnView(env, arguments[1], "output", &output)) {
    return nullptr;
  }
  const ZstdDecoder decoder;
  if (decoder.context() == nullptr) return throwError(env, "ZSTD", "no memory for a decoder");
  auto* to = const_cast<uint8_t*>(output.data);
  const size_t bytes = ZSTD_decompressDCtx(decoder.context(), to, output.count, input.data, input.count);
  return ZSTD_isError(bytes) ? throwZstd(env, bytes) : makeDouble(env, static_cast<double>(bytes));
}

const char* zstdVersion() {
  return ZSTD_versionString();
}

}  // namespace millrace
