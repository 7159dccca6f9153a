#include "huffman.h"

#include <cstring>

namespace millrace {
namespace {

constexpr uint32_t kSymbolBits = 9;
constexpr uint32_t kSymbolMask = (1U << kSymbolBits) - 1;
// No tree of so few symbols is deeper: its frequencies would add up to a Fibonacci number above 2^23.
constexpr int kDepthMax = 40;

// Sorts by frequency, a byte at a time; symbols of one frequency stay in order.
void sortByFrequency(uint32_t* items, int count) {
  uint32_t others[kHuffmanSymbolsMax];
  for (uint32_t shift = kSymbolBits; shift < 32; shift += 8) {
    int ends[257] = {};
    for (int i = 0; i < count; i++) ends[(items[i] >> shift & 0xff) + 1]++;
    if (ends[1] == count && shift > kSymbolBits) continue;
    for (int byte = 0; byte < 256; byte++) ends[byte + 1] += ends[byte];
    for (int i = 0; i < count; i++) others[ends[items[i] >> shift & 0xff]++] = items[i];
    std::memcpy(items, others, static_cast<size_t>(count) * sizeof *items);
  }
}

// How many of the sorted frequencies have a code of each length, before any limit. The algorithm is that of
// Moffat and Katajainen, in place: frequencies become parents of inner nodes, and these their depths.
void countDepths(uint32_t* weights, int count, uint32_t* depths) {
  int root = 0, leaf = 2;
  weights[0] += weights[1];
  for (int next = 1; next < count - 1; next++) {
    const auto takeLeast = [&]() {
      if (leaf < count && (root >= next || weights[leaf] <= weights[root])) return weights[leaf++];
      const uint32_t weight = weights[root];
      weights[root++] = static_cast<uint32_t>(next);
      return weight;
    };
    const uint32_t first = takeLeast();
    weights[next] = first + takeLeast();
  }
  weights[count - 2] = 0;
  for (int next = count - 3; next >= 0; next--) weights[next] = weights[weights[next]] + 1;
  int available = 1, inner = count - 2;
  for (int depth = 0; available > 0; depth++) {
    int used = 0;
    for (; inner >= 0 && weights[inner] == static_cast<uint32_t>(depth); inner--) used++;
    depths[depth] = static_cast<uint32_t>(available - used);
    available = 2 * used;
  }
}

// Moves what is too deep up, and in return as much down as keeps the code complete.
void limitDepths(uint32_t* depths, int most) {
  uint64_t taken = 0;
  for (int depth = kDepthMax; depth > most; depth--) {
    depths[most] += depths[depth];
    depths[depth] = 0;
  }
  for (int depth = most; depth > 0; depth--) taken += static_cast<uint64_t>(depths[depth]) << (most - depth);
  for (; taken > uint64_t{1} << most; taken--) {
    depths[most]--;
    int depth = most - 1;
    while (depths[depth] == 0) depth--;
    depths[depth]--;
    depths[depth + 1] += 2;
  }
}

uint16_t reversed(uint32_t bits, int length) {
  uint32_t result = 0;
  for (; length > 0; length--, bits >>= 1) result = result << 1 | (bits & 1);
  return static_cast<uint16_t>(result);
}

void numberCodes(HuffmanCode* codes, size_t count, const uint32_t* depths, int most) {
  uint32_t next[kHuffmanBitsMax + 1] = {};
  for (int length = 2; length <= most; length++) next[length] = (next[length - 1] + depths[length - 1]) << 1;
  for (size_t symbol = 0; symbol < count; symbol++) {
    const uint8_t length = codes[symbol].length;
    codes[symbol].bits = length == 0 ? uint16_t{0} : reversed(next[length]++, length);
  }
}

}  // namespace

void makeHuffmanCodes(const uint32_t* frequencies, size_t count, int most, HuffmanCode* codes) {
  uint32_t sorted[kHuffmanSymbolsMax];
  uint32_t weights[kHuffmanSymbolsMax];
  uint32_t depths[kDepthMax + 1] = {};
  int used = 0;
  for (size_t symbol = 0; symbol < count; symbol++) {
    codes[symbol] = {0, 0};
    if (frequencies[symbol] > 0) {
      sorted[used++] = frequencies[symbol] << kSymbolBits | static_cast<uint32_t>(symbol);
    }
  }
  if (used == 0) return;
  sortByFrequency(sorted, used);
  if (used == 1) {
    depths[1] = 1;
  } else {
    for (int i = 0; i < used; i++) weights[i] = sorted[i] >> kSymbolBits;
    countDepths(weights, used, depths);
    limitDepths(depths, most);
  }
  for (int length = 1; length <= most; length++) {
    for (uint32_t left = depths[length]; left > 0; left--) {
      codes[sorted[--used] & kSymbolMask].length = static_cast<uint8_t>(length);
    }
  }
  numberCodes(codes, count, depths, most);
}

}  // namespace millrace
