// Decoder of the Snappy block format, whose grammar stands in snappy.h. For what comes from elsewhere: it
// trusts no length and no offset.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace {

constexpr int64_t kSnappyMalformed = -1;
constexpr int64_t kSnappyTooLarge = -2;

// Decodes a whole block, which says how much it holds, into at most `room` bytes at `output`. Answers their
// number, or one of the above.
int64_t snappyDecode(const uint8_t* block, size_t count, uint8_t* output, size_t room);

}  // namespace millrace
