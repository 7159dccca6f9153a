// zstd of the library that is compiled in: encoders with contexts that are kept, and a decoder.
#include <zstd.h>

#include <new>

#include "codecs.h"
#include "encoder.h"

namespace millrace {
namespace {

void freeContext(ZSTD_CCtx* context) {
  ZSTD_freeCCtx(context);
}

struct ZstdState {
  int level;
  KeptContexts<ZSTD_CCtx, freeContext> contexts;
};

EncoderOutcome encode(void* state, const CallerBytes& input, const CallerBytes& output) {
  auto* zstd = static_cast<ZstdState*>(state);
  ZSTD_CCtx* context = zstd->contexts.take();
  if (context == nullptr) {
    context = ZSTD_createCCtx();
    if (context == nullptr) return {0, "there is no memory for an encoder of zstd"};
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, zstd->level);
  }
  // A view says where it begins; that it may be written is the caller's word.
  auto* to = const_cast<uint8_t*>(output.data);
  const size_t bytes = ZSTD_compress2(context, to, output.count, input.data, input.count);
  zstd->contexts.give(context);
  return {bytes, ZSTD_isError(bytes) ? ZSTD_getErrorName(bytes) : nullptr};
}

constexpr EncoderKind kZstd = {"ZSTD", encode, [](void* state) { delete static_cast<ZstdState*>(state); }};

napi_value throwZstd(napi_env env, size_t code) {
  return throwError(env, kZstd.code, ZSTD_getErrorName(code));
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
  napi_value argument;
  int32_t level = 0;
  if (!readArguments(env, info, 1, &argument) || !readInt32(env, argument, "level", &level)) return nullptr;
  const ZSTD_bounds bounds = ZSTD_cParam_getBounds(ZSTD_c_compressionLevel);
  if (level < bounds.lowerBound || level > bounds.upperBound) {
    return throwRangeError(env, "level must be -131072 to 22");
  }
  return makeEncoder(env, kZstd, new (std::nothrow) ZstdState{level, {}});
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
