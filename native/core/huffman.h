// Huffman codes as DEFLATE writes them: canonical, of limited length, bits from the lowest on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace {

constexpr size_t kHuffmanSymbolsMax = 288;
constexpr int kHuffmanBitsMax = 15;

// The code of a symbol: its bits, the first one lowest, and how many there are.
struct HuffmanCode {
  uint16_t bits;
  uint8_t length;
};

// Codes for `count` symbols that occur as often as `frequencies` says, each at most `most` bits long. A
// symbol that does not occur has a length of 0. One symbol alone gets one bit. The frequencies add up to
// less than 2^23.
void makeHuffmanCodes(const uint32_t* frequencies, size_t count, int most, HuffmanCode* codes);

}  // namespace millrace
