// Encoder of the LZ4 block format:
//
//   block    = sequence*, the last one without a match
//   sequence = token, [literal length byte*], literal*, offset uint16 little-endian, [match length byte*]
//   token    = literal length (bits 7-4), match length - 4 (bits 3-0); 15 goes on in bytes, up to one below
//   255
//
// A match repeats what stands `offset` bytes before. None begins within the last 12 bytes of a block, and its
// last 5 are literals.
#pragma once

#include <cstddef>
#include <cstdint>

#include "repeats.h"

namespace millrace {

constexpr size_t kLz4BlockBytesMax = 64 * 1024;
// The rules above.
constexpr size_t kLz4MatchLeast = 4;
constexpr size_t kLz4MatchStartBytes = 12;
constexpr size_t kLz4LastLiterals = 5;

// The room that encoding needs: what does not compress grows by a byte in 255, and literals are copied 16
// bytes at a time.
constexpr size_t lz4RoomFor(size_t count) {
  return count + count / 255 + 32;
}

// 32 KiB, so that table and block fit into the nearest caches together.
constexpr int kLz4HashBits = 14;

class Lz4Encoder {
 public:
  // Encodes at most kLz4BlockBytesMax into a block at `output`, which has lz4RoomFor(count); answers its
  // size. Stays within its memory even if the data change meanwhile.
  size_t encode(const uint8_t* data, size_t count, uint8_t* output);

 private:
  RepeatTable<kLz4HashBits> table_;
};

}  // namespace millrace
