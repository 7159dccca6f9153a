// The gzip encoder: what it writes is decoded by the reference to what it was given, in memory of exactly the
// bytes that are promised. Codes: complete and of limited length, whatever the frequencies.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "content.h"
#include "core/gzip.h"
#include "core/huffman.h"
#include "gzip_reference.h"

namespace millrace::fuzz {
namespace {

constexpr size_t kContentBytesMax = 150000;

// Frequencies of any sizes, among them those that make deep trees.
void checkCodes(Input* input) {
  const size_t count = 1 + input->below(kHuffmanSymbolsMax);
  const int most = input->flip() ? kHuffmanBitsMax : 9 + static_cast<int>(input->below(7));
  std::vector<uint32_t> frequencies(count);
  uint32_t sum = 0, before = 1, last = 1;
  const bool isDeep = input->rarely(3);
  for (uint32_t& frequency : frequencies) {
    frequency = isDeep ? last : input->flip() ? input->below(8) : input->below(60000);
    const uint32_t next = before + last;
    before = last;
    last = next < 400000 ? next : 1;
    if ((sum += frequency) >= 1U << 23) frequency = 0;
  }
  std::vector<HuffmanCode> codes(count);
  makeHuffmanCodes(frequencies.data(), count, most, codes.data());
  uint64_t taken = 0, used = 0;
  for (size_t i = 0; i < count; i++) {
    FUZZ_CHECK((codes[i].length > 0) == (frequencies[i] > 0));
    FUZZ_CHECK(codes[i].length <= most && codes[i].bits < 1U << codes[i].length);
    if (codes[i].length == 0) continue;
    used++;
    taken += uint64_t{1} << (most - codes[i].length);
    for (size_t j = 0; j < i; j++) {
      if (codes[j].length == 0) continue;
      const uint32_t common = (1U << std::min(codes[i].length, codes[j].length)) - 1;
      FUZZ_CHECK((codes[i].bits & common) != (codes[j].bits & common));
      FUZZ_CHECK(frequencies[i] <= frequencies[j] || codes[i].length <= codes[j].length);
      FUZZ_CHECK(frequencies[i] >= frequencies[j] || codes[i].length >= codes[j].length);
    }
  }
  FUZZ_CHECK(used < 2 || taken == uint64_t{1} << most);
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t count) {
  using namespace millrace;
  static GzipEncoder encoder;
  fuzz::Input input(data, count);
  if (input.rarely(4)) {
    fuzz::checkCodes(&input);
    return 0;
  }
  const std::string content = fuzz::makeContent(&input, fuzz::kContentBytesMax);
  const std::vector<uint8_t> exact(content.begin(), content.end());
  const auto output = std::make_unique<uint8_t[]>(gzipRoomFor(exact.size()));
  const size_t bytes = encoder.encode(exact.data(), exact.size(), output.get());
  FUZZ_CHECK(bytes <= exact.size() + 18 + 5 * (exact.size() / 65535 + 1));
  const std::string member(reinterpret_cast<const char*>(output.get()), bytes);
  FUZZ_CHECK(reference::GzipReader(member).read() == content);
  return 0;
}
