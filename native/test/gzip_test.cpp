#include "core/gzip.h"

#include "fuzz/gzip_reference.h"
#include "support.h"

namespace millrace {
namespace {

std::string encoded(const std::string& content) {
  static const auto encoder = std::make_unique<GzipEncoder>();
  const std::vector<uint8_t> exact(content.begin(), content.end());
  const auto output = std::make_unique<uint8_t[]>(gzipRoomFor(content.size()));
  const size_t bytes = encoder->encode(exact.data(), exact.size(), output.get());
  return std::string(reinterpret_cast<const char*>(output.get()), bytes);
}

std::string decoded(const std::string& member) {
  return reference::GzipReader(member).read().value_or("no member");
}

std::string noise(size_t count, uint64_t seed) {
  return test::Random(seed).bytes(count);
}

std::string lines(size_t count, uint64_t seed) {
  test::Random random(seed);
  std::string content;
  while (content.size() < count) {
    content += "{\"order\":" + std::to_string(random.below(1000000)) + ",\"user\":\"user-" +
               std::to_string(random.below(500)) + "\"}\n";
  }
  content.resize(count);
  return content;
}

TEST(Gzip, StoresWhatIsTooShortToGetSmaller) {
  EXPECT_EQ(encoded("").size(), 10U + 5 + 8);
  EXPECT_EQ(encoded("abc").substr(10, 8), std::string("\x01\x03\x00\xfc\xff"
                                                      "abc",
                                                      8));
  EXPECT_EQ(decoded(encoded("")), "");
  EXPECT_EQ(decoded(encoded("abc")), "abc");
}

TEST(Gzip, GivesBackEveryLength) {
  const std::string words = "the quick brown fox, the quick red fox, the quicker brown fox; ";
  for (size_t count = 0; count <= 700; count++) {
    std::string content;
    while (content.size() < count) content += words;
    content.resize(count);
    ASSERT_EQ(decoded(encoded(content)), content) << count;
  }
}

TEST(Gzip, GivesBackRunsOfEveryLengthAsMatchesOfAtMost258) {
  for (size_t count = 1; count <= 1200; count++) {
    const std::string content(count, 'a');
    ASSERT_EQ(decoded(encoded(content)), content) << count;
  }
  EXPECT_LT(encoded(std::string(60000, 'a')).size(), 120U);
}

TEST(Gzip, RepeatsWhatStands32KiBBeforeAndNoFurther) {
  const std::string piece = noise(400, 1);
  for (const size_t offset : {32767U, 32768U, 32769U, 65535U, 65536U, 65537U, 98304U}) {
    const std::string content = piece + noise(offset - piece.size(), 2) + piece;
    const std::string member = encoded(content);
    ASSERT_EQ(decoded(member), content) << offset;
    EXPECT_EQ(member.size() < content.size() - 300, offset <= 32768) << offset;
  }
}

TEST(Gzip, RepeatsAcrossBlocks) {
  const std::string piece = lines(30000, 3);
  const std::string content = piece + piece + piece + piece;
  const std::string member = encoded(content);
  EXPECT_EQ(decoded(member), content);
  EXPECT_LT(member.size(), encoded(piece).size() + 1000);
}

TEST(Gzip, StoresBlocksOfNoiseAmongOthers) {
  const std::string content = lines(70000, 4) + noise(140000, 5) + lines(70000, 6);
  const std::string member = encoded(content);
  reference::GzipReader reader(member);
  EXPECT_EQ(reader.read().value_or("no member"), content);
  EXPECT_GE(reader.storedBlocks(), 1);
  EXPECT_LT(reader.storedBlocks(), reader.blocks());
  for (const size_t count : {size_t{1000}, size_t{65535}, size_t{65536}, size_t{131070}, size_t{200000}}) {
    const std::string plain = noise(count, count);
    const std::string written = encoded(plain);
    EXPECT_EQ(written.size(), count + 18 + 5 * ((count + 65534) / 65535));
    EXPECT_EQ(decoded(written), plain);
  }
}

TEST(Gzip, WritesCodesOfAtMost15BitsForAnyFrequencies) {
  // Frequencies of Fibonacci make the deepest tree; the order hides all but short repeats.
  std::string content;
  for (uint32_t before = 1, last = 1, symbol = 0; content.size() < 60000; symbol++) {
    content.append(last, static_cast<char>(symbol));
    const uint32_t next = before + last;
    before = last;
    last = next;
  }
  test::Random random(7);
  for (size_t i = content.size() - 1; i > 0; i--) std::swap(content[i], content[random.below(i + 1)]);
  EXPECT_EQ(decoded(encoded(content)), content);
}

TEST(Gzip, DoesNotDependOnWhatWasEncodedBefore) {
  const std::string content = lines(100000, 8);
  const std::string first = encoded(content);
  encoded(noise(5000, 9) + content);
  EXPECT_EQ(encoded(content), first);
}

}  // namespace
}  // namespace millrace
