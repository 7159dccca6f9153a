// The LZ4 encoder: what it writes is decoded by the reference to what it was given, in memory of exactly the
// bytes that are promised, whatever was encoded before.
#include <algorithm>
#include <memory>
#include <vector>

#include "core/lz4.h"
#include "input.h"
#include "lz4_reference.h"

namespace millrace::fuzz {
namespace {

// Pieces of the input, repeated in part: runs, near and far matches of any length, noise.
std::string makeContent(Input* input) {
  const size_t limit = input->rarely(8) ? kLz4BlockBytesMax : input->below(4096);
  std::string content;
  while (content.size() < limit && !input->empty()) {
    const size_t room = limit - content.size();
    if (content.empty() || input->rarely(3)) {
      content += input->bytes(std::min<size_t>(room, 1 + input->below(40)));
      continue;
    }
    const size_t offset = 1 + input->below(static_cast<uint32_t>(content.size()));
    const size_t wanted = input->rarely(8) ? input->below(20000) : 1 + input->below(300);
    for (size_t left = std::min(room, wanted); left > 0; left--) {
      content.push_back(content[content.size() - offset]);
    }
  }
  return content;
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t count) {
  using namespace millrace;
  static Lz4Encoder encoder;
  fuzz::Input input(data, count);
  const std::string content = fuzz::makeContent(&input);
  const std::vector<uint8_t> exact(content.begin(), content.end());
  const size_t room = lz4RoomFor(exact.size());
  const auto output = std::make_unique<uint8_t[]>(room);
  const size_t bytes = encoder.encode(exact.data(), exact.size(), output.get());
  FUZZ_CHECK(bytes >= 1 && bytes <= exact.size() + exact.size() / 255 + 16);
  FUZZ_CHECK(reference::Lz4BlockReader(output.get(), bytes).read() == content);
  return 0;
}
