#include "../core/snappy.h"

#include <new>

#include "../core/snappy_decoder.h"
#include "arguments.h"
#include "codecs.h"
#include "owning_function.h"

namespace millrace {
namespace {

napi_value encodeChunks(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  CallerBytes input, output;
  if (!readInputAndOutput(env, info, &input, &output, &data)) return nullptr;
  if (output.count < snappyRoomFor(input.count)) return throwRangeError(env, "output is too small");
  // A view says where it begins; that it may be written is the caller's word.
  auto* to = const_cast<uint8_t*>(output.data);
  const size_t bytes = static_cast<SnappyEncoder*>(data)->encode(input.data, input.count, to);
  return makeDouble(env, static_cast<double>(bytes));
}

}  // namespace

bool addSnappyChunks(napi_env env, napi_value exports) {
  return addOwningFunction(env, exports, "snappyChunks", encodeChunks, new (std::nothrow) SnappyEncoder());
}

napi_value snappyDecode(napi_env env, napi_callback_info info) {
  return decodeBlockBy(env, info, snappyDecode);
}

}  // namespace millrace
