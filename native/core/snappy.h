// Encoder of the Snappy block format, in the stream that Java's library writes:
//
//   chunk   = size of the block int32 big-endian, block
//   block   = uncompressed bytes unsigned varint, element*
//   element = tag, what the tag's lowest two bits say:
//     0  literals: count - 1 in bits 7-2; 60 and 61 stand for a count - 1 in one or two bytes that follow
//     1  a match of 4 to 11 bytes: length - 4 in bits 4-2, offset in bits 7-5 (the high ones) and one byte
//     2  a match of 1 to 64 bytes: length - 1 in bits 7-2, offset uint16 little-endian
//     3  as 2, offset uint32 (never written)
//
// A match repeats what stands `offset` bytes before.
#pragma once

#include <cstddef>
#include <cstdint>

#include "repeats.h"

namespace millrace {

// What Java's library compresses at a time.
constexpr size_t kSnappyBlockBytesMax = 32 * 1024;
constexpr int kSnappyHashBits = 13;

// The room that encoding needs: literals grow by a byte in 60 and are copied 16 bytes at a time, and each
// chunk has its lengths.
constexpr size_t snappyRoomFor(size_t count) {
  return count + count / 60 + (count / kSnappyBlockBytesMax + 1) * 40;
}

class SnappyEncoder {
 public:
  // Encodes chunks, all but the last of kSnappyBlockBytesMax, to `output`, which has snappyRoomFor(count);
  // answers their size. Stays within its memory even if the data change meanwhile.
  size_t encode(const uint8_t* data, size_t count, uint8_t* output);

 private:
  RepeatTable<kSnappyHashBits> table_;
};

}  // namespace millrace
