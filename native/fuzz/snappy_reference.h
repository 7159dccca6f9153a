// The Snappy block format decoded from its description, byte by byte. Nothing of native/core in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::reference {

class SnappyBlockReader {
 public:
  SnappyBlockReader(const uint8_t* block, size_t count) : block_(block), count_(count) {}

  // The content, or nothing if the block breaks a rule or says that it holds more than `most` bytes.
  std::optional<std::string> read(size_t most) {
    uint64_t bytes = 0;
    int shift = 0;
    for (;; shift += 7) {
      if (at_ == count_ || shift > 28) return std::nullopt;
      const uint64_t byte = block_[at_++];
      bytes |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (bytes > 0xffffffff || bytes > most) return std::nullopt;
    while (at_ < count_) {
      const unsigned tag = block_[at_++];
      if (!((tag & 3) == 0 ? literals(tag >> 2) : match(tag)) || content_.size() > bytes) return std::nullopt;
    }
    return content_.size() == bytes ? std::optional(content_) : std::nullopt;
  }

 private:
  bool literals(size_t count) {
    if (count > 59 && !number(count - 59, &count)) return false;
    count++;
    if (count > count_ - at_) return false;
    content_.append(reinterpret_cast<const char*>(block_) + at_, count);
    at_ += count;
    return true;
  }

  bool match(unsigned tag) {
    static const size_t offsetBytes[] = {0, 1, 2, 4};
    size_t offset = 0;
    if (!number(offsetBytes[tag & 3], &offset)) return false;
    size_t length = tag / 4 + 1;
    if ((tag & 3) == 1) {
      length = tag / 4 % 8 + 4;
      offset += tag / 32 * size_t{256};
    }
    if (offset == 0 || offset > content_.size()) return false;
    for (size_t i = 0; i < length; i++) content_.push_back(content_[content_.size() - offset]);
    return true;
  }

  bool number(size_t bytes, size_t* value) {
    if (bytes > count_ - at_) return false;
    *value = 0;
    for (size_t i = bytes; i > 0; i--) *value = *value * 256 + block_[at_ + i - 1];
    at_ += bytes;
    return true;
  }

  const uint8_t* block_;
  size_t count_;
  size_t at_ = 0;
  std::string content_;
};

// The raw blocks of chunks, or nothing if a size is wrong.
inline std::optional<std::vector<std::string>> snappyBlocks(const std::string& chunks) {
  std::vector<std::string> blocks;
  for (size_t at = 0; at < chunks.size();) {
    if (chunks.size() - at < 4) return std::nullopt;
    size_t bytes = 0;
    for (int i = 0; i < 4; i++) bytes = bytes * 256 + static_cast<uint8_t>(chunks[at++]);
    if (bytes == 0 || bytes > chunks.size() - at) return std::nullopt;
    blocks.push_back(chunks.substr(at, bytes));
    at += bytes;
  }
  return blocks;
}

}  // namespace millrace::reference
