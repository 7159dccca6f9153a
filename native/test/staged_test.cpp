#include "core/staged.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "staging.h"

namespace millrace {
namespace {

using namespace staged_layout;
using place_layout::kIndex;
using test::expectSameBatches;
using test::Nonsense;
using test::settleAll;
using test::Staging;
using test::TestAppender;
using test::TestRecord;

TEST(Staged, WritesTheSameBytesAsDirectAppends) {
  test::Random random(8);
  TestAppender direct({4096, 40, 0, 0, 1 << 20}), staged({4096, 40, 0, 0, 1 << 20});
  direct->setTopic(0, 5);
  staged->setTopic(0, 5);
  Staging staging(256, 65536);
  for (int i = 0; i < 256; i++) {
    TestRecord record{static_cast<int64_t>(random.below(1000)), random.bytes(random.below(30)), std::nullopt,
                      ""};
    if (random.below(4) != 0) record.value = random.bytes(random.below(100));
    if (random.below(4) == 0) record.headers = std::string("\x02\x02h\x02x", 5);
    ASSERT_EQ(direct.append(0, kPartitionByKey, record), AppendStatus::Ok);
    staging.put(0, kPartitionByKey, record);
  }
  const DrainResult drained = drainStaged(*staged, staging.area(), 0, 256, 0);
  EXPECT_EQ(drained.processed, 256);
  EXPECT_EQ(drained.status, AppendStatus::Ok);
  EXPECT_EQ(drained.fault, nullptr);
  EXPECT_EQ(staged->pool().availableBytes(), direct->pool().availableBytes());
  expectSameBatches(staged, direct);
}

TEST(Staged, TellsPartitionIndexAndBatchOfEachRecord) {
  TestAppender appender;
  appender->setTopic(0, 12);
  Staging staging(4, 100);
  staging.put(0, kPartitionByKey, {0, "foobar", "v", ""});
  staging.put(0, 3, {0, std::nullopt, "v", ""});
  staging.put(0, kPartitionByKey, {0, "foobar", "v", ""});
  ASSERT_EQ(drainStaged(*appender, staging.area(), 0, 3, 0).processed, 3);
  EXPECT_EQ(staging.partitionOf(0), 6);
  EXPECT_EQ(staging.place(0)[kIndex], 0);
  EXPECT_EQ(staging.batchOf(0), 0);
  EXPECT_EQ(staging.partitionOf(1), 3);
  EXPECT_EQ(staging.batchOf(1), 1);
  EXPECT_EQ(staging.place(2)[kIndex], 1);
  EXPECT_EQ(staging.batchOf(2), 0);
}

TEST(Staged, StopsAtARecordThatNeedsSomethingAndGoesOnFromIt) {
  TestAppender appender({1024, 8, 0, 0, 4000});
  appender->setTopic(0, 2);
  Staging staging(8, 16384);
  staging.put(0, 0, {0, std::nullopt, "first", ""});
  staging.put(0, kPartitionSticky, {0, std::nullopt, "sticky", ""});
  staging.put(0, 0, {0, std::nullopt, std::string(2000, 'l'), ""});
  staging.put(0, 0, {0, std::nullopt, std::string(5000, 't'), ""});
  staging.put(0, 0, {0, std::nullopt, "last", ""});

  DrainResult drained = drainStaged(*appender, staging.area(), 0, 5, 0);
  EXPECT_EQ(drained.processed, 1);
  EXPECT_EQ(drained.status, AppendStatus::ChoosePartition);
  appender->setSticky(0, 1);
  drained = drainStaged(*appender, staging.area(), 1, 4, 0);
  EXPECT_EQ(drained.processed, 1);
  EXPECT_EQ(drained.status, AppendStatus::NeedsLarge);
  std::vector<uint8_t> memory(static_cast<size_t>(drained.sizeBytes));
  appender->offerLarge(memory.data(), static_cast<uint32_t>(memory.size()));
  drained = drainStaged(*appender, staging.area(), 2, 3, 0);
  EXPECT_EQ(drained.processed, 1);
  EXPECT_EQ(drained.status, AppendStatus::TooLarge);
  EXPECT_GT(drained.sizeBytes, 5000);
  drained = drainStaged(*appender, staging.area(), 4, 1, 0);
  EXPECT_EQ(drained.processed, 1);
  EXPECT_EQ(drained.status, AppendStatus::Ok);
  EXPECT_EQ(staging.place(4)[kIndex], 0) << "behind the large batch a new one begins";
}

TEST(Staged, NamesDescriptorsThatMakeNoSense) {
  constexpr int32_t least = std::numeric_limits<int32_t>::min(), most = std::numeric_limits<int32_t>::max();
  const Nonsense cases[] = {
      {kTopic, 1, "topic"},          {kTopic, -1, "topic"},           {kTopic, most, "topic"},
      {kPartition, 2, "partition"},  {kPartition, -3, "partition"},   {kPartition, least, "partition"},
      {kKeyBytes, -2, "key"},        {kKeyBytes, least, "key"},       {kKeyBytes, 98, "staging area"},
      {kKeyBytes, most, "staging"},  {kValueBytes, -2, "value"},      {kValueBytes, most, "staging"},
      {kHeaderBytes, -1, "headers"}, {kHeaderBytes, most, "staging"}, {kOffset, -1, "staging"},
      {kOffset, most, "staging"},    {kOffset, 97, "staging"},
  };
  for (const Nonsense& nonsense : cases) {
    TestAppender appender;
    appender->setTopic(0, 2);
    Staging staging(2, 100);
    staging.put(0, 0, {0, "k", "v", ""});
    staging.put(0, 1, {0, "key", "v", ""});
    staging.at(1)[nonsense.word] = nonsense.value;
    const DrainResult drained = drainStaged(*appender, staging.area(), 0, 2, 0);
    EXPECT_EQ(drained.processed, 1);
    ASSERT_NE(drained.fault, nullptr) << nonsense.word << " = " << nonsense.value;
    EXPECT_NE(std::string(drained.fault).find(nonsense.fault), std::string::npos) << drained.fault;
  }
}

TEST(Staged, WritesARecordToThePlacePromisedForIt) {
  TestAppender appender;
  appender->setTopic(0, 3);
  appender->setSticky(0, 2);
  ASSERT_EQ(appender.append(0, 2, {0, std::nullopt, "first", ""}), AppendStatus::Ok);
  Staging staging(4, 200);
  staging.put(0, 2, {0, std::nullopt, "named", ""});
  staging.promise(0, 1);
  staging.put(0, kPartitionSticky, {0, std::nullopt, "sticky", ""});
  staging.promise(0, 2);
  staging.put(0, 2, {0, std::nullopt, "with headers", std::string("\x02\x02h\x02x", 5)});
  staging.promise(0, 3);
  staging.put(0, kPartitionSticky, {0, std::nullopt, "free", ""});
  const DrainResult drained = drainStaged(*appender, staging.area(), 0, 4, 0);
  ASSERT_EQ(drained.fault, nullptr);
  ASSERT_EQ(drained.processed, 4);
  EXPECT_EQ(drained.touched, 1);
  for (int32_t record = 0; record < 4; record++) {
    EXPECT_EQ(staging.batchOf(record), 0);
    EXPECT_EQ(staging.place(record)[kIndex], record + 1);
  }
}

// Whether a record that was promised a place is refused, with nothing of it written.
void expectRefusedPlace(TestAppender& appender, int32_t partition, const TestRecord& record, int32_t batch,
                        int32_t index) {
  Staging staging(1, 4000);
  staging.put(0, partition, record);
  staging.promise(batch, index);
  const uint32_t bytes = appender->pool().at(0).bytes;
  const auto availableBytes = appender->pool().availableBytes();
  const DrainResult drained = drainStaged(*appender, staging.area(), 0, 1, 0);
  EXPECT_EQ(drained.processed, 0);
  EXPECT_EQ(drained.touched, 0);
  ASSERT_NE(drained.fault, nullptr);
  EXPECT_NE(std::string(drained.fault).find("promised"), std::string::npos) << drained.fault;
  EXPECT_EQ(appender->pool().at(0).bytes, bytes);
  EXPECT_EQ(appender->pool().availableBytes(), availableBytes);
}

TEST(Staged, RefusesARecordThatWouldNotGoToThePlacePromisedForIt) {
  TestAppender appender;
  appender->setTopic(0, 3);
  ASSERT_EQ(appender.append(0, 2, {0, std::nullopt, "first", ""}), AppendStatus::Ok);
  ASSERT_EQ(appender.append(0, 1, {0, std::nullopt, "first", ""}), AppendStatus::Ok);
  const TestRecord record{0, "k", "v", ""};
  // Another index, another partition's batch, no batch at all.
  expectRefusedPlace(appender, 2, record, 0, 0);
  expectRefusedPlace(appender, 2, record, 0, 2);
  expectRefusedPlace(appender, 2, record, 0, std::numeric_limits<int32_t>::min());
  expectRefusedPlace(appender, 2, record, 1, 1);
  expectRefusedPlace(appender, 0, record, 0, 1);
  expectRefusedPlace(appender, 0, record, -2, 0);
  // No sticky partition, then one whose batch is not the promised one.
  expectRefusedPlace(appender, kPartitionSticky, record, 0, 1);
  appender->setSticky(0, 1);
  expectRefusedPlace(appender, kPartitionSticky, record, 0, 1);
  // It would close the batch for want of room.
  expectRefusedPlace(appender, 2, {0, "k", std::string(3000, 'v'), ""}, 0, 1);
  appender->seal(0);
  expectRefusedPlace(appender, 2, record, 0, 1);
}

TEST(Staged, RefusesAPromisedPlaceWhereAnotherStickyPartitionIsDue) {
  TestAppender appender({1024, 8, 0, 0, 1 << 20});
  appender->setTopic(0, 3);
  appender->setSticky(0, 1);
  std::vector<uint8_t> memory(4000);
  appender->offerLarge(memory.data(), static_cast<uint32_t>(memory.size()));
  ASSERT_EQ(appender.append(0, kPartitionSticky, {0, std::nullopt, std::string(2000, 'l'), ""}),
            AppendStatus::Ok);
  ASSERT_EQ(appender.append(0, 1, {0, std::nullopt, "named", ""}), AppendStatus::Ok);
  // The open batch has room, but two batches' worth has been produced to the sticky partition.
  expectRefusedPlace(appender, kPartitionSticky, {0, "k", "v", ""}, 0, 1);
  Staging staging(1, 100);
  staging.put(0, 1, {0, "k", "v", ""});
  staging.promise(0, 1);
  EXPECT_EQ(drainStaged(*appender, staging.area(), 0, 1, 0).processed, 1);
}

TEST(Staged, RefusesAPartitionByKeyWithoutAKey) {
  TestAppender appender;
  appender->setTopic(0, 2);
  Staging staging(1, 10);
  staging.put(0, kPartitionByKey, {0, std::nullopt, "v", ""});
  EXPECT_STREQ(drainStaged(*appender, staging.area(), 0, 1, 0).fault, "a partition by key needs a key");
}

TEST(Staged, RefusesTimestampsThatAreNoInt64) {
  for (double timestampMs :
       {std::nan(""), HUGE_VAL, -HUGE_VAL, 9223372036854775808.0, -9223372036854777856.0}) {
    TestAppender appender;
    appender->setTopic(0, 1);
    Staging staging(1, 10);
    staging.put(0, 0, {0, "k", "v", ""});
    std::memcpy(staging.at(0) + kTimestamp, &timestampMs, sizeof timestampMs);
    EXPECT_STREQ(drainStaged(*appender, staging.area(), 0, 1, 0).fault, "the timestamp is not an int64");
  }
}

TEST(Staged, SurvivesRandomDescriptors) {
  test::Random random(9);
  TestAppender appender({1024, 4, 0, 0, 1 << 20});
  appender->setTopic(0, 3);
  appender->setSticky(0, 1);
  int32_t appended = 0;
  for (int i = 0; i < 200000; i++) {
    Staging staging(1, 64);
    for (int32_t word = 0; word < kWords; word++) {
      staging.at(0)[word] = random.below(8) == 0 ? static_cast<int32_t>(random.next())
                                                 : static_cast<int32_t>(random.below(30)) - 2;
    }
    staging.at(0)[kTopic] = random.below(8) == 0 ? static_cast<int32_t>(random.next()) : 0;
    if (random.below(8) != 0) staging.at(0)[kBatch] = kNoBatch;
    const DrainResult drained = drainStaged(*appender, staging.area(), 0, 1, 0);
    appended += drained.processed;
    if (drained.status == AppendStatus::ChoosePartition) appender->setSticky(0, 2);
    if (drained.status == AppendStatus::NoMemory) settleAll(appender, 4);
  }
  EXPECT_GT(appended, 5000);
}

TEST(Staged, ListsEachBatchOnceInTheOrderOfFirstRecordsAndNumbersThemFromTheBaseOn) {
  TestAppender appender({200, 8, 0, 0, 1 << 20});
  appender->setTopic(0, 3);
  ASSERT_EQ(appender.append(0, 2, {0, std::nullopt, "before", ""}), AppendStatus::Ok);
  Staging staging(8, 1000);
  for (const int32_t partition : {1, 2, 1, 2, 1, 1}) {
    staging.put(0, partition, {0, "key", std::string(35, 'v'), ""});
  }
  const DrainResult drained = drainStaged(*appender, staging.area(), 0, 6, 40);
  ASSERT_EQ(drained.processed, 6);
  ASSERT_EQ(drained.touched, 3);
  const int32_t touches[] = {40, 41, 40, 41, 40, 42};
  const int32_t indexes[] = {0, 1, 1, 2, 2, 0};
  for (int32_t record = 0; record < 6; record++) {
    EXPECT_EQ(staging.place(record)[place_layout::kTouch], touches[record]);
    EXPECT_EQ(staging.place(record)[kIndex], indexes[record]);
    EXPECT_EQ(staging.place(record)[place_layout::kKeyBytes], 3);
    EXPECT_EQ(staging.place(record)[place_layout::kValueBytes], 35);
  }
  const int32_t expected[][touched_layout::kWords] = {{1, 0, 3, 0, 1}, {0, 1, 2, 0, 2}, {2, 0, 1, 0, 1}};
  for (int32_t number = 0; number < 3; number++) {
    for (int32_t word = 0; word < touched_layout::kWords; word++) {
      EXPECT_EQ(staging.touched(number)[word], expected[number][word]) << number << ", " << word;
    }
  }
}

TEST(Staged, EachCallListsTheBatchesAnew) {
  TestAppender appender;
  appender->setTopic(0, 2);
  Staging staging(4, 100);
  for (int32_t record = 0; record < 4; record++) staging.put(0, record % 2, {0, "k", "v", ""});
  ASSERT_EQ(drainStaged(*appender, staging.area(), 0, 3, 0).touched, 2);
  const DrainResult drained = drainStaged(*appender, staging.area(), 3, 1, 2);
  ASSERT_EQ(drained.touched, 1);
  EXPECT_EQ(staging.place(3)[place_layout::kTouch], 2);
  EXPECT_EQ(staging.touched(0)[touched_layout::kFirstIndex], 1);
  EXPECT_EQ(staging.touched(0)[touched_layout::kPartition], 1);
  EXPECT_EQ(staging.touched(0)[touched_layout::kRecords], 1);
}

TEST(StagedDeathTest, MoreRecordsThanDescriptorsAreFatal) {
  TestAppender appender;
  Staging staging(2, 10);
  EXPECT_DEATH(drainStaged(*appender, staging.area(), 1, 2, 0), "more staged records");
  EXPECT_DEATH(drainStaged(*appender, staging.area(), -1, 1, 0), "more staged records");
  EXPECT_DEATH(drainRun(*appender, staging.area(), 1, 2, 0, 0), "more staged records");
  EXPECT_DEATH(drainRun(*appender, staging.area(), -1, 1, 0, 0), "more staged records");
}

}  // namespace
}  // namespace millrace
