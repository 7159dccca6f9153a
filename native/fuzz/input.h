// What the fuzz targets share: decisions taken from the input's bytes, and the check that ends the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

// A finding. The driver prints how to repeat it, libFuzzer keeps the input.
#define FUZZ_CHECK(condition) \
  ((condition)                \
       ? static_cast<void>(0) \
       : (std::fprintf(stderr, "finding: %s at %s:%d\n", #condition, __FILE__, __LINE__), std::abort()))

namespace millrace::fuzz {

// Decisions for as long as there are bytes, zeros after that.
class Input {
 public:
  Input(const uint8_t* data, size_t count) : at_(data), left_(count) {}

  bool empty() const { return left_ == 0; }
  size_t left() const { return left_; }
  const uint8_t* rest() const { return at_; }

  uint8_t byte() {
    if (left_ == 0) return 0;
    left_--;
    return *at_++;
  }

  uint64_t word(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | byte();
    return value;
  }

  bool flip() { return (byte() & 1) != 0; }

  // Once in `of` times on average.
  bool rarely(uint32_t of) { return below(of) == of - 1; }

  uint32_t below(uint32_t limit) {
    const uint64_t raw = limit <= 0x100 ? byte() : word(limit <= 0x10000 ? 2 : 4);
    return static_cast<uint32_t>(raw % limit);
  }

  // Small, beside a power of two, or anything: where codecs break.
  int64_t number() {
    const uint8_t kind = byte();
    if (kind < 96) return static_cast<int8_t>(byte());
    if (kind < 160) {
      const uint8_t where = byte();
      const auto power = static_cast<int64_t>(uint64_t{1} << (where & 63));
      const int64_t beside = static_cast<int64_t>(static_cast<uint64_t>(power) + (kind % 3) - 1);
      return (where & 64) != 0 ? static_cast<int64_t>(0 - static_cast<uint64_t>(beside)) : beside;
    }
    return static_cast<int64_t>(word(kind < 224 ? 4 : 8));
  }

  // `count` bytes: those that are left, then one that follows from the count, again and again.
  std::string bytes(size_t count) {
    const size_t own = count < left_ ? count : left_;
    std::string result(count, static_cast<char>(count));
    if (own > 0) std::memcpy(&result[0], at_, own);
    at_ += own;
    left_ -= own;
    return result;
  }

 private:
  const uint8_t* at_;
  size_t left_;
};

inline const uint8_t* dataOf(const std::string& bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t count);
