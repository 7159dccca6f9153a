#include "core_state.h"

#include <algorithm>
#include <limits>

#include "arguments.h"

namespace millrace {

bool readCall(napi_env env, napi_callback_info info, size_t count, napi_value* arguments, CoreState** state) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, &data) != napi_ok) return false;
  *state = static_cast<CoreState*>(data);
  return true;
}

void storeSize(CoreState* state, int64_t sizeBytes) {
  const int64_t largest = std::numeric_limits<int32_t>::max();
  state->result[result_layout::kSize] = static_cast<int32_t>(std::min(sizeBytes, largest));
}

void settleOffer(napi_env env, CoreState* state) {
  const int32_t batch = state->appender.offerTakenBy();
  if (batch == kNoBatch) {
    // Not every call that may take the offer comes to ask for it; from here on it may be collected.
    withdrawOffer(env, state);
    return;
  }
  keepLarge(state, batch, state->offer);
  state->offer = nullptr;
}

void withdrawOffer(napi_env env, CoreState* state) {
  state->appender.offerLarge(nullptr, 0);
  if (state->offer != nullptr) napi_delete_reference(env, state->offer);
  state->offer = nullptr;
}

void keepLarge(CoreState* state, int32_t batch, napi_ref memory) {
  const auto index = static_cast<size_t>(batch - state->appender.pool().slabCount());
  if (index >= state->large.size()) state->large.resize(index + 1, nullptr);
  state->large[index] = memory;
}

void releaseLarge(napi_env env, CoreState* state, int32_t batch) {
  if (!state->appender.pool().isLarge(batch)) return;
  napi_ref& memory = state->large[static_cast<size_t>(batch - state->appender.pool().slabCount())];
  napi_delete_reference(env, memory);
  memory = nullptr;
}

namespace {

void destroy(napi_env env, CoreState* state) {
  for (napi_ref buffer : state->buffers) napi_delete_reference(env, buffer);
  for (napi_ref memory : state->large) {
    if (memory != nullptr) napi_delete_reference(env, memory);
  }
  if (state->offer != nullptr) napi_delete_reference(env, state->offer);
  delete state;
}

void dropReference(napi_env env, void* data, void*) {
  auto* state = static_cast<CoreState*>(data);
  if (--state->references == 0) destroy(env, state);
}

bool addFunction(napi_env env, napi_value object, const char* name, napi_callback callback,
                 CoreState* state) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, state, &function) != napi_ok) return false;
  if (napi_add_finalizer(env, function, state, dropReference, nullptr, nullptr) != napi_ok) return false;
  state->references++;
  return napi_set_named_property(env, object, name, function) == napi_ok;
}

struct CoreFunction {
  const char* name;
  napi_callback callback;
};

constexpr CoreFunction kCoreFunctions[] = {
    {"setTopic", setTopic},
    {"setBatchLimit", setBatchLimit},
    {"setSticky", setSticky},
    {"drainStaged", drainStaged},
    {"drainRun", drainRun},
    {"append", append},
    {"provideLarge", provideLarge},
    {"seal", seal},
    {"finish", finish},
    {"replaceRecords", replaceRecords},
    {"measureChild", measureChild},
    {"splitOff", splitOff},
    {"describe", describe},
    {"pin", pin},
    {"unpin", unpin},
    {"settle", settle},
    {"availableBytes", availableBytes},
    {"close", close},
};

}  // namespace

napi_value wrapCore(napi_env env, CoreState* state, const napi_value* buffers, size_t bufferCount) {
  // Held during construction, so that a failure half-way frees the state exactly once.
  state->references = 1;
  napi_value object = nullptr;
  bool made = napi_create_object(env, &object) == napi_ok;
  for (size_t i = 0; i < bufferCount && made; i++) {
    napi_ref reference = nullptr;
    made = napi_create_reference(env, buffers[i], 1, &reference) == napi_ok;
    if (made) state->buffers.push_back(reference);
  }
  for (const CoreFunction& function : kCoreFunctions) {
    made = made && addFunction(env, object, function.name, function.callback, state);
  }
  dropReference(env, state, nullptr);
  return made ? object : throwError(env, kInternal, "the runtime could not create the core's functions");
}

}  // namespace millrace
