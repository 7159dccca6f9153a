#include "core/lz4.h"

#include "fuzz/lz4_reference.h"
#include "support.h"

namespace millrace {
namespace {

std::string encoded(const std::string& content) {
  static Lz4Encoder encoder;
  const std::vector<uint8_t> exact(content.begin(), content.end());
  std::string output(lz4RoomFor(content.size()), '\0');
  output.resize(encoder.encode(exact.data(), exact.size(), reinterpret_cast<uint8_t*>(&output[0])));
  return output;
}

std::optional<std::string> decoded(const std::string& block) {
  return reference::Lz4BlockReader(reinterpret_cast<const uint8_t*>(block.data()), block.size()).read();
}

std::string noise(size_t count, uint64_t seed) {
  return test::Random(seed).bytes(count);
}

TEST(Lz4, WritesABlockWithoutMatchesForWhatIsTooShortForOne) {
  EXPECT_EQ(encoded(""), std::string(1, '\0'));
  EXPECT_EQ(encoded("abc"),
            "\x30"
            "abc");
  EXPECT_EQ(encoded("aaaaaaaaaaaa"),
            "\xc0"
            "aaaaaaaaaaaa");
}

TEST(Lz4, WritesARunAsOneMatch) {
  // One literal, 'a' repeated from one byte before, and the last literals.
  const std::string block = encoded(std::string(100, 'a'));
  EXPECT_EQ(block, std::string("\x1f"
                               "a"
                               "\x01\x00\x4b"
                               "\x50"
                               "aaaaa",
                               11));
  EXPECT_EQ(decoded(block), std::string(100, 'a'));
}

TEST(Lz4, KeepsTheRulesAtEveryLength) {
  const std::string words = "the quick brown fox, the quick red fox, the quicker brown fox; ";
  for (size_t count = 0; count <= 400; count++) {
    std::string content;
    while (content.size() < count) content += words;
    content.resize(count);
    EXPECT_EQ(decoded(encoded(content)), content) << count;
  }
}

TEST(Lz4, FindsMatchesAcrossAWholeBlockAndNoFurther) {
  const std::string piece = noise(1000, 1);
  const std::string content = piece + noise(kLz4BlockBytesMax - 2000, 2) + piece;
  const std::string block = encoded(content);
  EXPECT_LT(block.size(), content.size() - 700);
  EXPECT_EQ(decoded(block), content);
}

TEST(Lz4, FindsTheMatchThatFollowsOneOfAnyLengthAtOnce) {
  const std::string first = noise(30, 6);
  const std::string second = noise(30, 7);
  const std::string last = noise(20, 8);
  for (size_t length = 5; length <= 30; length++) {
    const std::string content = first + second + first.substr(0, length) + second.substr(0, length) + last;
    const std::string block = encoded(content);
    EXPECT_EQ(decoded(block), content) << length;
    // Two matches in place of their bytes: tokens and offsets, and the lengths of literals and matches.
    EXPECT_LE(block.size(), content.size() - 2 * length + 2 * 3 + 2 + 3) << length;
  }
}

TEST(Lz4, GrowsNoiseByLittle) {
  for (const size_t count : {size_t{255}, size_t{4096}, kLz4BlockBytesMax}) {
    const std::string content = noise(count, count);
    const std::string block = encoded(content);
    EXPECT_LE(block.size(), count + count / 255 + 16);
    EXPECT_EQ(decoded(block), content);
  }
}

TEST(Lz4, DoesNotDependOnWhatWasEncodedBefore) {
  const std::string content = std::string(500, 'x') + noise(500, 3) + std::string(500, 'x');
  const std::string first = encoded(content);
  encoded(noise(5000, 4) + content);
  EXPECT_EQ(encoded(content), first);
}

}  // namespace
}  // namespace millrace
