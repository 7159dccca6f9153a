#include "core/split.h"

#include <gtest/gtest.h>

#include <limits>

#include "support.h"

namespace millrace {
namespace {

using test::Random;
using test::TestAppender;
using test::TestRecord;

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
constexpr int32_t kAll = std::numeric_limits<int32_t>::max();

struct Read {
  int64_t timestampMs;
  std::string key;
  std::string value;
  std::string headers;
  int32_t headerCount;
  bool operator==(const Read& other) const {
    return timestampMs == other.timestampMs && key == other.key && value == other.value &&
           headers == other.headers && headerCount == other.headerCount;
  }
};

TestAppender::Limits slabs(uint32_t slabBytes, int32_t slabCount) {
  TestAppender::Limits limits;
  limits.slabBytes = slabBytes;
  limits.slabCount = slabCount;
  return limits;
}

// The records of a batch, read back from its finished bytes.
std::vector<Read> recordsOf(TestAppender& appender, int32_t batch, BatchHeader* header = nullptr) {
  const std::string bytes = appender.finished(batch);
  BatchReader reader(test::dataOf(bytes), bytes.size());
  EXPECT_EQ(reader.open(), ReadStatus::Ok);
  if (header != nullptr) *header = reader.header();
  std::vector<Read> records;
  Record record;
  ReadStatus status;
  while ((status = reader.next(&record)) == ReadStatus::Ok) {
    EXPECT_EQ(record.offsetDelta, static_cast<int32_t>(records.size()));
    records.push_back({record.timestampMs, std::to_string(record.key.count) + test::toString(record.key),
                       std::to_string(record.value.count) + test::toString(record.value),
                       test::toString(record.headers), record.headerCount});
  }
  EXPECT_EQ(status, ReadStatus::End);
  return records;
}

RecordsRegion regionOf(TestAppender& appender, int32_t batch) {
  const Batch& state = appender->pool().at(batch);
  return {state.memory + kBatchHeaderBytes, state.bytes - kBatchHeaderBytes};
}

// All children of a batch, each of at most limitBytes of records.
std::vector<int32_t> splitAll(TestAppender& appender, int32_t batch, int64_t limitBytes,
                              std::vector<std::unique_ptr<uint8_t[]>>* memory) {
  const RecordsRegion region = regionOf(appender, batch);
  std::vector<int32_t> children;
  for (size_t position = 0; position < region.count;) {
    Child child;
    EXPECT_TRUE(measureChild(region, position, limitBytes, kAll, &child));
    EXPECT_TRUE(child.records == 1 || child.bytes - kBatchHeaderBytes <= limitBytes);
    memory->push_back(std::make_unique<uint8_t[]>(static_cast<size_t>(child.bytes)));
    children.push_back(splitOff(&appender->pool(), batch, region, child, memory->back().get()));
    position = child.end;
  }
  return children;
}

TEST(SplitTest, ChildrenHoldTheRecordsInOrderWithDeltasOfTheirOwn) {
  Random random(7);
  for (int round = 0; round < 200; round++) {
    TestAppender appender(slabs(4096, 1));
    appender->setTopic(0, 1);
    const size_t count = 1 + random.below(90);
    for (size_t i = 0; i < count; i++) {
      TestRecord record;
      const int64_t farMs = random.below(4) == 0 ? static_cast<int64_t>(random.next()) : 0;
      record.timestampMs = farMs != 0 ? farMs : static_cast<int64_t>(random.below(100000));
      if (random.below(3) > 0) record.key = random.bytes(random.below(9));
      if (random.below(3) > 0) record.value = random.bytes(random.below(random.below(8) == 0 ? 500 : 20));
      if (random.below(4) == 0) record.headers = std::string("\x02\x02h\x02v", 5);
      if (appender.append(0, 0, record) != AppendStatus::Ok) break;
    }
    const int32_t parent = 0;
    appender->seal(parent);
    const std::vector<Read> expected = recordsOf(appender, parent);
    std::vector<std::unique_ptr<uint8_t[]>> memory;
    const auto limit = static_cast<int64_t>(random.below(600));
    std::vector<Read> actual;
    for (int32_t child : splitAll(appender, parent, limit, &memory)) {
      BatchHeader header;
      const std::vector<Read> records = recordsOf(appender, child, &header);
      EXPECT_EQ(header.baseTimestampMs, records.front().timestampMs);
      int64_t maxMs = records.front().timestampMs;
      for (const Read& record : records) maxMs = std::max(maxMs, record.timestampMs);
      EXPECT_EQ(header.maxTimestampMs, maxMs);
      EXPECT_EQ(header.recordsCount, static_cast<int32_t>(records.size()));
      actual.insert(actual.end(), records.begin(), records.end());
    }
    EXPECT_EQ(actual, expected);
  }
}

TEST(SplitTest, TheChargeGoesOverToTheChildrenAndComesBackWhole) {
  TestAppender appender(slabs(1024, 1));
  appender->setTopic(0, 1);
  while (appender.appendBytes(0, 0, 100) == AppendStatus::Ok && appender.last.batch == 0) {
  }
  SlabPool& pool = appender->pool();
  EXPECT_EQ(pool.availableBytes(), 0U);
  std::vector<std::unique_ptr<uint8_t[]>> memory;
  const std::vector<int32_t> children = splitAll(appender, 0, 250, &memory);
  EXPECT_EQ(children.size(), 5U);
  EXPECT_EQ(pool.availableBytes(), 0U);
  uint64_t charged = pool.at(0).chargeBytes;
  for (int32_t child : children) {
    EXPECT_EQ(pool.at(child).topic, 0);
    EXPECT_EQ(pool.at(child).partition, 0);
    charged += pool.at(child).chargeBytes;
  }
  EXPECT_EQ(charged, 1024U);
  EXPECT_TRUE(pool.settle(0));
  for (int32_t child : children) EXPECT_TRUE(pool.settle(child));
  EXPECT_EQ(pool.availableBytes(), 1024U);
}

TEST(SplitTest, ChildrenSmallerThanTheSlabGiveTheRestBackWithIt) {
  TestAppender appender(slabs(1024, 1));
  appender->setTopic(0, 1);
  appender.appendBytes(0, 0, 100);
  appender.appendBytes(0, 0, 100);
  appender->seal(0);
  std::vector<std::unique_ptr<uint8_t[]>> memory;
  const std::vector<int32_t> children = splitAll(appender, 0, 100, &memory);
  EXPECT_EQ(children.size(), 2U);
  EXPECT_TRUE(appender->pool().settle(0));
  EXPECT_EQ(appender->pool().availableBytes(), 1024U - 2 * (100 + kBatchHeaderBytes));
}

TEST(SplitTest, AChildCanBeSplitAgain) {
  TestAppender appender(slabs(1024, 1));
  appender->setTopic(0, 1);
  for (int i = 0; i < 8; i++) appender.appendBytes(0, 0, 100);
  appender->seal(0);
  std::vector<std::unique_ptr<uint8_t[]>> memory;
  const int32_t half = splitAll(appender, 0, 400, &memory).front();
  const std::vector<Read> expected = recordsOf(appender, half);
  EXPECT_EQ(expected.size(), 4U);
  std::vector<Read> actual;
  for (int32_t child : splitAll(appender, half, 200, &memory)) {
    for (const Read& record : recordsOf(appender, child)) actual.push_back(record);
  }
  EXPECT_EQ(actual, expected);
}

TEST(SplitTest, RegionsThatCannotBeReadAreRefused) {
  TestAppender appender;
  appender->setTopic(0, 1);
  appender.appendBytes(0, 0, 20);
  appender.appendBytes(0, 0, 20);
  const RecordsRegion whole = regionOf(appender, 0);
  Child child;
  EXPECT_FALSE(measureChild(whole, whole.count, kNoLimit, kAll, &child));
  EXPECT_FALSE(measureChild(whole, whole.count + 5, kNoLimit, kAll, &child));
  EXPECT_FALSE(measureChild(whole, 0, kNoLimit, 0, &child));
  for (size_t count = 0; count < whole.count; count++) {
    EXPECT_EQ(measureChild({whole.data, count}, 0, kNoLimit, kAll, &child), count == 20) << count;
  }
  Random random(3);
  for (int i = 0; i < 20000; i++) {
    const std::string bytes = random.bytes(random.below(24));
    const RecordsRegion region{test::dataOf(bytes), bytes.size()};
    if (measureChild(region, 0, kNoLimit, kAll, &child)) {
      EXPECT_LE(child.end, bytes.size());
    }
  }
}

}  // namespace
}  // namespace millrace
