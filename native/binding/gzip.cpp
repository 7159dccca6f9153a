#include "../core/gzip.h"

#include <new>

#include "codecs.h"
#include "encoder.h"

namespace millrace {
namespace {

void freeContext(GzipEncoder* context) {
  delete context;
}

using GzipContexts = KeptContexts<GzipEncoder, freeContext>;

EncoderOutcome encode(void* state, const CallerBytes& input, const CallerBytes& output) {
  auto* contexts = static_cast<GzipContexts*>(state);
  if (output.count < gzipRoomFor(input.count)) return {0, "output is too small"};
  GzipEncoder* context = contexts->take();
  if (context == nullptr) context = new (std::nothrow) GzipEncoder();
  if (context == nullptr) return {0, "there is no memory for an encoder of gzip"};
  // A view says where it begins; that it may be written is the caller's word.
  const size_t bytes = context->encode(input.data, input.count, const_cast<uint8_t*>(output.data));
  contexts->give(context);
  return {bytes, nullptr};
}

constexpr EncoderKind kGzip = {"GZIP", encode, [](void* state) { delete static_cast<GzipContexts*>(state); }};

}  // namespace

napi_value createGzipEncoder(napi_env env, napi_callback_info) {
  return makeEncoder(env, kGzip, new (std::nothrow) GzipContexts());
}

}  // namespace millrace
