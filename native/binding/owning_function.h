// Functions with memory of their own, such as encoders: it is freed with the function.
#pragma once

#include <node_api.h>

namespace millrace {

// `owned` may be null, where there was no memory for it. Answers null (an exception may be pending) when the
// runtime refuses; `owned` is deleted then.
template <typename Owned>
napi_value makeOwningFunction(napi_env env, const char* name, napi_callback callback, Owned* owned) {
  const napi_finalize free = [](napi_env, void* data, void*) { delete static_cast<Owned*>(data); };
  napi_value function = nullptr;
  if (owned != nullptr &&
      napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, owned, &function) == napi_ok &&
      napi_add_finalizer(env, function, owned, free, nullptr, nullptr) == napi_ok) {
    return function;
  }
  delete owned;
  return nullptr;
}

// As a property of `object`. False when the runtime refuses.
template <typename Owned>
bool addOwningFunction(napi_env env, napi_value object, const char* name, napi_callback callback,
                       Owned* owned) {
  const napi_value function = makeOwningFunction(env, name, callback, owned);
  return function != nullptr && napi_set_named_property(env, object, name, function) == napi_ok;
}

}  // namespace millrace
