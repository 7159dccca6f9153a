#include <gtest/gtest.h>

#include <limits>

#include "core/staged.h"
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

TEST(Run, WritesTheSameBytesAsDirectAppends) {
  for (const int32_t keyedPartition : {kPartitionByKey, kPartitionSticky}) {
    test::Random random(9);
    TestAppender direct({600, 80, 0, 0, 1 << 20}), staged({600, 80, 0, 0, 1 << 20});
    direct->setTopic(0, 5);
    staged->setTopic(0, 5);
    Staging staging(256, 65536);
    staging.beginRun(0, keyedPartition, 1234);
    // The sticky partition is told to both as soon as one of them asks for it.
    int32_t sticky = 0;
    TestRecord record{1234, std::nullopt, std::nullopt, ""};
    for (int i = 0; i < 256; i++) {
      // First all lengths, then some records of each.
      if (i < 100 || random.below(8) == 0) {
        record.key.reset();
        record.value.reset();
        if (random.below(4) != 0) record.key = random.bytes(random.below(30));
        if (random.below(4) != 0) record.value = random.bytes(random.below(100));
        // Their bytes mean nothing here, but they must not be in the way of the other lengths.
        record.headers = random.below(3) == 0 ? random.bytes(random.below(40)) : "";
      } else if (record.value) {
        record.value = random.bytes(record.value->size());
      }
      const int32_t partition = record.key ? keyedPartition : kPartitionSticky;
      while (direct.append(0, partition, record) == AppendStatus::ChoosePartition) {
        direct->setSticky(0, sticky++ % 5);
      }
      staging.add(record.key, record.value, record.headers);
    }
    sticky = 0;
    DrainResult drained{};
    for (int32_t first = 0; first < 256; first += drained.processed) {
      drained = drainRun(*staged, staging.area(), first, 256 - first, drained.position, 0);
      ASSERT_EQ(drained.fault, nullptr);
      if (drained.status == AppendStatus::ChoosePartition) staged->setSticky(0, sticky++ % 5);
    }
    EXPECT_GE(sticky, 3);
    EXPECT_EQ(staged->pool().availableBytes(), direct->pool().availableBytes());
    expectSameBatches(staged, direct);
  }
}

TEST(Run, TellsWhetherItsRecordsFollowOneAnother) {
  struct {
    std::vector<std::pair<test::Bytes, test::Bytes>> records;
    int32_t keyedPartition;
    bool consecutive;
  } const runs[] = {
      {{{std::nullopt, "a"}, {std::nullopt, "b"}, {std::nullopt, "c"}}, kPartitionByKey, true},
      {{{std::nullopt, "a"}}, kPartitionByKey, true},
      {{{"k", "a"}, {"l", "b"}}, kPartitionSticky, true},
      {{{"k", "a"}, {"l", "b"}}, kPartitionByKey, false},
      {{{"", "a"}, {"", "b"}}, kPartitionByKey, false},
      {{{std::nullopt, "a"}, {std::nullopt, "bb"}}, kPartitionByKey, false},
      {{{std::nullopt, "aa"}, {std::nullopt, "bb"}, {"k", "b"}}, kPartitionByKey, false},
      {{{std::nullopt, ""}, {std::nullopt, std::nullopt}}, kPartitionByKey, false},
  };
  for (const auto& run : runs) {
    TestAppender appender({200, 8, 0, 0, 1 << 20});
    appender->setTopic(0, 3);
    appender->setSticky(0, 2);
    Staging staging(8, 1000);
    staging.beginRun(0, run.keyedPartition, 0);
    for (const auto& [key, value] : run.records) staging.add(key, value);
    const DrainResult drained = drainRun(*appender, staging.area(), 0, staging.count, 0, 0);
    ASSERT_EQ(drained.processed, staging.count);
    EXPECT_EQ(drained.consecutive, run.consecutive) << &run - runs;
  }
}

TEST(Run, FillsBatchAfterBatchWithRecordsOfOneSize) {
  // 61 bytes of header, and records of 57: 2 in a batch. A partition is left after twice a batch.
  TestAppender appender({200, 40, 0, 0, 1 << 20});
  appender->setTopic(0, 2);
  Staging staging(64, 4000);
  staging.beginRun(0, kPartitionByKey, 0);
  for (int32_t i = 0; i < 60; i++)
    staging.add(std::nullopt, std::string(50, static_cast<char>('a' + i % 26)));
  DrainResult drained{};
  int32_t sticky = 0;
  for (int32_t first = 0; first < 60; first += drained.processed) {
    drained = drainRun(*appender, staging.area(), first, 60 - first, drained.position, 0);
    ASSERT_EQ(drained.fault, nullptr);
    EXPECT_TRUE(drained.consecutive);
    int32_t told = 0;
    for (int32_t number = 0; number < drained.touched; number++) {
      const int32_t* touched = staging.touched(number);
      EXPECT_EQ(touched[touched_layout::kPartition], (sticky + 1) % 2);
      for (int32_t i = 0; i < touched[touched_layout::kRecords]; i++, told++) {
        const int32_t* place = staging.place(first + told);
        EXPECT_EQ(place[place_layout::kTouch], number);
        EXPECT_EQ(place[place_layout::kIndex], touched[touched_layout::kFirstIndex] + i);
      }
    }
    EXPECT_EQ(told, drained.processed);
    if (first + told == 60) break;
    ASSERT_EQ(drained.status, AppendStatus::ChoosePartition);
    appender->setSticky(0, sticky++ % 2);
  }
  EXPECT_GE(sticky, 5);
}

TEST(Run, TellsPlacesAndBatches) {
  TestAppender appender({200, 8, 0, 0, 1 << 20});
  appender->setTopic(0, 12);
  appender->setSticky(0, 2);
  ASSERT_EQ(appender.append(0, 6, {0, std::nullopt, "before", ""}), AppendStatus::Ok);
  Staging staging(8, 1000);
  staging.beginRun(0, kPartitionByKey, 0);
  staging.add("foobar", "v");
  staging.add(std::nullopt, "value");
  staging.add("foobar", std::nullopt);
  const DrainResult drained = drainRun(*appender, staging.area(), 0, 3, 0, 40);
  ASSERT_EQ(drained.processed, 3);
  ASSERT_EQ(drained.touched, 2);
  EXPECT_EQ(drained.position, 18);
  const int32_t places[][place_layout::kWords] = {{40, 1, 6, 1}, {41, 0, -1, 5}, {40, 2, 6, -1}};
  for (int32_t record = 0; record < 3; record++) {
    for (int32_t word = 0; word < place_layout::kWords; word++) {
      EXPECT_EQ(staging.place(record)[word], places[record][word]) << record << ", " << word;
    }
  }
  const int32_t expected[][touched_layout::kWords] = {{0, 1, 2, 0, 6}, {1, 0, 1, 0, 2}};
  for (int32_t number = 0; number < 2; number++) {
    for (int32_t word = 0; word < touched_layout::kWords; word++) {
      EXPECT_EQ(staging.touched(number)[word], expected[number][word]) << number << ", " << word;
    }
  }
}

TEST(Run, StopsAtARecordThatNeedsSomethingAndGoesOnFromIt) {
  TestAppender appender({1024, 8, 0, 0, 4000});
  appender->setTopic(0, 2);
  Staging staging(8, 16384);
  staging.beginRun(0, kPartitionByKey, 0);
  staging.add("key", "first");
  staging.add(std::nullopt, "sticky");
  staging.add("key", std::string(2000, 'l'));
  staging.add("key", std::string(5000, 't'));
  staging.add("key", "last");

  DrainResult drained = drainRun(*appender, staging.area(), 0, 5, 0, 0);
  EXPECT_EQ(drained.processed, 1);
  EXPECT_EQ(drained.position, 8);
  EXPECT_EQ(drained.status, AppendStatus::ChoosePartition);
  appender->setSticky(0, 1);
  drained = drainRun(*appender, staging.area(), 1, 4, 8, 0);
  EXPECT_EQ(drained.processed, 1);
  EXPECT_EQ(drained.position, 14);
  EXPECT_EQ(drained.status, AppendStatus::NeedsLarge);
  std::vector<uint8_t> memory(static_cast<size_t>(drained.sizeBytes));
  appender->offerLarge(memory.data(), static_cast<uint32_t>(memory.size()));
  drained = drainRun(*appender, staging.area(), 2, 3, 14, 0);
  EXPECT_EQ(drained.processed, 1);
  EXPECT_EQ(drained.position, 2017);
  EXPECT_EQ(drained.status, AppendStatus::TooLarge);
  EXPECT_GT(drained.sizeBytes, 5000);
  drained = drainRun(*appender, staging.area(), 4, 1, 7020, 0);
  EXPECT_EQ(drained.processed, 1);
  EXPECT_EQ(drained.status, AppendStatus::Ok);
  EXPECT_EQ(appender->pool().at(staging.batchOf(4)).records, 1) << "behind the large batch a new one begins";
  appender->close();
  EXPECT_EQ(drainRun(*appender, staging.area(), 0, 1, 0, 0).status, AppendStatus::Closed);
}

TEST(Run, AnOfferOfMemoryIsForTheNextRecordOnly) {
  TestAppender appender({1024, 8, 0, 0, 8000});
  appender->setTopic(0, 1);
  ASSERT_EQ(appender.append(0, 0, {0, std::nullopt, "before", ""}), AppendStatus::Ok);
  Staging staging(4, 4000);
  staging.beginRun(0, kPartitionByKey, 0);
  staging.add("key", "small");
  staging.add("key", std::string(2000, 'l'));
  std::vector<uint8_t> memory(3000);
  appender->offerLarge(memory.data(), static_cast<uint32_t>(memory.size()));
  const DrainResult drained = drainRun(*appender, staging.area(), 0, 2, 0, 0);
  EXPECT_EQ(drained.processed, 1);
  EXPECT_EQ(drained.status, AppendStatus::NeedsLarge);
  EXPECT_EQ(appender->offerTakenBy(), kNoBatch);
}

TEST(Run, NamesWordsThatMakeNoSense) {
  constexpr int32_t least = std::numeric_limits<int32_t>::min(), most = std::numeric_limits<int32_t>::max();
  constexpr int32_t words = run_layout::kFirst + run_layout::kWords;
  const Nonsense cases[] = {
      {kTopic, 1, "topic"},
      {kTopic, most, "topic"},
      {kPartition, 0, "partition of its own"},
      {kPartition, -3, "partition of its own"},
      {kTimestamp + 1, 0x7ff00000, "timestamp"},
      {words + run_layout::kKeyBytes, -2, "key"},
      {words + run_layout::kKeyBytes, least, "key"},
      {words + run_layout::kKeyBytes, 98, "staging area"},
      {words + run_layout::kKeyBytes, most, "staging area"},
      {words + run_layout::kValueBytes, -2, "value"},
      {words + run_layout::kValueBytes, 96, "staging area"},
      {words + run_layout::kValueBytes, most, "staging area"},
      {words + run_layout::kHeaderBytes, -1, "headers"},
      {words + run_layout::kHeaderBytes, least, "headers"},
      {words + run_layout::kHeaderBytes, 95, "staging area"},
      {words + run_layout::kHeaderBytes, most, "staging area"},
  };
  for (const Nonsense& nonsense : cases) {
    TestAppender appender;
    appender->setTopic(0, 2);
    Staging staging(3, 100);
    staging.beginRun(0, kPartitionByKey, 0);
    staging.add("k", "v");
    staging.add("key", "v");
    staging.at(0)[staged_layout::kHeaderBytes] = 1;
    staging.at(0)[nonsense.word] = nonsense.value;
    const DrainResult drained = drainRun(*appender, staging.area(), 0, 2, 0, 0);
    EXPECT_EQ(drained.processed, nonsense.word < run_layout::kFirst ? 0 : 1);
    ASSERT_NE(drained.fault, nullptr) << nonsense.word << " = " << nonsense.value;
    EXPECT_NE(std::string(drained.fault).find(nonsense.fault), std::string::npos) << drained.fault;
  }
  TestAppender appender;
  appender->setTopic(0, 2);
  Staging staging(3, 100);
  staging.beginRun(0, kPartitionByKey, 0);
  for (const int64_t position : {int64_t{-1}, int64_t{101}, int64_t{most} * 4}) {
    EXPECT_NE(drainRun(*appender, staging.area(), 0, 1, position, 0).fault, nullptr) << position;
  }
}

// Every combination that sanitizers would object to, were it believed.
TEST(Run, SurvivesAnyWords) {
  test::Random random(6);
  TestAppender appender({1024, 4, 0, 0, 1 << 20});
  appender->setTopic(0, 3);
  appender->setSticky(0, 1);
  int32_t appended = 0;
  for (int i = 0; i < 200000; i++) {
    Staging staging(4, 64);
    staging.beginRun(0, random.below(2) == 0 ? kPartitionByKey : kPartitionSticky, 5);
    for (int32_t word = 0; word < 4 * run_layout::kWords; word++) {
      staging.runWords(0)[word] = random.below(8) == 0 ? static_cast<int32_t>(random.next())
                                                       : static_cast<int32_t>(random.below(30)) - 2;
    }
    if (random.below(8) == 0) staging.at(0)[random.below(8)] = static_cast<int32_t>(random.next());
    const auto position = random.below(8) == 0 ? static_cast<int32_t>(random.next()) : 0;
    const DrainResult drained = drainRun(*appender, staging.area(), 0, 4, position, 0);
    appended += drained.processed;
    if (drained.status == AppendStatus::ChoosePartition) appender->setSticky(0, 2);
    if (drained.status == AppendStatus::NoMemory) settleAll(appender, 4);
  }
  EXPECT_GT(appended, 5000);
}

TEST(Run, HoldsWhatDescriptorsAndPlacesHaveRoomFor) {
  const int32_t capacities[][2] = {{1, 0}, {2, 2}, {3, 3}, {256, 256}};
  for (const auto& [capacity, records] : capacities) {
    Staging staging(capacity, 10);
    EXPECT_EQ(runCapacity(staging.area()), records);
  }
}

}  // namespace
}  // namespace millrace
