// Encoders that JavaScript calls at once or on a thread of the runtime's pool, with contexts that are kept.
#pragma once

#include <node_api.h>

#include <atomic>
#include <cstddef>

#include "arguments.h"

namespace millrace {

// What an encoding has come to: its size, or what is wrong.
struct EncoderOutcome {
  size_t bytes;
  const char* error;
};

// An encoder's ways. `state` is what it was made with; `encode` is called on any thread, several times at
// once.
struct EncoderKind {
  // The code of its errors.
  const char* code;
  EncoderOutcome (*encode)(void* state, const CallerBytes& input, const CallerBytes& output);
  void (*free)(void* state);
};

// An object {encode, encodeOnThread}, which owns `state`: it is freed with the last user, a function or a
// work. Null with an exception pending where there is no memory or the runtime refuses.
napi_value makeEncoder(napi_env env, const EncoderKind& kind, void* state);

// The memory of a view is read or written while JavaScript runs, or read twice: nobody may change it. Throws
// for shared memory, and for anything that is no view.
bool readOwnView(napi_env env, napi_value value, const char* name, CallerBytes* bytes);

// Contexts that an encoder keeps for its next calls. One is in use on the event loop, the others on threads.
template <typename Context, void (*kFree)(Context*)>
class KeptContexts {
 public:
  KeptContexts() = default;
  KeptContexts(const KeptContexts&) = delete;
  KeptContexts& operator=(const KeptContexts&) = delete;
  ~KeptContexts() {
    for (std::atomic<Context*>& idle : idle_) {
      Context* const context = idle.load();
      if (context != nullptr) kFree(context);
    }
  }

  // One that is idle, or null.
  Context* take() {
    for (std::atomic<Context*>& idle : idle_) {
      Context* const context = idle.exchange(nullptr);
      if (context != nullptr) return context;
    }
    return nullptr;
  }

  void give(Context* context) {
    for (std::atomic<Context*>& idle : idle_) {
      Context* none = nullptr;
      if (idle.compare_exchange_strong(none, context)) return;
    }
    kFree(context);
  }

 private:
  static constexpr size_t kIdleMax = 4;

  std::atomic<Context*> idle_[kIdleMax]{};
};

}  // namespace millrace
