#include "encoder.h"

#include <new>

namespace millrace {
namespace {

// Frees itself with its last user: a function that JavaScript holds, or work on a thread.
class Encoder {
 public:
  Encoder(const EncoderKind& kind, void* state) : kind_(kind), state_(state) {}
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  void hold() { users_++; }
  void release() {
    if (--users_ == 0) delete this;
  }

  const char* code() const { return kind_.code; }
  EncoderOutcome encode(const CallerBytes& input, const CallerBytes& output) {
    return kind_.encode(state_, input, output);
  }

 private:
  ~Encoder() { kind_.free(state_); }

  const EncoderKind& kind_;
  void* const state_;
  std::atomic<int> users_{1};
};

// One encoding on a thread.
struct EncoderWork {
  Encoder* encoder = nullptr;
  CallerBytes input;
  CallerBytes output;
  napi_ref buffers[2]{};
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
  EncoderOutcome outcome{0, nullptr};
};

bool readEncode(napi_env env, napi_callback_info info, napi_value* arguments, Encoder** encoder,
                CallerBytes* input, CallerBytes* output) {
  size_t count = 2;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, &data) != napi_ok) return false;
  *encoder = static_cast<Encoder*>(data);
  return readOwnView(env, arguments[0], "input", input) && readOwnView(env, arguments[1], "output", output);
}

napi_value encodeNow(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  Encoder* encoder;
  CallerBytes input, output;
  if (!readEncode(env, info, arguments, &encoder, &input, &output)) return nullptr;
  const EncoderOutcome outcome = encoder->encode(input, output);
  if (outcome.error != nullptr) return throwError(env, encoder->code(), outcome.error);
  return makeDouble(env, static_cast<double>(outcome.bytes));
}

void executeWork(napi_env, void* data) {
  auto* work = static_cast<EncoderWork*>(data);
  work->outcome = work->encoder->encode(work->input, work->output);
}

void freeWork(napi_env env, EncoderWork* work) {
  for (napi_ref buffer : work->buffers) {
    if (buffer != nullptr) napi_delete_reference(env, buffer);
  }
  if (work->work != nullptr) napi_delete_async_work(env, work->work);
  work->encoder->release();
  delete work;
}

void completeWork(napi_env env, napi_status status, void* data) {
  auto* work = static_cast<EncoderWork*>(data);
  const char* const error = status == napi_ok ? work->outcome.error : "the work was cancelled";
  napi_value answer = nullptr;
  if (error != nullptr) {
    napi_value text = nullptr;
    if (napi_create_string_utf8(env, error, NAPI_AUTO_LENGTH, &text) == napi_ok &&
        napi_create_error(env, nullptr, text, &answer) == napi_ok) {
      napi_reject_deferred(env, work->deferred, answer);
    }
  } else {
    answer = makeDouble(env, static_cast<double>(work->outcome.bytes));
    if (answer != nullptr) napi_resolve_deferred(env, work->deferred, answer);
  }
  freeWork(env, work);
}

// A promise of the size; the input must stay as it is until then, and neither may be detached.
napi_value encodeOnThread(napi_env env, napi_callback_info info) {
  napi_value arguments[2], promise = nullptr, name = nullptr;
  auto* work = new EncoderWork();
  if (!readEncode(env, info, arguments, &work->encoder, &work->input, &work->output)) {
    delete work;
    return nullptr;
  }
  work->encoder->hold();
  const bool queued =
      napi_create_reference(env, arguments[0], 1, &work->buffers[0]) == napi_ok &&
      napi_create_reference(env, arguments[1], 1, &work->buffers[1]) == napi_ok &&
      napi_create_string_utf8(env, "millrace.compress", NAPI_AUTO_LENGTH, &name) == napi_ok &&
      napi_create_async_work(env, nullptr, name, executeWork, completeWork, work, &work->work) == napi_ok &&
      napi_create_promise(env, &work->deferred, &promise) == napi_ok &&
      napi_queue_async_work(env, work->work) == napi_ok;
  if (queued) return promise;
  freeWork(env, work);
  return throwError(env, kInternal, "the runtime could not queue the work");
}

void releaseEncoder(napi_env, void* data, void*) {
  static_cast<Encoder*>(data)->release();
}

bool addEncode(napi_env env, napi_value object, const char* name, napi_callback callback, Encoder* encoder) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, encoder, &function) != napi_ok)
    return false;
  if (napi_add_finalizer(env, function, encoder, releaseEncoder, nullptr, nullptr) != napi_ok) return false;
  encoder->hold();
  return napi_set_named_property(env, object, name, function) == napi_ok;
}

}  // namespace

bool readOwnView(napi_env env, napi_value value, const char* name, CallerBytes* bytes) {
  if (!readView(env, value, name, bytes)) return false;
  if (!isShared(env, value)) return true;
  throwTypeError(env, "input and output must not be shared memory");
  return false;
}

napi_value makeEncoder(napi_env env, const EncoderKind& kind, void* state) {
  auto* encoder = state == nullptr ? nullptr : new (std::nothrow) Encoder(kind, state);
  if (encoder == nullptr) {
    if (state != nullptr) kind.free(state);
    return throwRangeError(env, "there is no memory for an encoder");
  }
  napi_value object = nullptr;
  const bool made = napi_create_object(env, &object) == napi_ok &&
                    addEncode(env, object, "encode", encodeNow, encoder) &&
                    addEncode(env, object, "encodeOnThread", encodeOnThread, encoder);
  encoder->release();
  return made ? object : throwError(env, kInternal, "the runtime could not create the encoder's functions");
}

}  // namespace millrace
