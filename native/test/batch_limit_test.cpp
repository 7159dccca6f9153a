// Batches of several slabs: how far those of a topic may grow.
#include <gtest/gtest.h>

#include <string>

#include "core/appender.h"
#include "support.h"

namespace millrace {
namespace {

using test::dataOf;
using test::TestAppender;

constexpr int32_t kLimit = 1024;

TestAppender::Limits severalSlabs() {
  TestAppender::Limits limits;
  limits.batchSlabsMax = 4;
  return limits;
}

TEST(BatchLimit, HoldsFromTheNextBatchOn) {
  TestAppender appender(severalSlabs());
  appender->setTopic(0, 1);
  ASSERT_EQ(appender.appendBytes(0, 0, 900), AppendStatus::Ok);
  appender->setBatchLimit(0, 2000);
  ASSERT_EQ(appender.appendBytes(0, 0, 900), AppendStatus::Ok);
  EXPECT_EQ(appender.last.batch, 4) << "the open batch keeps its limit";
  EXPECT_EQ(appender->roomOf(4), kLimit - 961);
  ASSERT_EQ(appender.appendBytes(0, 0, 900), AppendStatus::Ok);
  EXPECT_EQ(appender.last.batch, 4) << "it grows";
  EXPECT_EQ(appender->roomOf(4), 2000 - 1861);
  ASSERT_EQ(appender.appendBytes(0, 0, 140), AppendStatus::Ok);
  EXPECT_NE(appender.last.batch, 4) << "2001 bytes are over the limit";
  EXPECT_EQ(appender->pool().at(4).phase, Phase::Sealed);
}

TEST(BatchLimit, IsAtLeastTheAppendersAndAtMostWhatSlabsAndRecordsAllow) {
  TestAppender::Limits limits = severalSlabs();
  limits.recordLimitBytes = 1500;
  TestAppender appender(limits);
  appender->setTopic(0, 1);
  appender->setBatchLimit(0, 1);
  ASSERT_EQ(appender.appendBytes(0, 0, 10), AppendStatus::Ok);
  EXPECT_EQ(appender->pool().at(appender.last.batch).limitBytes, static_cast<uint32_t>(kLimit));
  appender->seal(appender.last.batch);
  appender->setBatchLimit(0, 1'000'000);
  ASSERT_EQ(appender.appendBytes(0, 0, 10), AppendStatus::Ok);
  EXPECT_EQ(appender->pool().at(appender.last.batch).limitBytes, 1500U);
  limits.recordLimitBytes = 1 << 20;
  TestAppender other(limits);
  other->setTopic(0, 1);
  other->setBatchLimit(0, 1'000'000);
  ASSERT_EQ(other.appendBytes(0, 0, 10), AppendStatus::Ok);
  EXPECT_EQ(other->pool().at(other.last.batch).limitBytes, 4U * kLimit);
}

TEST(BatchLimit, LetsARecordLargerThanASlabStandInSeveral) {
  TestAppender appender(severalSlabs());
  appender->setTopic(0, 1);
  EXPECT_EQ(appender.appendBytes(0, 0, 3000), AppendStatus::NeedsLarge);
  appender->setBatchLimit(0, 4000);
  ASSERT_EQ(appender.appendBytes(0, 0, 3000), AppendStatus::Ok);
  EXPECT_FALSE(appender->pool().isLarge(appender.last.batch));
  EXPECT_EQ(appender->pool().availableBytes(), 5U * kLimit);
  ASSERT_EQ(appender.appendBytes(0, 0, 900), AppendStatus::Ok);
  EXPECT_EQ(appender.last.index, 1);
  // No group has so many free slabs side by side, but the budget has room.
  ASSERT_EQ(appender.appendBytes(0, 0, 900), AppendStatus::Ok);
  ASSERT_EQ(appender.last.batch, 4);
  EXPECT_EQ(appender.appendBytes(0, 0, 3000), AppendStatus::Ok);
  appender->seal(4);
  EXPECT_EQ(appender.appendBytes(0, 0, 3000), AppendStatus::NoMemory);
}

TEST(BatchLimit, IsTheShareOfTheNextStickyPartition) {
  TestAppender appender(severalSlabs());
  appender->setTopic(0, 2);
  appender->setBatchLimit(0, 2000);
  appender->setSticky(0, 0);
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, 1000), AppendStatus::Ok);
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, 900), AppendStatus::Ok);
  EXPECT_EQ(appender.last.index, 1);
  EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 1000), AppendStatus::Ok)
      << "the batch is full, but its partition has had less than its share";
  EXPECT_EQ(appender.last.index, 0);
  EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 1000), AppendStatus::ChoosePartition);
}

TEST(BatchLimit, CompressionGivesSlabsBack) {
  TestAppender appender(severalSlabs());
  appender->setTopic(0, 1);
  appender->setBatchLimit(0, 4000);
  for (int i = 0; i < 4; i++) ASSERT_EQ(appender.appendBytes(0, 0, 900), AppendStatus::Ok);
  const int32_t batch = appender.last.batch;
  EXPECT_EQ(appender->pool().availableBytes(), 4U * kLimit);
  appender->seal(batch);
  const std::string compressed(1200, 'c');
  ASSERT_TRUE(appender->replaceRecords(batch, dataOf(compressed), compressed.size()));
  EXPECT_EQ(appender->pool().availableBytes(), 6U * kLimit);
  EXPECT_TRUE(appender->settle(batch));
  EXPECT_EQ(appender->pool().availableBytes(), 8U * kLimit);
}

}  // namespace
}  // namespace millrace
