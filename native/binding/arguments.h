// Reading of JavaScript arguments. A reader that answers false has thrown (or an exception was already
// pending).
#pragma once

#include <node_api.h>

#include <cstdint>

namespace millrace {

// Throw, and answer null to be returned.
napi_value throwTypeError(napi_env env, const char* message);
napi_value throwRangeError(napi_env env, const char* message);
napi_value throwError(napi_env env, const char* code, const char* message);

// The codes of plain errors, out of those in src/errors.
constexpr const char* kIllegalState = "ILLEGAL_STATE";
constexpr const char* kInternal = "INTERNAL";

// Not wrapped, unlike JavaScript's own conversion: a handle that is out of range is nobody's.
bool readInt32(napi_env env, napi_value value, const char* name, int32_t* result);
bool readDouble(napi_env env, napi_value value, const char* name, double* result);

// Answers null (with an exception pending) when the runtime refuses, as it does while a worker is terminated.
napi_value makeInt32(napi_env env, int32_t value);
napi_value makeDouble(napi_env env, double value);
napi_value makeBoolean(napi_env env, bool value);

// Detached: the view's bytes are gone, with its buffer or because that has been shrunk.
enum class BytesKind : uint8_t { Null, View, String, Detached, BadType };

// Bytes given by a caller. Valid only until JavaScript runs again.
struct CallerBytes {
  BytesKind kind = BytesKind::Null;
  // Of a view, and of a string that fitted the scratch memory. Null for a longer string and an empty view.
  const uint8_t* data = nullptr;
  size_t count = 0;  // for a string, in UTF-8
  napi_value string = nullptr;

  bool isLongString() const { return kind == BytesKind::String && data == nullptr; }
};

// Once for each environment, before any view is read.
bool keepViewProbe(napi_env env);

// Reads `count` arguments; missing ones are undefined.
bool readArguments(napi_env env, napi_callback_info info, size_t count, napi_value* arguments);
// The bytes of a Uint8Array; throws for anything else, and where they are gone.
bool readView(napi_env env, napi_value value, const char* name, CallerBytes* bytes);
// The two views that an encoder's function takes, and its data.
bool readInputAndOutput(napi_env env, napi_callback_info info, CallerBytes* input, CallerBytes* output,
                        void** data);

// Whether a view's memory is a SharedArrayBuffer's.
bool isShared(napi_env env, napi_value view);

// Whether a buffer can be resized: then its memory may become inaccessible. Asking may run code; true where
// that throws.
bool isResizable(napi_env env, napi_value buffer);
// Memory to keep and write to must be an ArrayBuffer whose bytes stay where they are. May run code.
bool checkMemory(napi_env env, napi_value value);

// Where strings are encoded before their place is known.
struct Scratch {
  char* memory;
  size_t bytes;
};

// Looks at a value without throwing; `kind` says what it is. `guess` is the kind to try first, which saves a
// call when it is right. False only if the runtime itself fails.
bool readBytes(napi_env env, napi_value value, BytesKind guess, Scratch scratch, CallerBytes* bytes);

}  // namespace millrace
