#include "../core/lz4_hc.h"

#include <new>

#include "arguments.h"
#include "codecs.h"
#include "owning_function.h"

namespace millrace {
namespace {

// encode(input, output, level) of an encoder that createLz4HcEncoder has made.
napi_value encodeBlock(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t count = 3;
  void* data = nullptr;
  CallerBytes input, output;
  int32_t level = 0;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, &data) != napi_ok) return nullptr;
  // The number first: a runtime that converts an argument to one may run code, which may detach a buffer.
  if (!readInt32(env, arguments[2], "level", &level)) return nullptr;
  if (level < kLz4HcLevelLeast || level > kLz4HcLevelMost) {
    return throwRangeError(env, "level must be 1 to 17");
  }
  if (!readView(env, arguments[0], "input", &input) || !readView(env, arguments[1], "output", &output)) {
    return nullptr;
  }
  if (input.count > kLz4BlockBytesMax || output.count < lz4RoomFor(input.count)) {
    return throwRangeError(env, "input is too large or output too small");
  }
  // A view says where it begins; that it may be written is the caller's word.
  auto* to = const_cast<uint8_t*>(output.data);
  const size_t bytes = static_cast<Lz4HcEncoder*>(data)->encode(input.data, input.count, level, to);
  return makeDouble(env, static_cast<double>(bytes));
}

}  // namespace

napi_value createLz4HcEncoder(napi_env env, napi_callback_info) {
  auto* encoder = new (std::nothrow) Lz4HcEncoder();
  if (encoder == nullptr) return throwRangeError(env, "there is no memory for an encoder of LZ4");
  return makeOwningFunction(env, "lz4HcBlock", encodeBlock, encoder);
}

}  // namespace millrace
