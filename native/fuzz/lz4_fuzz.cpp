// The LZ4 encoder: what it writes is decoded by the reference to what it was given, in memory of exactly the
// bytes that are promised, whatever was encoded before. The decoder: it reads that, and answers anything
// else, in memory of exactly the bytes it may write, as the reference does.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "content.h"
#include "core/lz4.h"
#include "core/lz4_decoder.h"
#include "lz4_reference.h"

namespace millrace::fuzz {
namespace {

// The content as our own decoder reads it into exactly `room` bytes.
std::optional<std::string> decoded(const uint8_t* block, size_t count, size_t room) {
  const std::vector<uint8_t> exact(block, block + count);
  const auto output = std::make_unique<uint8_t[]>(room);
  const int64_t bytes = lz4Decode(exact.data(), exact.size(), output.get(), room);
  if (bytes < 0) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(output.get()), static_cast<size_t>(bytes));
}

// A decoder need not refuse what only an encoder may not write, so it reads all that the reference reads.
void expectAsReference(const uint8_t* block, size_t count) {
  const auto content = reference::Lz4BlockReader(block, count).read();
  const auto ours = decoded(block, count, content ? content->size() : 70000);
  FUZZ_CHECK(!content || ours == content);
  if (content && !content->empty()) FUZZ_CHECK(!decoded(block, count, content->size() - 1));
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t count) {
  using namespace millrace;
  static Lz4Encoder encoder;
  fuzz::Input input(data, count);
  const std::string content = fuzz::makeContent(&input, kLz4BlockBytesMax);
  const std::vector<uint8_t> exact(content.begin(), content.end());
  const size_t room = lz4RoomFor(exact.size());
  const auto output = std::make_unique<uint8_t[]>(room);
  const size_t bytes = encoder.encode(exact.data(), exact.size(), output.get());
  FUZZ_CHECK(bytes >= 1 && bytes <= exact.size() + exact.size() / 255 + 16);
  FUZZ_CHECK(reference::Lz4BlockReader(output.get(), bytes).read() == content);
  FUZZ_CHECK(fuzz::decoded(output.get(), bytes, content.size()) == content);
  // What the input itself says is mostly no block; a few changed bytes of a block are nearly one.
  if (bytes > 0 && count > 2) output[data[0] % bytes] = data[1];
  fuzz::expectAsReference(output.get(), bytes);
  fuzz::expectAsReference(data, std::min<size_t>(count, 200));
  return 0;
}
