#include "core/murmur2.h"

#include <gtest/gtest.h>

#include "support.h"

namespace millrace {
namespace {

struct Vector {
  const char* hex;
  int32_t hash;
  uint32_t positive;
};

// From Kafka's UtilsTest and computed with Kafka's own jar.
constexpr Vector kVectors[] = {
    {"3231", -973932308, 1173551340},
    {"666f6f626172", -790332482, 1357151166},
    {"612d6c6974746c652d6269742d6c6f6e672d737472696e67", -985981536, 1161502112},
    {"612d6c6974746c652d6269742d6c6f6e6765722d737472696e67", -1486304829, 661178819},
    {"6c6b6a683233346c68396669756839307932336f697568736166756a6861646f66323239706872396831396838396838",
     -58897971, 2088585677},
    {"616263", 479470107, 479470107},
    {"", 275646681, 275646681},
    {"61", -1563381124, 584102524},
    {"6162", 316155434, 316155434},
    {"61626364", -1323649548, 823834100},
    {"6b6579", -1079937367, 1067546281},
    {"ff", -311467685, 1836015963},
    {"ffffff", 1548199422, 1548199422},
    {"8080808080", -1525148316, 622335332},
    {"00000001", -173113808, 1974369840},
};

TEST(Murmur2, EqualsJavaOnItsVectors) {
  for (const Vector& vector : kVectors) {
    const auto bytes = test::fromHex(vector.hex);
    EXPECT_EQ(murmur2(bytes.data(), bytes.size()), vector.hash) << vector.hex;
    EXPECT_EQ(toPositive(murmur2(bytes.data(), bytes.size())), vector.positive) << vector.hex;
  }
}

TEST(Murmur2, DoesNotDependOnAlignment) {
  const std::string bytes = test::Random(1).bytes(257);
  for (size_t count = 0; count <= 257; count++) {
    const int32_t expected = murmur2(test::dataOf(bytes), count);
    for (size_t shift = 0; shift < 8; shift++) {
      const std::string shifted = std::string(shift, 'x') + bytes.substr(0, count);
      ASSERT_EQ(murmur2(test::dataOf(shifted) + shift, count), expected) << count << " at " << shift;
    }
  }
}

// java.util.SplittableRandom, enough of it for nextBytes.
class SplittableRandom {
 public:
  explicit SplittableRandom(uint64_t seed) : seed_(seed) {}
  uint64_t nextLong() {
    seed_ += 0x9e3779b97f4a7c15ULL;
    uint64_t mixed = seed_;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebULL;
    return mixed ^ mixed >> 31;
  }
  void fill(std::vector<uint8_t>* bytes) {
    size_t i = 0;
    for (size_t words = bytes->size() / 8; words > 0; words--) {
      uint64_t word = nextLong();
      for (int k = 0; k < 8; k++, word >>= 8) (*bytes)[i++] = static_cast<uint8_t>(word);
    }
    if (i == bytes->size()) return;
    for (uint64_t word = nextLong(); i < bytes->size(); word >>= 8)
      (*bytes)[i++] = static_cast<uint8_t>(word);
  }

 private:
  uint64_t seed_;
};

TEST(Murmur2, EqualsJavaOnItsBulkCheck) {
  SplittableRandom random(0);
  uint64_t sum = 0;
  for (size_t count = 0; count <= 1000; count++) {
    std::vector<uint8_t> bytes(count);
    for (int i = 0; i < 100; i++) {
      random.fill(&bytes);
      sum += static_cast<uint32_t>(murmur2(bytes.data(), bytes.size()));
    }
  }
  EXPECT_EQ(sum, 0xc3b8cf7c99fcULL);
}

}  // namespace
}  // namespace millrace
