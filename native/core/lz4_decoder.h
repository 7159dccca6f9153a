// Decoder of the LZ4 block format, whose grammar stands in lz4.h. For what comes from elsewhere: it trusts no
// length and no offset.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace {

constexpr int64_t kLz4Malformed = -1;
constexpr int64_t kLz4TooLarge = -2;

// Decodes a whole block into at most `room` bytes at `output`. Answers their number, or one of the above.
int64_t lz4Decode(const uint8_t* block, size_t count, uint8_t* output, size_t room);

}  // namespace millrace
