// The LZ4 block format decoded from its specification, byte by byte, with every rule checked that an encoder
// has to keep. Nothing of native/core in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace millrace::reference {

class Lz4BlockReader {
 public:
  Lz4BlockReader(const uint8_t* block, size_t count) : block_(block), count_(count) {}

  // The content, or nothing if the block breaks a rule.
  std::optional<std::string> read() {
    for (;;) {
      const int token = byte();
      if (token < 0) return std::nullopt;
      const size_t literals = length(static_cast<size_t>(token) >> 4);
      if (isBroken_ || literals > count_ - at_) return std::nullopt;
      content_.append(reinterpret_cast<const char*>(block_) + at_, literals);
      at_ += literals;
      // The last sequence ends after its literals; that of a block with matches has at least five.
      if (at_ == count_) {
        const bool endsWell = (token & 15) == 0 && (lastMatchAt_ == kNone || literals >= 5);
        const bool startsWell = lastMatchAt_ == kNone || lastMatchAt_ + 12 <= content_.size();
        return endsWell && startsWell ? std::optional(content_) : std::nullopt;
      }
      if (!match(static_cast<size_t>(token) & 15)) return std::nullopt;
    }
  }

 private:
  static constexpr size_t kNone = ~size_t{0};

  int byte() { return at_ < count_ ? block_[at_++] : -1; }

  size_t length(size_t nibble) {
    size_t total = nibble;
    if (nibble < 15) return total;
    for (;;) {
      const int more = byte();
      if (more < 0) isBroken_ = true;
      if (more < 0) return 0;
      total += static_cast<size_t>(more);
      if (more < 255) return total;
    }
  }

  bool match(size_t nibble) {
    const int low = byte();
    const int high = byte();
    if (high < 0) return false;
    const size_t offset = static_cast<size_t>(low) + static_cast<size_t>(high) * 256;
    const size_t bytes = length(nibble) + 4;
    if (isBroken_ || offset == 0 || offset > content_.size()) return false;
    lastMatchAt_ = content_.size();
    for (size_t i = 0; i < bytes; i++) content_.push_back(content_[content_.size() - offset]);
    return true;
  }

  const uint8_t* block_;
  size_t count_;
  size_t at_ = 0;
  std::string content_;
  size_t lastMatchAt_ = kNone;
  bool isBroken_ = false;
};

}  // namespace millrace::reference
