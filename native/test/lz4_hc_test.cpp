#include "core/lz4_hc.h"

#include <memory>

#include "core/lz4_decoder.h"
#include "fuzz/lz4_reference.h"
#include "support.h"

namespace millrace {
namespace {

std::string encoded(const std::string& content, int level) {
  static const auto encoder = std::make_unique<Lz4HcEncoder>();
  const std::vector<uint8_t> exact(content.begin(), content.end());
  std::string output(lz4RoomFor(content.size()), '\0');
  auto* to = reinterpret_cast<uint8_t*>(&output[0]);
  output.resize(encoder->encode(exact.data(), exact.size(), level, to));
  return output;
}

std::string fast(const std::string& content) {
  static Lz4Encoder encoder;
  std::string output(lz4RoomFor(content.size()), '\0');
  auto* to = reinterpret_cast<uint8_t*>(&output[0]);
  output.resize(encoder.encode(reinterpret_cast<const uint8_t*>(content.data()), content.size(), to));
  return output;
}

std::optional<std::string> decoded(const std::string& block) {
  return reference::Lz4BlockReader(reinterpret_cast<const uint8_t*>(block.data()), block.size()).read();
}

// Lines that share words, names and digits in part.
std::string lines(size_t count, uint64_t seed) {
  test::Random random(seed);
  const char* const states[] = {"new", "paid", "shipped"};
  std::string content;
  while (content.size() < count) {
    content += "{\"order\":" + std::to_string(random.below(1000000)) + ",\"user\":\"user-" +
               std::to_string(random.below(500)) + "\",\"state\":\"" + states[random.below(3)] + "\"}\n";
  }
  content.resize(count);
  return content;
}

TEST(Lz4Hc, KeepsTheRulesAtEveryLengthAndLevel) {
  const std::string words = "the quick brown fox, the quick red fox, the quicker brown fox; ";
  for (size_t count = 0; count <= 300; count++) {
    std::string content;
    while (content.size() < count) content += words;
    content.resize(count);
    for (int level = kLz4HcLevelLeast; level <= kLz4HcLevelMost; level++) {
      ASSERT_EQ(decoded(encoded(content, level)), content) << count << " at " << level;
    }
  }
}

TEST(Lz4Hc, WritesARunAsOneMatch) {
  for (const int level : {1, 9, 17}) {
    EXPECT_EQ(encoded(std::string(100, 'a'), level), fast(std::string(100, 'a'))) << level;
  }
}

TEST(Lz4Hc, WritesLessThanTheFastEncoderAndLessWithEachStep) {
  const std::string content = lines(kLz4BlockBytesMax, 1);
  size_t before = fast(content).size();
  for (const int level : {1, 4, 9, 10, 12}) {
    const std::string block = encoded(content, level);
    EXPECT_EQ(decoded(block), content);
    EXPECT_LT(block.size(), before) << level;
    before = block.size();
  }
}

TEST(Lz4Hc, ReadsWhatIsRandomRepeatedAndMixed) {
  test::Random random(7);
  for (int turn = 0; turn < 200; turn++) {
    std::string content;
    const size_t limit = random.below(3) == 0 ? kLz4BlockBytesMax : 1 + random.below(5000);
    while (content.size() < limit) {
      if (content.empty() || random.below(3) == 0) {
        content += random.bytes(1 + random.below(40));
        continue;
      }
      const size_t offset = 1 + random.below(content.size());
      for (size_t left = 1 + random.below(600); left > 0; left--) {
        content.push_back(content[content.size() - offset]);
      }
    }
    content.resize(limit);
    const int level = 1 + static_cast<int>(random.below(17));
    const std::string block = encoded(content, level);
    ASSERT_EQ(decoded(block), content) << turn << " at " << level;
  }
}

TEST(Lz4Hc, GrowsNoiseByLittle) {
  for (const size_t count : {size_t{15}, size_t{255}, size_t{4096}, kLz4BlockBytesMax}) {
    const std::string content = test::Random(count).bytes(count);
    const std::string block = encoded(content, 12);
    EXPECT_LE(block.size(), count + count / 255 + 16);
    EXPECT_EQ(decoded(block), content);
  }
}

TEST(Lz4Hc, DoesNotDependOnWhatWasEncodedBefore) {
  const std::string content = lines(3000, 3);
  const std::string first = encoded(content, 9);
  encoded(test::Random(4).bytes(5000) + content, 17);
  EXPECT_EQ(encoded(content, 9), first);
}

}  // namespace
}  // namespace millrace
