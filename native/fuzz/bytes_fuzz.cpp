// Varints, CRC-32C and murmur2 against the reference, at every alignment and split.
#include <algorithm>
#include <memory>
#include <vector>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/murmur2.h"
#include "core/varint.h"
#include "input.h"
#include "reference.h"

namespace millrace::fuzz {
namespace {

// In memory of exactly its size, so that one byte too many is found.
void checkVarint(int64_t value) {
  const auto narrow = static_cast<int32_t>(value);
  const std::string wide = reference::zigzag(value);
  const std::string small = reference::zigzag(narrow);
  const std::string plain = reference::varint(static_cast<uint64_t>(value));
  FUZZ_CHECK(varlongBytes(value) == static_cast<int32_t>(wide.size()));
  FUZZ_CHECK(varintBytes(narrow) == static_cast<int32_t>(small.size()));
  FUZZ_CHECK(unsignedVarintBytes(static_cast<uint64_t>(value)) == static_cast<int32_t>(plain.size()));
  std::vector<uint8_t> to(wide.size());
  FUZZ_CHECK(writeVarlong(to.data(), value) == to.data() + to.size());
  FUZZ_CHECK(std::equal(to.begin(), to.end(), dataOf(wide)));
  int64_t readWide = 0;
  FUZZ_CHECK(readVarlong(to.data(), to.data() + to.size(), &readWide) == to.data() + to.size());
  FUZZ_CHECK(readWide == value);
  to.assign(small.size(), 0);
  FUZZ_CHECK(writeVarint(to.data(), narrow) == to.data() + to.size());
  FUZZ_CHECK(std::equal(to.begin(), to.end(), dataOf(small)));
  int32_t readNarrow = 0;
  FUZZ_CHECK(readVarint(to.data(), to.data() + to.size(), &readNarrow) == to.data() + to.size());
  FUZZ_CHECK(readNarrow == narrow);
}

// Any bytes: both readers against arithmetic that cannot overflow.
void checkReading(const uint8_t* data, size_t count, uint32_t bits) {
  const std::vector<uint8_t> exact(data, data + count);
  long double expected = 0;
  size_t length = 0;
  bool complete = false;
  for (long double unit = 1; length < count && length < (bits + 6) / 7 && !complete; unit *= 128) {
    expected += unit * (exact[length] & 0x7f);
    complete = exact[length++] < 0x80;
  }
  const bool valid = complete && expected < (bits == 32 ? 4294967296.0L : 18446744073709551616.0L);
  uint64_t value = 0;
  const uint8_t* end = readUnsignedVarint(exact.data(), exact.data() + count, bits, &value);
  FUZZ_CHECK((end != nullptr) == valid);
  if (!valid) return;
  FUZZ_CHECK(end == exact.data() + length);
  FUZZ_CHECK(static_cast<long double>(value) == expected);
}

void checkHashes(Input* input) {
  const size_t alignment = input->below(64);
  const size_t count = input->rarely(64) ? input->below(20000) : input->below(300);
  const size_t split = input->below(static_cast<uint32_t>(count) + 1);
  const std::string content = input->bytes(count);
  const auto memory = std::make_unique<uint8_t[]>(alignment + count);
  uint8_t* data = memory.get() + alignment;
  copyBytes(data, dataOf(content), count);
  FUZZ_CHECK(std::equal(data, data + count, dataOf(content)));
  const uint32_t expected = reference::crc32c(dataOf(content), count);
  FUZZ_CHECK(crc32c(0, data, count) == expected);
  FUZZ_CHECK(crc32c(crc32c(0, data, split), data + split, count - split) == expected);
  for (const Crc32cImplementation& each : {crc32cTable(), crc32cSse42(), crc32cArmv8()}) {
    if (each.update != nullptr) FUZZ_CHECK(~each.update(~0U, data, count) == expected);
  }
  FUZZ_CHECK(murmur2(data, count) == reference::murmur2(dataOf(content), count));
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t count) {
  using namespace millrace::fuzz;
  Input input(data, count);
  for (int i = 0; i < 3; i++) checkVarint(input.number());
  checkReading(input.rest(), input.left() < 12 ? input.left() : 12, 32);
  checkReading(input.rest(), input.left() < 12 ? input.left() : 12, 64);
  checkHashes(&input);
  return 0;
}
