#include "core/snappy.h"

#include "core/snappy_decoder.h"
#include "fuzz/snappy_reference.h"
#include "support.h"

namespace millrace {
namespace {

std::string encoded(const std::string& content) {
  static SnappyEncoder encoder;
  const std::vector<uint8_t> exact(content.begin(), content.end());
  std::vector<uint8_t> output(snappyRoomFor(content.size()));
  const size_t bytes = encoder.encode(exact.data(), exact.size(), output.data());
  return std::string(output.begin(), output.begin() + static_cast<ptrdiff_t>(bytes));
}

// The one block of what is short.
std::string block(const std::string& content) {
  const auto blocks = reference::snappyBlocks(encoded(content));
  return blocks && blocks->size() == 1 ? blocks->front() : "not one block";
}

std::string referenceOf(const std::string& chunks) {
  std::string content;
  const auto blocks = reference::snappyBlocks(chunks);
  if (!blocks) return "no chunks";
  for (const std::string& each : *blocks) {
    const auto* data = reinterpret_cast<const uint8_t*>(each.data());
    content +=
        reference::SnappyBlockReader(data, each.size()).read(kSnappyBlockBytesMax).value_or("no block");
  }
  return content;
}

int64_t decoded(const std::vector<uint8_t>& bytes, size_t room, std::string* content = nullptr) {
  const auto output = std::make_unique<uint8_t[]>(room);
  const int64_t count = snappyDecode(bytes.data(), bytes.size(), output.get(), room);
  if (content != nullptr && count >= 0) content->assign(output.get(), output.get() + count);
  return count;
}

std::string text(const std::string& hex) {
  std::string content;
  return decoded(test::fromHex(hex), 100000, &content) < 0 ? "malformed" : content;
}

std::string noise(size_t count, uint64_t seed) {
  return test::Random(seed).bytes(count);
}

TEST(Snappy, WritesNothingForNothing) {
  EXPECT_EQ(encoded(""), "");
}

TEST(Snappy, WritesLiteralsForWhatIsTooShortForAMatch) {
  EXPECT_EQ(block("abc"), std::string("\x03\x08"
                                      "abc"));
  EXPECT_EQ(block("aaaaaaaa"), std::string("\x08\x1c"
                                           "aaaaaaaa"));
}

TEST(Snappy, WritesARunAsALiteralAndMatchesOfAtMost64) {
  // 'a', then 64 and 35 bytes from one byte before.
  EXPECT_EQ(block(std::string(100, 'a')), std::string("\x64\x00"
                                                      "a"
                                                      "\xfe\x01\x00\x8a\x01\x00",
                                                      9));
  // 61 bytes after the first 60: neither leaves fewer than four.
  for (size_t length = 1; length <= 300; length++) {
    const std::string content(length, 'a');
    ASSERT_EQ(referenceOf(encoded(content)), content) << length;
    ASSERT_LE(block(content).size(), 4 + (length + 63) / 64 * 3 + (length < 9 ? length : 0)) << length;
  }
}

TEST(Snappy, WritesNearAndShortMatchesInTwoBytes) {
  const std::string content = "abcdefghij" + noise(30, 1) + "abcdefghij" + noise(30, 2);
  // Three tags of literals would be one more than there is room for.
  EXPECT_EQ(block(content).size(), 1 + 1 + 40 + 2 + 1 + 30);
  const std::string far = "abcdefghij" + noise(3000, 3) + "abcdefghij" + noise(30, 4);
  EXPECT_EQ(block(far).size(), 2 + 3 + 3010 + 3 + 1 + 30);
}

TEST(Snappy, GivesBackEveryLength) {
  const std::string words = "the quick brown fox, the quick red fox, the quicker brown fox; ";
  for (size_t count = 0; count <= 400; count++) {
    std::string content;
    while (content.size() < count) content += words;
    content.resize(count);
    ASSERT_EQ(referenceOf(encoded(content)), content) << count;
  }
}

TEST(Snappy, WritesChunksOf32KiBThatStandForThemselves) {
  const std::string piece = noise(kSnappyBlockBytesMax, 5);
  const std::string content = piece + piece + piece.substr(0, 1000);
  const auto blocks = reference::snappyBlocks(encoded(content));
  ASSERT_TRUE(blocks);
  ASSERT_EQ(blocks->size(), 3U);
  EXPECT_EQ((*blocks)[0], (*blocks)[1]);
  EXPECT_EQ((*blocks)[2], block(piece.substr(0, 1000)));
  EXPECT_EQ(referenceOf(encoded(content)), content);
}

TEST(Snappy, GrowsNoiseByLittle) {
  for (const size_t count :
       {size_t{60}, size_t{61}, size_t{256}, size_t{257}, size_t{32768}, size_t{70000}}) {
    const std::string content = noise(count, count);
    EXPECT_LE(encoded(content).size(), count + count / 61 + (count / kSnappyBlockBytesMax + 1) * 10);
    EXPECT_EQ(referenceOf(encoded(content)), content);
  }
}

TEST(Snappy, DoesNotDependOnWhatWasEncodedBefore) {
  const std::string content = std::string(500, 'x') + noise(500, 6) + std::string(500, 'x');
  const std::string first = encoded(content);
  encoded(noise(5000, 7) + content);
  EXPECT_EQ(encoded(content), first);
}

TEST(SnappyDecoder, ReadsEveryKindOfElement) {
  EXPECT_EQ(text("00"), "");
  EXPECT_EQ(text("0308616263"), "abc");
  EXPECT_EQ(text("03f002616263"), "abc");
  EXPECT_EQ(text("03f40200616263"), "abc");
  EXPECT_EQ(text("03f8020000616263"), "abc");
  EXPECT_EQ(text("03fc02000000616263"), "abc");
  EXPECT_EQ(text("08"
                 "03"
                 "0061"),
            "malformed");
  EXPECT_EQ(text("08"
                 "08616263"
                 "0503"),
            "abcabcab");
  EXPECT_EQ(text("08"
                 "08616263"
                 "120300"),
            "abcabcab");
  EXPECT_EQ(text("08"
                 "08616263"
                 "1303000000"),
            "abcabcab");
}

TEST(SnappyDecoder, ReadsWhatIsWritten) {
  const std::string content = noise(3000, 8) + std::string(3000, 'y') + noise(3000, 8) + "tail";
  const std::string written = block(content);
  const std::vector<uint8_t> bytes(written.begin(), written.end());
  std::string read;
  EXPECT_EQ(decoded(bytes, content.size(), &read), static_cast<int64_t>(content.size()));
  EXPECT_EQ(read, content);
  EXPECT_EQ(decoded(bytes, content.size() - 1), kSnappyTooLarge);
  for (size_t cut = 0; cut < bytes.size(); cut++) {
    ASSERT_EQ(decoded({bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(cut)}, content.size()),
              kSnappyMalformed)
        << cut;
  }
}

TEST(SnappyDecoder, RefusesWhatTheFormatDoesNotAllow) {
  const std::pair<const char*, const char*> blocks[] = {
      {"", "no length"},
      {"ffffffffff01", "a length of more than five bytes"},
      {"ffffffff1f", "a length of more than 32 bits"},
      {"04"
       "08616263",
       "fewer bytes than it says"},
      {"02"
       "08616263",
       "more literals than it says"},
      {"05"
       "08616263"
       "0503",
       "a longer match than it says"},
      {"08"
       "08616263"
       "0500",
       "an offset of 0"},
      {"08"
       "08616263"
       "0504",
       "an offset before the first byte"},
      {"08"
       "08616263"
       "1203",
       "half an offset"},
      {"08"
       "08616263"
       "13030000",
       "three bytes of an offset of four"},
      {"08"
       "08616263"
       "1303000001",
       "a far offset"},
      {"03"
       "f0",
       "no length of literals"},
      {"03"
       "fcffffffff616263",
       "literals without end"},
      {"00"
       "00",
       "literals that are not there"},
  };
  for (const auto& [hex, what] : blocks) EXPECT_EQ(decoded(test::fromHex(hex), 64), kSnappyMalformed) << what;
  EXPECT_EQ(decoded(test::fromHex("ffffffff0f"), 64), kSnappyTooLarge);
}

}  // namespace
}  // namespace millrace
