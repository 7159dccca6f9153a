// The Snappy encoder: what it writes is decoded by the reference to what it was given, in memory of exactly
// the bytes that are promised. The decoder: it reads that, and answers anything else as the reference does,
// in memory of exactly the bytes it may write.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "content.h"
#include "core/snappy.h"
#include "core/snappy_decoder.h"
#include "snappy_reference.h"

namespace millrace::fuzz {
namespace {

constexpr size_t kContentBytesMax = 3 * kSnappyBlockBytesMax;

int64_t decode(const std::string& block, size_t room, std::string* content) {
  const std::vector<uint8_t> exact(block.begin(), block.end());
  const auto output = std::make_unique<uint8_t[]>(room);
  const int64_t bytes = snappyDecode(exact.data(), exact.size(), output.get(), room);
  if (bytes > 0) content->assign(reinterpret_cast<const char*>(output.get()), static_cast<size_t>(bytes));
  return bytes;
}

void expectAsReference(const std::string& block) {
  const auto expected = reference::SnappyBlockReader(dataOf(block), block.size()).read(kContentBytesMax);
  std::string content;
  const int64_t bytes = decode(block, expected ? expected->size() : kContentBytesMax, &content);
  FUZZ_CHECK(expected.has_value() == (bytes >= 0));
  if (!expected) return;
  FUZZ_CHECK(content == *expected);
  if (!expected->empty()) FUZZ_CHECK(decode(block, expected->size() - 1, &content) == kSnappyTooLarge);
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t count) {
  using namespace millrace;
  static SnappyEncoder encoder;
  fuzz::Input input(data, count);
  const std::string content = fuzz::makeContent(&input, fuzz::kContentBytesMax);
  const std::vector<uint8_t> exact(content.begin(), content.end());
  const auto output = std::make_unique<uint8_t[]>(snappyRoomFor(exact.size()));
  const size_t bytes = encoder.encode(exact.data(), exact.size(), output.get());
  const auto blocks =
      reference::snappyBlocks(std::string(reinterpret_cast<const char*>(output.get()), bytes));
  FUZZ_CHECK(blocks.has_value());
  std::string read;
  for (const std::string& block : *blocks) {
    FUZZ_CHECK(block.size() <= kSnappyBlockBytesMax + kSnappyBlockBytesMax / 61 + 6);
    const auto part = reference::SnappyBlockReader(fuzz::dataOf(block), block.size()).read(1 << 20);
    FUZZ_CHECK(part.has_value() &&
               part->size() == std::min(kSnappyBlockBytesMax, content.size() - read.size()));
    read += *part;
    fuzz::expectAsReference(block);
  }
  FUZZ_CHECK(read == content);
  // What the input itself says is mostly no block; a few changed bytes of a block are nearly one.
  if (!blocks->empty() && count > 2) {
    std::string changed = blocks->front();
    changed[data[0] % changed.size()] = static_cast<char>(data[1]);
    fuzz::expectAsReference(changed);
  }
  fuzz::expectAsReference(std::string(reinterpret_cast<const char*>(data), std::min<size_t>(count, 200)));
  return 0;
}
