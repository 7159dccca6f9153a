#include "codecs.h"

#include <cstdlib>
#include <limits>
#include <new>

#include "../core/crc32c.h"
#include "../core/lz4.h"
#include "../core/lz4_decoder.h"
#include "../core/murmur2.h"
#include "arguments.h"
#include "owning_function.h"

namespace millrace {
namespace {

// The bytes of a string are made here; freed with it.
struct EncodedString {
  char* text = nullptr;

  EncodedString() = default;
  EncodedString(const EncodedString&) = delete;
  EncodedString& operator=(const EncodedString&) = delete;
  ~EncodedString() { std::free(text); }
};

bool encodeString(napi_env env, EncodedString* encoded, CallerBytes* bytes) {
  const size_t room = bytes->count + 1;
  encoded->text = static_cast<char*>(std::malloc(room));
  if (encoded->text == nullptr) {
    throwRangeError(env, "there is no memory for the string's UTF-8");
    return false;
  }
  bytes->data = reinterpret_cast<const uint8_t*>(encoded->text);
  return napi_get_value_string_utf8(env, bytes->string, encoded->text, room, &bytes->count) == napi_ok;
}

// Bytes of a Uint8Array, or of a string's UTF-8 put into `encoded`. Throws and answers false for anything
// else.
bool bytesOf(napi_env env, napi_value value, EncodedString* encoded, CallerBytes* bytes) {
  if (!readBytes(env, value, BytesKind::View, {nullptr, 0}, bytes)) return false;
  if (bytes->kind == BytesKind::String) return encodeString(env, encoded, bytes);
  if (bytes->kind == BytesKind::View) return true;
  throwTypeError(env, "the argument must be a Uint8Array or a string, and not detached");
  return false;
}

napi_value makeUint32(napi_env env, uint32_t value) {
  return makeDouble(env, value);
}

}  // namespace

napi_value murmur2OfValue(napi_env env, napi_callback_info info) {
  napi_value key;
  EncodedString encoded;
  CallerBytes bytes;
  if (!readArguments(env, info, 1, &key) || !bytesOf(env, key, &encoded, &bytes)) return nullptr;
  return makeInt32(env, murmur2(bytes.data, bytes.count));
}

napi_value crc32cOfValue(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  EncodedString encoded;
  CallerBytes bytes;
  napi_valuetype type = napi_undefined;
  uint32_t seed = 0;
  if (!readArguments(env, info, 2, arguments) || !bytesOf(env, arguments[0], &encoded, &bytes))
    return nullptr;
  if (napi_typeof(env, arguments[1], &type) != napi_ok) return nullptr;
  if (type != napi_undefined && napi_get_value_uint32(env, arguments[1], &seed) != napi_ok) {
    return throwTypeError(env, "seed must be a number");
  }
  return makeUint32(env, crc32c(seed, bytes.data, bytes.count));
}

namespace {

napi_value lz4Block(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  CallerBytes input, output;
  if (!readInputAndOutput(env, info, &input, &output, &data)) return nullptr;
  if (input.count > kLz4BlockBytesMax || output.count < lz4RoomFor(input.count)) {
    return throwRangeError(env, "input is too large or output too small");
  }
  // A view says where it begins; that it may be written is the caller's word.
  auto* to = const_cast<uint8_t*>(output.data);
  const size_t bytes = static_cast<Lz4Encoder*>(data)->encode(input.data, input.count, to);
  return makeDouble(env, static_cast<double>(bytes));
}

}  // namespace

napi_value decodeBlockBy(napi_env env, napi_callback_info info, BlockDecoder decode) {
  napi_value arguments[2];
  CallerBytes block, output;
  if (!readArguments(env, info, 2, arguments) || !readView(env, arguments[0], "block", &block) ||
      !readView(env, arguments[1], "output", &output)) {
    return nullptr;
  }
  // Decoding looks at what it has written, and trusts that it stays so.
  if (isShared(env, arguments[1])) return throwTypeError(env, "output must not be shared memory");
  auto* to = const_cast<uint8_t*>(output.data);
  return makeDouble(env, static_cast<double>(decode(block.data, block.count, to, output.count)));
}

napi_value lz4Decode(napi_env env, napi_callback_info info) {
  return decodeBlockBy(env, info, lz4Decode);
}

bool addLz4Block(napi_env env, napi_value exports) {
  return addOwningFunction(env, exports, "lz4Block", lz4Block, new (std::nothrow) Lz4Encoder());
}

}  // namespace millrace
