// The addon's exports: creation of cores and functions of bytes.
#include <napi.h>

#include <iterator>
#include <limits>
#include <memory>
#include <string>

#include "../core/crc32c.h"
#include "../core/lz4.h"
#include "../core/murmur2.h"
#include "arguments.h"
#include "core_state.h"

namespace millrace {
namespace {

constexpr double kInt32Max = std::numeric_limits<int32_t>::max();
constexpr double kSafeIntegerMax = 9007199254740991.0;

// Reads createCore's options; after the first fault the rest answers zeros and `failed` is true.
class OptionReader {
 public:
  explicit OptionReader(const Napi::Object& options) : options_(options) {}

  double number(const char* name, double least, double most) {
    const Napi::Value value = get(name);
    if (failed_) return 0;
    const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
    if (number >= least && number <= most && number == static_cast<double>(static_cast<int64_t>(number))) {
      return number;
    }
    fail<Napi::RangeError>(std::string(name) + " must be an integer of at least " +
                           std::to_string(static_cast<int64_t>(least)) + " and at most " +
                           std::to_string(static_cast<int64_t>(most)));
    return 0;
  }

  bool boolean(const char* name) {
    const Napi::Value value = get(name);
    if (!failed_ && !value.IsBoolean()) fail<Napi::TypeError>(std::string(name) + " must be a boolean");
    return !failed_ && value.As<Napi::Boolean>().Value();
  }

  // To be checked once more when all options have been read: a getter of a later one may detach it.
  Napi::ArrayBuffer buffer(const char* name, double leastBytes) {
    const Napi::Value value = get(name);
    if (!failed_ && !value.IsArrayBuffer())
      fail<Napi::TypeError>(std::string(name) + " must be an ArrayBuffer");
    if (failed_) return Napi::ArrayBuffer();
    Napi::ArrayBuffer buffer = value.As<Napi::ArrayBuffer>();
    if (isResizable(options_.Env(), buffer)) {
      fail<Napi::TypeError>(std::string(name) + " must be of fixed length");
    } else {
      check(buffer, name, leastBytes);
    }
    return buffer;
  }

  void check(Napi::ArrayBuffer buffer, const char* name, double leastBytes) {
    if (failed_ || static_cast<double>(buffer.ByteLength()) >= leastBytes) return;
    fail<Napi::RangeError>(std::string(name) + " is too small or detached");
  }

  bool failed() const { return failed_; }

 private:
  Napi::Value get(const char* name) {
    if (failed_) return Napi::Value();
    const Napi::Value value = options_.Get(name);
    failed_ = options_.Env().IsExceptionPending();
    return value;
  }

  template <typename ErrorType>
  void fail(const std::string& message) {
    if (!failed_ && !options_.Env().IsExceptionPending())
      ErrorType::New(options_.Env(), message).ThrowAsJavaScriptException();
    failed_ = true;
  }

  Napi::Object options_;
  bool failed_ = false;
};

Napi::Value createCore(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) return Napi::Value(env, throwTypeError(env, "options must be an object"));
  OptionReader read(info[0].As<Napi::Object>());
  constexpr double slabBytesLeast = kBatchHeaderBytes + kSmallestRecordBytes;
  constexpr double descriptorBytesLeast = staged_layout::kWords * sizeof(int32_t);
  constexpr double resultBytesLeast = result_layout::kWords * sizeof(int32_t);
  const double slabBytes = read.number("slabBytes", slabBytesLeast, kInt32Max);
  const double slabMarginBytes = read.number("slabMarginBytes", 0, kInt32Max);
  const double strideBytes = slabMarginBytes + slabBytes;
  const double budgetBytes = read.number("budgetBytes", slabBytes, kSafeIntegerMax);
  const double batchLimitBytes = read.number("batchLimitBytes", 1, slabBytes);
  const double recordLimitBytes = read.number("recordLimitBytes", 0, kInt32Max);
  const bool fillFreed = read.boolean("fillFreed");
  Napi::ArrayBuffer arena = read.buffer("arena", strideBytes);
  Napi::ArrayBuffer descriptors = read.buffer("descriptors", descriptorBytesLeast);
  Napi::ArrayBuffer places = read.buffer("places", 1);
  Napi::ArrayBuffer touched = read.buffer("touched", 1);
  Napi::ArrayBuffer staging = read.buffer("staging", 1);
  Napi::ArrayBuffer result = read.buffer("result", resultBytesLeast);
  read.check(arena, "arena", strideBytes);
  read.check(descriptors, "descriptors", descriptorBytesLeast);
  const double capacity =
      read.failed()
          ? 0
          : static_cast<double>(descriptors.ByteLength() / (staged_layout::kWords * sizeof(int32_t)));
  read.check(places, "places", capacity * place_layout::kWords * sizeof(int32_t));
  read.check(touched, "touched", capacity * touched_layout::kWords * sizeof(int32_t));
  read.check(staging, "staging", 1);
  read.check(result, "result", resultBytesLeast);
  if (read.failed()) return Napi::Value();

  const double slabCount = static_cast<double>(arena.ByteLength()) / strideBytes;
  if (slabCount > kInt32Max / 2 || capacity > kInt32Max / 8) {
    return Napi::Value(env, throwRangeError(env, "arena or descriptors are too large"));
  }
  Appender::Options options{};
  options.pool.arena = static_cast<uint8_t*>(arena.Data());
  options.pool.slabBytes = static_cast<uint32_t>(slabBytes);
  options.pool.slabCount = static_cast<int32_t>(slabCount);
  options.pool.budgetBytes = static_cast<uint64_t>(budgetBytes);
  options.pool.fillFreed = fillFreed;
  options.pool.marginBytes = static_cast<uint32_t>(slabMarginBytes);
  options.batchLimitBytes = static_cast<uint32_t>(batchLimitBytes);
  options.recordLimitBytes = static_cast<uint32_t>(recordLimitBytes);

  auto* state = new CoreState(options);
  state->staging = {static_cast<int32_t*>(descriptors.Data()),   static_cast<int32_t>(capacity),
                    static_cast<const uint8_t*>(staging.Data()), static_cast<int64_t>(staging.ByteLength()),
                    static_cast<int32_t*>(places.Data()),        static_cast<int32_t*>(touched.Data())};
  state->result = static_cast<int32_t*>(result.Data());
  const napi_value buffers[] = {arena, descriptors, places, touched, staging, result};
  return Napi::Value(env, wrapCore(env, state, buffers, std::size(buffers)));
}

// Bytes of a Uint8Array, or of a string's UTF-8 put into `encoded`. Throws and answers false for anything
// else.
bool bytesOf(const Napi::Value& value, std::string* encoded, CallerBytes* bytes) {
  if (!readBytes(value.Env(), value, BytesKind::View, {nullptr, 0}, bytes)) return false;
  if (bytes->kind == BytesKind::String) {
    *encoded = value.As<Napi::String>().Utf8Value();
    bytes->data = reinterpret_cast<const uint8_t*>(encoded->data());
    bytes->count = encoded->size();
    return true;
  }
  if (bytes->kind == BytesKind::View) return true;
  throwTypeError(value.Env(), "the argument must be a Uint8Array or a string, and not detached");
  return false;
}

Napi::Value murmur2OfValue(const Napi::CallbackInfo& info) {
  std::string encoded;
  CallerBytes key;
  if (!bytesOf(info[0], &encoded, &key)) return Napi::Value();
  return Napi::Number::New(info.Env(), murmur2(key.data, key.count));
}

Napi::Value crc32cOfValue(const Napi::CallbackInfo& info) {
  std::string encoded;
  CallerBytes bytes;
  if (!bytesOf(info[0], &encoded, &bytes)) return Napi::Value();
  uint32_t seed = 0;
  if (!info[1].IsUndefined()) {
    if (!info[1].IsNumber())
      return Napi::Value(info.Env(), throwTypeError(info.Env(), "seed must be a number"));
    seed = info[1].As<Napi::Number>().Uint32Value();
  }
  return Napi::Number::New(info.Env(), crc32c(seed, bytes.data, bytes.count));
}

bool viewOf(const Napi::Value& value, const char* fault, CallerBytes* bytes) {
  if (!readBytes(value.Env(), value, BytesKind::View, {nullptr, 0}, bytes)) return false;
  if (bytes->kind == BytesKind::View) return true;
  throwTypeError(value.Env(), fault);
  return false;
}

Napi::Value lz4BlockOfViews(Lz4Encoder* encoder, const Napi::CallbackInfo& info) {
  CallerBytes input, output;
  if (!viewOf(info[0], "input must be a Uint8Array, and not detached", &input)) return Napi::Value();
  if (!viewOf(info[1], "output must be a Uint8Array, and not detached", &output)) return Napi::Value();
  if (input.count > kLz4BlockBytesMax || output.count < lz4RoomFor(input.count)) {
    return Napi::Value(info.Env(), throwRangeError(info.Env(), "input is too large or output too small"));
  }
  // A view says where it begins; that it may be written is the caller's word.
  auto* to = const_cast<uint8_t*>(output.data);
  const size_t bytes = encoder->encode(input.data, input.count, to);
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

// With an encoder of its own for each environment: they run on threads of their own.
Napi::Function makeLz4Block(Napi::Env env) {
  auto encoder = std::make_shared<Lz4Encoder>();
  return Napi::Function::New(
      env,
      [encoder](const Napi::CallbackInfo& info) -> Napi::Value {
        return lz4BlockOfViews(encoder.get(), info);
      },
      "lz4Block");
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("createCore", Napi::Function::New(env, createCore, "createCore"));
  exports.Set("murmur2", Napi::Function::New(env, murmur2OfValue, "murmur2"));
  exports.Set("crc32c", Napi::Function::New(env, crc32cOfValue, "crc32c"));
  exports.Set("lz4Block", makeLz4Block(env));
  exports.Set("crc32cImplementation", crc32cPicked().name);
  exports.Set("version", MILLRACE_VERSION);
  return exports;
}

}  // namespace
}  // namespace millrace

static Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  return millrace::initialize(env, exports);
}

NODE_API_MODULE(millrace, Initialize)
