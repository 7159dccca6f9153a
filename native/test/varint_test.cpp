#include "core/varint.h"

#include <gtest/gtest.h>

#include <limits>

#include "support.h"

namespace millrace {
namespace {

std::string encoded32(int32_t value) {
  uint8_t bytes[kVarintBytesMax];
  return test::toHex(bytes, static_cast<size_t>(writeVarint(bytes, value) - bytes));
}

std::string encoded64(int64_t value) {
  uint8_t bytes[kVarlongBytesMax];
  return test::toHex(bytes, static_cast<size_t>(writeVarlong(bytes, value) - bytes));
}

TEST(Varint, WritesTheBytesOfJavasByteUtilsTest) {
  EXPECT_EQ(encoded32(0), "00");
  EXPECT_EQ(encoded32(-1), "01");
  EXPECT_EQ(encoded32(1), "02");
  EXPECT_EQ(encoded32(63), "7e");
  EXPECT_EQ(encoded32(-64), "7f");
  EXPECT_EQ(encoded32(64), "8001");
  EXPECT_EQ(encoded32(-65), "8101");
  EXPECT_EQ(encoded32(8191), "fe7f");
  EXPECT_EQ(encoded32(-8192), "ff7f");
  EXPECT_EQ(encoded32(8192), "808001");
  EXPECT_EQ(encoded32(1048576), "80808001");
  EXPECT_EQ(encoded32(std::numeric_limits<int32_t>::max()), "feffffff0f");
  EXPECT_EQ(encoded32(std::numeric_limits<int32_t>::min()), "ffffffff0f");
  EXPECT_EQ(encoded64(std::numeric_limits<int64_t>::max()), "feffffffffffffffff01");
  EXPECT_EQ(encoded64(std::numeric_limits<int64_t>::min()), "ffffffffffffffffff01");
}

std::vector<int64_t> interestingValues() {
  std::vector<int64_t> values{0, -1};
  for (int bit = 0; bit < 63; bit++) {
    const int64_t power = int64_t{1} << bit;
    for (int64_t near : {power - 1, power, power + 1}) {
      values.push_back(near);
      values.push_back(-near);
    }
  }
  values.push_back(std::numeric_limits<int64_t>::max());
  values.push_back(std::numeric_limits<int64_t>::min());
  return values;
}

TEST(Varint, SizesAndValuesSurviveARoundTrip) {
  for (int64_t value : interestingValues()) {
    uint8_t bytes[kVarlongBytesMax];
    const uint8_t* end = writeVarlong(bytes, value);
    ASSERT_EQ(end - bytes, varlongBytes(value)) << value;
    int64_t read = 0;
    ASSERT_EQ(readVarlong(bytes, end, &read), end);
    ASSERT_EQ(read, value);
    ASSERT_EQ(readVarlong(bytes, end - 1, &read), nullptr) << "ends early";
    if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) continue;
    const auto narrow = static_cast<int32_t>(value);
    end = writeVarint(bytes, narrow);
    ASSERT_EQ(end - bytes, varintBytes(narrow)) << value;
    int32_t readNarrow = 0;
    ASSERT_EQ(readVarint(bytes, end, &readNarrow), end);
    ASSERT_EQ(readNarrow, narrow);
  }
}

TEST(Varint, RefusesMoreBitsThanTheTypeHas) {
  int32_t narrow = 0;
  int64_t wide = 0;
  const auto over32 = test::fromHex("ffffffff1f");
  const auto long32 = test::fromHex("808080808000");
  const auto over64 = test::fromHex("ffffffffffffffffff03");
  const auto long64 = test::fromHex("8080808080808080808000");
  EXPECT_EQ(readVarint(over32.data(), over32.data() + over32.size(), &narrow), nullptr);
  EXPECT_EQ(readVarint(long32.data(), long32.data() + long32.size(), &narrow), nullptr);
  EXPECT_EQ(readVarlong(over64.data(), over64.data() + over64.size(), &wide), nullptr);
  EXPECT_EQ(readVarlong(long64.data(), long64.data() + long64.size(), &wide), nullptr);
}

}  // namespace
}  // namespace millrace
