#include "../core/snappy.h"

#include <new>

#include "../core/snappy_decoder.h"
#include "arguments.h"
#include "codecs.h"
#include "owning_function.h"

namespace millrace {
namespace {

napi_value encodeChunks(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  size_t count = 2;
  void* data = nullptr;
  CallerBytes input, output;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, &data) != napi_ok) return nullptr;
  if (!readView(env, arguments[0], "input", &input) || !readView(env, arguments[1], "output", &output)) {
    return nullptr;
  }
  if (output.count < snappyRoomFor(input.count)) return throwRangeError(env, "output is too small");
  // A view says where it begins; that it may be written is the caller's word.
  auto* to = const_cast<uint8_t*>(output.data);
  const size_t bytes = static_cast<SnappyEncoder*>(data)->encode(input.data, input.count, to);
  return makeDouble(env, static_cast<double>(bytes));
}

}  // namespace

bool addSnappyChunks(napi_env env, napi_value exports) {
  const napi_value function =
      makeOwningFunction(env, "snappyChunks", encodeChunks, new (std::nothrow) SnappyEncoder());
  return function != nullptr && napi_set_named_property(env, exports, "snappyChunks", function) == napi_ok;
}

napi_value snappyDecode(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  CallerBytes block, output;
  if (!readArguments(env, info, 2, arguments) || !readView(env, arguments[0], "block", &block) ||
      !readView(env, arguments[1], "output", &output)) {
    return nullptr;
  }
  // Decoding looks at what it has written, and trusts that it stays so.
  if (isShared(env, arguments[1])) return throwTypeError(env, "output must not be shared memory");
  auto* to = const_cast<uint8_t*>(output.data);
  return makeDouble(env, static_cast<double>(snappyDecode(block.data, block.count, to, output.count)));
}

}  // namespace millrace
