// What one NativeCore owns, and the functions JavaScript calls on it.
//
// Every function carries the state as callback data and holds one reference to it, given back by the
// function's finalizer: a function taken off its object keeps the core alive, and no receiver has to be
// unwrapped per call. There is no other state but one function of the runtime's for each environment
// (`keepViewProbe`), so the addon may be loaded by any number of threads.
#pragma once

#include <node_api.h>

#include <vector>

#include "../core/appender.h"
#include "../core/staged.h"
#include "arguments.h"

namespace millrace {

// Longer strings are measured first and encoded in their place.
constexpr size_t kScratchBytes = 8192;

struct CoreState {
  explicit CoreState(const Appender::Options& options) : appender(options) {}

  Appender appender;
  StagingArea staging{};
  int32_t* result = nullptr;             // Result.WORDS words
  int32_t references = 0;                // functions alive
  std::vector<napi_ref> buffers;         // arena, descriptors, staging, result
  std::vector<napi_ref> large;           // by handle - slabCount, null if free
  BytesKind keyGuess = BytesKind::View;  // what the last direct append was given
  BytesKind valueGuess = BytesKind::View;
  char keyScratch[kScratchBytes];
  char valueScratch[kScratchBytes];
  napi_ref offer = nullptr;  // memory of provideLarge that no batch has taken yet
};

// Reads `count` arguments (missing ones are undefined) and the state.
bool readCall(napi_env env, napi_callback_info info, size_t count, napi_value* arguments, CoreState** state);
void storeSize(CoreState* state, int64_t sizeBytes);

// Hands the memory of the last provideLarge to the batch that took it, or drops it.
void settleOffer(napi_env env, CoreState* state);
void withdrawOffer(napi_env env, CoreState* state);
// Keeps the memory of a large batch alive until `releaseLarge`.
void keepLarge(CoreState* state, int32_t batch, napi_ref memory);
void releaseLarge(napi_env env, CoreState* state, int32_t batch);

// The JavaScript object with all functions. Keeps the buffers alive as long as any of them. Takes the state
// over, also when it fails (null, exception pending).
napi_value wrapCore(napi_env env, CoreState* state, const napi_value* buffers, size_t bufferCount);

// core_append.cpp
napi_value setTopic(napi_env env, napi_callback_info info);
napi_value setBatchLimit(napi_env env, napi_callback_info info);
napi_value setSticky(napi_env env, napi_callback_info info);
napi_value drainStaged(napi_env env, napi_callback_info info);
napi_value drainRun(napi_env env, napi_callback_info info);
napi_value append(napi_env env, napi_callback_info info);
napi_value provideLarge(napi_env env, napi_callback_info info);
napi_value close(napi_env env, napi_callback_info info);

// core_batch.cpp
napi_value seal(napi_env env, napi_callback_info info);
napi_value finish(napi_env env, napi_callback_info info);
napi_value replaceRecords(napi_env env, napi_callback_info info);
napi_value measureChild(napi_env env, napi_callback_info info);
napi_value splitOff(napi_env env, napi_callback_info info);
napi_value describe(napi_env env, napi_callback_info info);
napi_value pin(napi_env env, napi_callback_info info);
napi_value unpin(napi_env env, napi_callback_info info);
napi_value settle(napi_env env, napi_callback_info info);
napi_value availableBytes(napi_env env, napi_callback_info info);

}  // namespace millrace
