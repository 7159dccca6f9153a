#include "arguments.h"

#include <cstdio>
#include <initializer_list>
#include <limits>

namespace millrace {

napi_value throwTypeError(napi_env env, const char* message) {
  napi_throw_type_error(env, nullptr, message);
  return nullptr;
}

napi_value throwRangeError(napi_env env, const char* message) {
  napi_throw_range_error(env, nullptr, message);
  return nullptr;
}

napi_value throwError(napi_env env, const char* code, const char* message) {
  napi_throw_error(env, code, message);
  return nullptr;
}

namespace {

bool throwNotNumber(napi_env env, const char* name) {
  char message[64];
  std::snprintf(message, sizeof message, "%s must be a number", name);
  throwTypeError(env, message);
  return false;
}

bool throwNotInt32(napi_env env, const char* name) {
  char message[64];
  std::snprintf(message, sizeof message, "%s must be a 32-bit integer", name);
  throwRangeError(env, message);
  return false;
}

constexpr double kInt32Least = std::numeric_limits<int32_t>::min();
constexpr double kInt32Largest = std::numeric_limits<int32_t>::max();

}  // namespace

bool readInt32(napi_env env, napi_value value, const char* name, int32_t* result) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) return throwNotNumber(env, name);
  // Also false for NaN, whose conversion would be undefined.
  if (number >= kInt32Least && number <= kInt32Largest) {
    *result = static_cast<int32_t>(number);
    if (*result == number) return true;
  }
  return throwNotInt32(env, name);
}

bool readDouble(napi_env env, napi_value value, const char* name, double* result) {
  return napi_get_value_double(env, value, result) == napi_ok || throwNotNumber(env, name);
}

napi_value makeInt32(napi_env env, int32_t value) {
  napi_value result = nullptr;
  return napi_create_int32(env, value, &result) == napi_ok ? result : nullptr;
}

napi_value makeDouble(napi_env env, double value) {
  napi_value result = nullptr;
  return napi_create_double(env, value, &result) == napi_ok ? result : nullptr;
}

napi_value makeBoolean(napi_env env, bool value) {
  napi_value result = nullptr;
  return napi_get_boolean(env, value, &result) == napi_ok ? result : nullptr;
}

namespace {

// Whether a shrunk buffer has left the view outside. Node-API does not tell: such a view has no bytes and
// begins at 0, like an empty one. JavaScript throws for it.
bool isOutOfBounds(napi_env env, napi_value view) {
  void* probe = nullptr;
  napi_value function = nullptr;
  if (napi_get_instance_data(env, &probe) != napi_ok || probe == nullptr) return false;
  if (napi_get_reference_value(env, static_cast<napi_ref>(probe), &function) != napi_ok) return false;
  napi_value result = nullptr;
  if (napi_call_function(env, view, function, 0, nullptr, &result) != napi_pending_exception) return false;
  napi_value exception = nullptr;
  return napi_get_and_clear_last_exception(env, &exception) == napi_ok;
}

// A view of no bytes has no address, whether it is empty or its buffer is detached: ask the buffer.
bool readEmptyView(napi_env env, napi_value view, CallerBytes* bytes) {
  napi_value buffer = nullptr;
  if (napi_get_typedarray_info(env, view, nullptr, nullptr, nullptr, &buffer, nullptr) != napi_ok)
    return false;
  bool detached = false;
  // Fails for a SharedArrayBuffer, which cannot be detached.
  if (napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok) detached = false;
  bytes->kind = detached || isOutOfBounds(env, view) ? BytesKind::Detached : BytesKind::View;
  return true;
}

// False if the value is no view, or the runtime fails.
bool readView(napi_env env, napi_value value, CallerBytes* bytes) {
  napi_typedarray_type type;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &bytes->count, &data, nullptr, nullptr) != napi_ok)
    return false;
  bytes->data = static_cast<const uint8_t*>(data);
  bytes->kind = type == napi_uint8_array ? BytesKind::View : BytesKind::BadType;
  return bytes->count != 0 || bytes->kind == BytesKind::BadType || readEmptyView(env, value, bytes);
}

// False if the value is no string. One call encodes and measures a short string: V8 is quicker to write into
// ample memory than to measure, and quicker still than to do both.
bool readString(napi_env env, napi_value value, Scratch scratch, CallerBytes* bytes) {
  // A string cut short ends at most three bytes before the terminator: the next character had not enough
  // room.
  constexpr size_t cutBytes = 4;
  if (scratch.bytes > cutBytes) {
    if (napi_get_value_string_utf8(env, value, scratch.memory, scratch.bytes, &bytes->count) != napi_ok)
      return false;
    if (bytes->count + cutBytes < scratch.bytes)
      bytes->data = reinterpret_cast<const uint8_t*>(scratch.memory);
  }
  if (bytes->data == nullptr &&
      napi_get_value_string_utf8(env, value, nullptr, 0, &bytes->count) != napi_ok) {
    return false;
  }
  bytes->kind = BytesKind::String;
  bytes->string = value;
  return true;
}

}  // namespace

// `at` looks at a view as every method of typed arrays does first, and runs no code of anybody's.
bool keepViewProbe(napi_env env) {
  napi_value at;
  if (napi_get_global(env, &at) != napi_ok) return false;
  for (const char* name : {"Uint8Array", "prototype", "at"}) {
    if (napi_get_named_property(env, at, name, &at) != napi_ok) return false;
  }
  napi_ref reference = nullptr;
  return napi_create_reference(env, at, 1, &reference) == napi_ok &&
         napi_set_instance_data(env, reference, nullptr, nullptr) == napi_ok;
}

bool readBytes(napi_env env, napi_value value, BytesKind guess, Scratch scratch, CallerBytes* bytes) {
  if (guess == BytesKind::View && readView(env, value, bytes)) return true;
  if (guess == BytesKind::String && readString(env, value, scratch, bytes)) return true;
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return false;
  bytes->data = nullptr;
  if (type == napi_string) return readString(env, value, scratch, bytes);
  if (type == napi_object && readView(env, value, bytes)) return true;
  bytes->kind = type == napi_null || type == napi_undefined ? BytesKind::Null : BytesKind::BadType;
  return true;
}

bool readArguments(napi_env env, napi_callback_info info, size_t count, napi_value* arguments) {
  return napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) == napi_ok;
}

bool readView(napi_env env, napi_value value, const char* name, CallerBytes* bytes) {
  if (!readBytes(env, value, BytesKind::View, {nullptr, 0}, bytes)) return false;
  if (bytes->kind == BytesKind::View) return true;
  char message[64];
  std::snprintf(message, sizeof message, "%s must be a Uint8Array, and not detached", name);
  throwTypeError(env, message);
  return false;
}

bool readInputAndOutput(napi_env env, napi_callback_info info, CallerBytes* input, CallerBytes* output,
                        void** data) {
  napi_value arguments[2];
  size_t count = 2;
  return napi_get_cb_info(env, info, &count, arguments, nullptr, data) == napi_ok &&
         readView(env, arguments[0], "input", input) && readView(env, arguments[1], "output", output);
}

bool isShared(napi_env env, napi_value view) {
  napi_value buffer = nullptr;
  bool isArrayBuffer = false;
  return napi_get_typedarray_info(env, view, nullptr, nullptr, nullptr, &buffer, nullptr) == napi_ok &&
         napi_is_arraybuffer(env, buffer, &isArrayBuffer) == napi_ok && !isArrayBuffer;
}

bool isResizable(napi_env env, napi_value buffer) {
  napi_value property = nullptr;
  napi_valuetype type = napi_undefined;
  bool resizable = true;
  if (napi_get_named_property(env, buffer, "resizable", &property) != napi_ok) return true;
  if (napi_typeof(env, property, &type) != napi_ok) return true;
  // Undefined in a runtime that has none such.
  if (type == napi_undefined) return false;
  return napi_get_value_bool(env, property, &resizable) != napi_ok || resizable;
}

bool checkMemory(napi_env env, napi_value value) {
  bool isArrayBuffer = false;
  if (napi_is_arraybuffer(env, value, &isArrayBuffer) == napi_ok && isArrayBuffer &&
      !isResizable(env, value)) {
    return true;
  }
  bool isPending = false;
  if (napi_is_exception_pending(env, &isPending) != napi_ok || isPending) return false;
  throwTypeError(env, "memory must be an ArrayBuffer of fixed length");
  return false;
}

}  // namespace millrace
