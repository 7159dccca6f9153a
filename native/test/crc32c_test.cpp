#include "core/crc32c.h"

#include <gtest/gtest.h>

#include "support.h"

namespace millrace {
namespace {

uint32_t bitByBit(uint32_t state, const uint8_t* data, size_t count) {
  for (size_t i = 0; i < count; i++) {
    state ^= data[i];
    for (int bit = 0; bit < 8; bit++) state = state >> 1 ^ ((state & 1) != 0 ? 0x82f63b78U : 0U);
  }
  return state;
}

std::vector<Crc32cImplementation> available() {
  std::vector<Crc32cImplementation> found;
  for (const auto& implementation : {crc32cAvx512(), crc32cSse42(), crc32cArmv8(), crc32cTable()}) {
    if (implementation.update != nullptr) found.push_back(implementation);
  }
  return found;
}

TEST(Crc32c, GivesTheValuesOfRfc3720) {
  const std::vector<uint8_t> zeros(32, 0), ones(32, 0xff);
  std::vector<uint8_t> up(32), down(32);
  for (size_t i = 0; i < 32; i++) {
    up[i] = static_cast<uint8_t>(i);
    down[i] = static_cast<uint8_t>(31 - i);
  }
  const std::string digits = "123456789";
  EXPECT_EQ(crc32c(0, zeros.data(), 32), 0x8a9136aaU);
  EXPECT_EQ(crc32c(0, ones.data(), 32), 0x62a8ab43U);
  EXPECT_EQ(crc32c(0, up.data(), 32), 0x46dd794eU);
  EXPECT_EQ(crc32c(0, down.data(), 32), 0x113fdb5cU);
  EXPECT_EQ(crc32c(0, test::dataOf(digits), 9), 0xe3069283U);
  EXPECT_EQ(crc32c(0, nullptr, 0), 0U);
}

TEST(Crc32c, PicksTheFirstImplementationTheProcessorHas) {
  EXPECT_STREQ(crc32cPicked().name, available().front().name);
  EXPECT_STREQ(available().back().name, "table");
}

TEST(Crc32c, ImplementationsAgreeForEveryLengthAndAlignment) {
  const std::string bytes = test::Random(2).bytes(4096 + 64);
  for (const auto& implementation : available()) {
    for (size_t shift = 0; shift < 8; shift++) {
      const uint8_t* data = test::dataOf(bytes) + shift;
      uint32_t reference = 0x12345678;
      for (size_t count = 0; count <= 4096; count++) {
        ASSERT_EQ(implementation.update(0x12345678, data, count), reference)
            << implementation.name << " " << count << " at " << shift;
        reference = bitByBit(reference, data + count, 1);
      }
    }
    for (size_t shift = 8; shift < 64; shift++) {
      const uint8_t* data = test::dataOf(bytes) + shift;
      for (size_t count : {size_t{0}, size_t{7}, size_t{383}, size_t{384}, size_t{1023}, size_t{4096}}) {
        ASSERT_EQ(implementation.update(7, data, count), bitByBit(7, data, count)) << implementation.name;
      }
    }
  }
}

TEST(Crc32c, ImplementationsAgreeOnLongInputs) {
  const std::string bytes = test::Random(3).bytes(70000);
  for (const auto& implementation : available()) {
    for (size_t count : {4079UL, 4080UL, 4081UL, 6143UL, 6144UL, 6145UL, 16384UL, 65536UL, 69999UL}) {
      ASSERT_EQ(implementation.update(1, test::dataOf(bytes), count), bitByBit(1, test::dataOf(bytes), count))
          << implementation.name << " " << count;
    }
  }
}

TEST(Crc32c, ContinuesFromAnEarlierValue) {
  const std::string bytes = test::Random(4).bytes(10000);
  const uint32_t whole = crc32c(0, test::dataOf(bytes), bytes.size());
  for (size_t cut = 0; cut <= bytes.size(); cut += 997) {
    const uint32_t first = crc32c(0, test::dataOf(bytes), cut);
    ASSERT_EQ(crc32c(first, test::dataOf(bytes) + cut, bytes.size() - cut), whole) << cut;
  }
}

}  // namespace
}  // namespace millrace
