// A gzip member decoded from RFC 1951 and 1952, bit by bit, with what a strict reader checks: complete codes,
// offsets within what has been written, CRC-32 and size. Nothing of native/core in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::reference {

class GzipReader {
 public:
  explicit GzipReader(const std::string& member) : member_(member) {}

  // The content, or nothing if the member breaks a rule or has bytes after it.
  std::optional<std::string> read() {
    if (member_.size() < 18 || member_.compare(0, 4, std::string("\x1f\x8b\x08\x00", 4)) != 0)
      return std::nullopt;
    at_ = 10 * 8;
    for (bool isLast = false; !isLast && !isBroken_;) {
      isLast = bits(1) == 1;
      const uint32_t kind = bits(2);
      if (kind == 0)
        stored();
      else if (kind == 2)
        compressed();
      else
        isBroken_ = true;
      blocks_++;
    }
    at_ = (at_ + 7) / 8 * 8;
    const uint32_t crc = bits(32);
    const uint32_t size = bits(32);
    if (isBroken_ || at_ != member_.size() * 8 || size != content_.size() || crc != crcOf(content_))
      return std::nullopt;
    return content_;
  }

  int blocks() const { return blocks_; }
  int storedBlocks() const { return storedBlocks_; }

 private:
  // Codes of a length from `first` on, and the symbols in the order of their codes.
  struct Tree {
    uint32_t counts[16] = {};
    std::vector<uint32_t> symbols;
  };

  uint32_t bits(uint32_t count) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < count; i++, at_++) {
      if (at_ / 8 >= member_.size()) {
        isBroken_ = true;
        return 0;
      }
      value |= (static_cast<uint8_t>(member_[at_ / 8]) >> (at_ % 8) & 1U) << i;
    }
    return value;
  }

  // A code of one symbol may be incomplete, and one of none empty, where `mayBeSmall`.
  Tree treeOf(const std::vector<uint32_t>& lengths, bool mayBeSmall) {
    Tree tree;
    uint32_t used = 0;
    for (const uint32_t length : lengths) used += length > 0 ? 1 : 0;
    int64_t left = 1;
    for (uint32_t length = 1; length < 16; length++) {
      left *= 2;
      for (uint32_t symbol = 0; symbol < lengths.size(); symbol++) {
        if (lengths[symbol] != length) continue;
        tree.counts[length]++;
        tree.symbols.push_back(symbol);
        left--;
      }
    }
    if (left != 0 && !(mayBeSmall && used <= 1 && (used == 0 || tree.counts[1] == 1))) isBroken_ = true;
    return tree;
  }

  uint32_t symbol(const Tree& tree) {
    uint32_t code = 0, first = 0, index = 0;
    for (uint32_t length = 1; length < 16 && !isBroken_; length++) {
      code = code * 2 + bits(1);
      if (code - first < tree.counts[length]) return tree.symbols[index + code - first];
      index += tree.counts[length];
      first = (first + tree.counts[length]) * 2;
    }
    isBroken_ = true;
    return 0;
  }

  void stored() {
    storedBlocks_++;
    at_ = (at_ + 7) / 8 * 8;
    const uint32_t size = bits(16);
    if (bits(16) != (~size & 0xffff)) isBroken_ = true;
    for (uint32_t i = 0; i < size && !isBroken_; i++) content_.push_back(static_cast<char>(bits(8)));
  }

  void compressed() {
    static const uint32_t order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    const uint32_t literals = bits(5) + 257, offsets = bits(5) + 1, codes = bits(4) + 4;
    std::vector<uint32_t> lengths(19);
    for (uint32_t i = 0; i < codes; i++) lengths[order[i]] = bits(3);
    const Tree tree = treeOf(lengths, false);
    lengths.clear();
    while (lengths.size() < literals + offsets && !isBroken_) {
      const uint32_t length = symbol(tree);
      if (length < 16) lengths.push_back(length);
      if (length < 16) continue;
      if (length == 16 && lengths.empty()) isBroken_ = true;
      const uint32_t value = length == 16 && !isBroken_ ? lengths.back() : 0;
      const uint32_t count = length == 16 ? 3 + bits(2) : length == 17 ? 3 + bits(3) : 11 + bits(7);
      lengths.insert(lengths.end(), count, value);
    }
    if (lengths.size() != literals + offsets || literals > 286 || offsets > 30) isBroken_ = true;
    if (isBroken_) return;
    const Tree first = treeOf({lengths.begin(), lengths.begin() + literals}, true);
    const Tree second = treeOf({lengths.begin() + literals, lengths.end()}, true);
    while (!isBroken_) {
      const uint32_t next = symbol(first);
      if (next == 256) return;
      if (next < 256)
        content_.push_back(static_cast<char>(next));
      else
        match(next - 257, second);
    }
  }

  void match(uint32_t lengthSymbol, const Tree& offsets) {
    uint32_t length = 258;
    if (lengthSymbol < 8)
      length = lengthSymbol + 3;
    else if (lengthSymbol < 28) {
      const uint32_t extra = (lengthSymbol - 4) / 4;
      length = ((4 + lengthSymbol % 4) << extra) + 3 + bits(extra);
    }
    const uint32_t offsetSymbol = symbol(offsets);
    uint32_t offset = offsetSymbol + 1;
    if (offsetSymbol >= 4) {
      const uint32_t extra = (offsetSymbol - 2) / 2;
      offset = ((2 + offsetSymbol % 2) << extra) + 1 + bits(extra);
    }
    if (offset > content_.size()) isBroken_ = true;
    for (uint32_t i = 0; i < length && !isBroken_; i++)
      content_.push_back(content_[content_.size() - offset]);
  }

  static uint32_t crcOf(const std::string& content) {
    uint32_t state = ~0U;
    for (const char byte : content) {
      state ^= static_cast<uint8_t>(byte);
      for (int bit = 0; bit < 8; bit++) state = state >> 1 ^ (state & 1) * 0xedb88320U;
    }
    return ~state;
  }

  const std::string& member_;
  size_t at_ = 0;
  std::string content_;
  bool isBroken_ = false;
  int blocks_ = 0;
  int storedBlocks_ = 0;
};

}  // namespace millrace::reference
