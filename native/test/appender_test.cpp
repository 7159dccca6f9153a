#include "core/appender.h"

#include <gtest/gtest.h>

#include "core/murmur2.h"
#include "support.h"

namespace millrace {
namespace {

using test::TestAppender;
using test::TestRecord;
using test::toString;

constexpr int32_t kLimit = 1024;

// Everything an append may change, to compare before and after one that was refused.
struct Snapshot {
  uint64_t availableBytes;
  uint32_t bytes;
  int32_t records;
  Phase phase;
  bool operator==(const Snapshot& other) const {
    return availableBytes == other.availableBytes && bytes == other.bytes && records == other.records &&
           phase == other.phase;
  }
};

Snapshot snapshot(TestAppender& appender, int32_t batch) {
  const Batch& state = appender->pool().at(batch);
  return {appender->pool().availableBytes(), state.bytes, state.records, state.phase};
}

TEST(Appender, PutsRecordsOfAPartitionIntoOneBatchInOrder) {
  TestAppender appender;
  appender->setTopic(0, 3);
  for (int32_t i = 0; i < 5; i++) {
    ASSERT_EQ(appender.append(0, 1, {i, "k", "v", ""}), AppendStatus::Ok);
    EXPECT_EQ(appender.last.batch, 0);
    EXPECT_EQ(appender.last.index, i);
    EXPECT_EQ(appender.last.partition, 1);
  }
  ASSERT_EQ(appender.append(0, 2, {0, "k", "v", ""}), AppendStatus::Ok);
  EXPECT_EQ(appender.last.batch, 1);
  EXPECT_EQ(appender.last.index, 0);
}

TEST(Appender, ChoosesThePartitionOfAKeyAsJavaDoes) {
  TestAppender appender;
  appender->setTopic(0, 12);
  const std::pair<const char*, int32_t> expected[] = {
      {"21", 0}, {"foobar", 6}, {"abc", 3}, {"", 9}, {"a", 4}};
  for (const auto& [key, partition] : expected) {
    ASSERT_EQ(appender.append(0, kPartitionByKey, {0, key, "v", ""}), AppendStatus::Ok);
    EXPECT_EQ(appender.last.partition, partition) << key;
    appender->settle(appender.last.batch);
  }
}

TEST(Appender, ChoosesNoPartitionThatIsGoneButTakesRecordsThatNameOne) {
  TestAppender appender;
  appender->setTopic(0, 12);
  appender->setSticky(0, 11);
  ASSERT_EQ(appender.append(0, 11, {0, "k", "v", ""}), AppendStatus::Ok);
  const int32_t open = appender.last.batch;
  appender->setTopic(0, 2);
  EXPECT_EQ(appender.append(0, kPartitionSticky, {0, std::nullopt, "v", ""}), AppendStatus::ChoosePartition);
  ASSERT_EQ(appender.append(0, kPartitionByKey, {0, "foobar", "v", ""}), AppendStatus::Ok);
  EXPECT_EQ(appender.last.partition, 0) << "6 of 12, 0 of 2";
  ASSERT_EQ(appender.append(0, 11, {0, "k", "v", ""}), AppendStatus::Ok);
  EXPECT_EQ(appender.last.batch, open);
  EXPECT_EQ(appender.last.index, 1);
  EXPECT_EQ(appender->faultOf(0, 11, true), nullptr);
  EXPECT_NE(appender->faultOf(0, 12, true), nullptr) << "never was one";
  appender->settle(open);
  EXPECT_EQ(appender->partitionCount(0), 2);
}

TEST(Appender, ClosesABatchThatHasNoRoomAndOpensTheNext) {
  TestAppender appender;
  appender->setTopic(0, 1);
  const int32_t exact = kLimit - static_cast<int32_t>(kBatchHeaderBytes);
  ASSERT_EQ(appender.appendBytes(0, 0, exact - 100), AppendStatus::Ok);
  ASSERT_EQ(appender.appendBytes(0, 0, 100), AppendStatus::Ok);
  EXPECT_EQ(appender.last.batch, 0) << "a record that just fits";
  EXPECT_EQ(appender->pool().at(0).bytes, static_cast<uint32_t>(kLimit));
  EXPECT_EQ(appender->pool().at(0).phase, Phase::Open);
  ASSERT_EQ(appender.appendBytes(0, 0, 100), AppendStatus::Ok);
  EXPECT_EQ(appender.last.batch, 1);
  EXPECT_EQ(appender.last.index, 0);
  EXPECT_EQ(appender->pool().at(0).phase, Phase::Sealed);
}

TEST(Appender, TakesTheFirstRecordOfABatchWhateverTheLimit) {
  TestAppender appender({1024, 8, 0, 100, 1 << 20});
  appender->setTopic(0, 1);
  ASSERT_EQ(appender.appendBytes(0, 0, 900), AppendStatus::Ok);
  ASSERT_EQ(appender.appendBytes(0, 0, 30), AppendStatus::Ok);
  EXPECT_EQ(appender.last.batch, 1);
  ASSERT_EQ(appender.appendBytes(0, 0, 9), AppendStatus::Ok);
  EXPECT_EQ(appender.last.batch, 1) << "61 + 30 + 9 is the limit";
  ASSERT_EQ(appender.appendBytes(0, 0, 9), AppendStatus::Ok);
  EXPECT_EQ(appender.last.batch, 2);
}

TEST(Appender, SealedBatchesTakeNoMoreRecords) {
  TestAppender appender;
  appender->setTopic(0, 1);
  ASSERT_EQ(appender.append(0, 0, {0, "k", "v", ""}), AppendStatus::Ok);
  appender->seal(0);
  appender->seal(0);
  ASSERT_EQ(appender.append(0, 0, {0, "k", "v", ""}), AppendStatus::Ok);
  EXPECT_EQ(appender.last.batch, 1);
}

TEST(Appender, SettlingAnOpenBatchClosesIt) {
  TestAppender appender;
  appender->setTopic(0, 1);
  ASSERT_EQ(appender.append(0, 0, {0, "k", "v", ""}), AppendStatus::Ok);
  EXPECT_TRUE(appender->settle(0));
  ASSERT_EQ(appender.append(0, 0, {0, "k", "w", ""}), AppendStatus::Ok);
  EXPECT_EQ(appender.last.index, 0);
}

TEST(Appender, RefusesRecordsOverTheLimitByJavasUpperBound) {
  // Key 1+2, value 2+100, no headers 1, overhead 21, batch header 61.
  const TestRecord record{0, "kk", std::string(100, 'v'), ""};
  TestAppender tight({1024, 8, 0, 0, 187});
  tight->setTopic(0, 1);
  EXPECT_EQ(tight.append(0, 0, record), AppendStatus::TooLarge);
  EXPECT_EQ(tight.last.sizeBytes, 188);
  EXPECT_EQ(tight->pool().availableBytes(), tight->pool().budgetBytes());
  TestAppender enough({1024, 8, 0, 0, 188});
  enough->setTopic(0, 1);
  EXPECT_EQ(enough.append(0, 0, record), AppendStatus::Ok);
}

TEST(Appender, RefusesRecordsThatTheBudgetCanNeverHold) {
  TestAppender appender({1024, 2, 0, 0, 1 << 20});
  appender->setTopic(0, 1);
  EXPECT_EQ(appender.append(0, 0, {0, std::nullopt, std::string(2048, 'v'), ""}), AppendStatus::TooLarge);
  EXPECT_GT(appender.last.sizeBytes, 2048);
}

TEST(Appender, RefusesEverythingWhenClosed) {
  TestAppender appender;
  appender->setTopic(0, 1);
  ASSERT_EQ(appender.append(0, 0, {0, "k", "v", ""}), AppendStatus::Ok);
  appender->close();
  const Snapshot before = snapshot(appender, 0);
  EXPECT_EQ(appender.append(0, 0, {0, "k", "v", ""}), AppendStatus::Closed);
  EXPECT_EQ(snapshot(appender, 0), before);
  appender->seal(0);
  EXPECT_EQ(appender.finished(0).size(), before.bytes);
  EXPECT_TRUE(appender->settle(0));
}

TEST(Appender, WithoutMemoryNothingChangesAndTheRecordFitsLater) {
  TestAppender appender({1024, 2, 0, 0, 1 << 20});
  appender->setTopic(0, 3);
  appender->setSticky(0, 2);
  ASSERT_EQ(appender.appendBytes(0, 0, 100), AppendStatus::Ok);
  ASSERT_EQ(appender.appendBytes(0, 1, 100), AppendStatus::Ok);
  const Snapshot first = snapshot(appender, 0), second = snapshot(appender, 1);
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ(appender.appendBytes(0, 2, 50), AppendStatus::NoMemory);
    EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 50), AppendStatus::NoMemory);
  }
  EXPECT_EQ(snapshot(appender, 0), first);
  EXPECT_EQ(snapshot(appender, 1), second);
  EXPECT_EQ(appender.appendBytes(0, 1, 50), AppendStatus::Ok) << "an open batch still takes records";
  EXPECT_TRUE(appender->settle(0));
  EXPECT_EQ(appender.appendBytes(0, 2, 50), AppendStatus::Ok);
  EXPECT_EQ(appender.last.index, 0);
}

TEST(Appender, WithoutMemoryAFullBatchIsOnlySealed) {
  TestAppender appender({1024, 1, 0, 0, 1 << 20});
  appender->setTopic(0, 1);
  ASSERT_EQ(appender.appendBytes(0, 0, 900), AppendStatus::Ok);
  EXPECT_EQ(appender.appendBytes(0, 0, 200), AppendStatus::NoMemory);
  EXPECT_EQ(appender->pool().at(0).phase, Phase::Sealed);
  EXPECT_EQ(appender->pool().at(0).records, 1);
  EXPECT_EQ(appender->pool().at(0).bytes, 961U);
}

// --- large records
// -------------------------------------------------------------------------------------------

TEST(Appender, LargeRecordsGoIntoMemoryOfTheirOwn) {
  TestAppender appender;
  appender->setTopic(0, 1);
  ASSERT_EQ(appender.appendBytes(0, 0, 100), AppendStatus::Ok);
  const TestRecord record{5, "key", test::Random(6).bytes(3000), ""};
  ASSERT_EQ(appender.append(0, 0, record), AppendStatus::NeedsLarge);
  EXPECT_EQ(appender->pool().at(0).phase, Phase::Sealed) << "the batch before it can grow no more";
  EXPECT_EQ(appender.last.sizeBytes, 61 + 2 + 1 + 1 + 1 + 4 + 2 + 3000 + 1);

  std::vector<uint8_t> memory(static_cast<size_t>(appender.last.sizeBytes));
  appender->offerLarge(memory.data(), static_cast<uint32_t>(memory.size()));
  ASSERT_EQ(appender.append(0, 0, record), AppendStatus::Ok);
  const int32_t batch = appender.last.batch;
  EXPECT_EQ(batch, 8);
  EXPECT_EQ(appender->offerTakenBy(), batch);
  EXPECT_EQ(appender->pool().at(batch).phase, Phase::Sealed);
  EXPECT_EQ(appender->pool().at(batch).bytes, memory.size());
  EXPECT_EQ(appender->pool().availableBytes(), 7 * 1024U - memory.size());

  const std::string bytes = appender.finished(batch);
  BatchReader reader(test::dataOf(bytes), bytes.size());
  Record read;
  ASSERT_EQ(reader.open(), ReadStatus::Ok);
  ASSERT_EQ(reader.next(&read), ReadStatus::Ok);
  EXPECT_EQ(toString(read.value), *record.value);
  ASSERT_EQ(appender.appendBytes(0, 0, 100), AppendStatus::Ok);
  EXPECT_NE(appender.last.batch, batch);
  EXPECT_TRUE(appender->settle(batch));
}

TEST(Appender, TheLargestRecordOfASlabNeedsNoMemoryOfItsOwn) {
  TestAppender appender;
  appender->setTopic(0, 1);
  EXPECT_EQ(appender.appendBytes(0, 0, kLimit - 61), AppendStatus::Ok);
  EXPECT_EQ(appender.appendBytes(0, 0, kLimit - 60), AppendStatus::NeedsLarge);
  EXPECT_EQ(appender.last.sizeBytes, kLimit + 1);
}

TEST(Appender, LargeRecordsWaitForBudget) {
  TestAppender appender({1024, 4, 0, 0, 1 << 20});
  appender->setTopic(0, 4);
  for (int32_t partition = 0; partition < 3; partition++) appender.appendBytes(0, partition, 10);
  EXPECT_EQ(appender.appendBytes(0, 3, 1500), AppendStatus::NoMemory);
  appender->settle(0);
  EXPECT_EQ(appender.appendBytes(0, 3, 1500), AppendStatus::NeedsLarge);
}

TEST(Appender, AnOfferThatIsNotNeededIsDropped) {
  TestAppender appender;
  appender->setTopic(0, 1);
  std::vector<uint8_t> memory(5000);
  appender->offerLarge(memory.data(), 5000);
  ASSERT_EQ(appender.appendBytes(0, 0, 100), AppendStatus::Ok);
  EXPECT_EQ(appender->offerTakenBy(), kNoBatch);
  EXPECT_EQ(appender.appendBytes(0, 0, 2000), AppendStatus::NeedsLarge) << "the offer is gone";
  appender->offerLarge(memory.data(), 1500);
  EXPECT_EQ(appender.appendBytes(0, 0, 2000), AppendStatus::NeedsLarge) << "the offer is too small";
  EXPECT_EQ(appender->offerTakenBy(), kNoBatch);
}

TEST(Appender, CancelTakesAReservationBack) {
  TestAppender appender;
  appender->setTopic(0, 1);
  Reservation reservation;
  const RecordShape small{0, -1, 10, 0}, large{0, -1, 2000, 0};
  ASSERT_EQ(appender->reserve(0, 0, nullptr, small, &reservation), AppendStatus::Ok);
  appender->cancel();
  EXPECT_EQ(appender->pool().availableBytes(), appender->pool().budgetBytes());
  std::vector<uint8_t> memory(3000);
  appender->offerLarge(memory.data(), 3000);
  ASSERT_EQ(appender->reserve(0, 0, nullptr, large, &reservation), AppendStatus::Ok);
  appender->cancel();
  EXPECT_EQ(appender->offerTakenBy(), kNoBatch);
  EXPECT_EQ(appender->pool().availableBytes(), appender->pool().budgetBytes());
  ASSERT_EQ(appender.appendBytes(0, 0, 20), AppendStatus::Ok);
  const Snapshot before = snapshot(appender, 0);
  ASSERT_EQ(appender->reserve(0, 0, nullptr, small, &reservation), AppendStatus::Ok);
  appender->cancel();
  EXPECT_EQ(snapshot(appender, 0), before);
}

// --- sticky partition (KIP-794)
// ------------------------------------------------------------------------------

TEST(Sticky, AsksForAPartitionBeforeTheFirstRecord) {
  TestAppender appender;
  appender->setTopic(0, 3);
  EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 100), AppendStatus::ChoosePartition);
  appender->setSticky(0, 2);
  EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 100), AppendStatus::Ok);
  EXPECT_EQ(appender.last.partition, 2);
}

TEST(Sticky, ChangesAfterABatchsWorthOnceTheBatchIsFull) {
  TestAppender appender;
  appender->setTopic(0, 3);
  appender->setSticky(0, 0);
  // 61 + 960 = 1021 bytes produced, below the limit of 1024, and no room for even the smallest record.
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, 960), AppendStatus::Ok);
  // The full batch is sealed; the share is not used up, so the partition stays.
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, 10), AppendStatus::Ok);
  EXPECT_EQ(appender.last.batch, 1);
  // Now 1021 + 71 = 1092 bytes: over the limit, but the open batch is not full: the switch is put off.
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, 800), AppendStatus::Ok);
  EXPECT_EQ(appender.last.batch, 1);
  // 1892 bytes; a record without room in the open batch seals it and the put-off switch happens.
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, 200), AppendStatus::ChoosePartition);
  EXPECT_EQ(appender->pool().at(1).phase, Phase::Sealed);
  EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 10), AppendStatus::ChoosePartition) << "asked again";
  appender->setSticky(0, 1);
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, 200), AppendStatus::Ok);
  EXPECT_EQ(appender.last.partition, 1);
}

TEST(Sticky, ChangesAtOnceWhenTheShareIsUsedAndNoBatchIsOpen) {
  TestAppender appender;
  appender->setTopic(0, 2);
  appender->setSticky(0, 0);
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, kLimit - 61), AppendStatus::Ok);
  EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 10), AppendStatus::ChoosePartition)
      << "full, limit produced";
  appender->setSticky(0, 1);
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, kLimit - 61 - 8), AppendStatus::Ok);
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, 8), AppendStatus::Ok);
  appender->seal(appender.last.batch);
  EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 10), AppendStatus::ChoosePartition)
      << "sealed by linger";
}

TEST(Sticky, ChangesAfterTwoBatchesWorthEvenWithRoom) {
  TestAppender appender;
  appender->setTopic(0, 2);
  appender->setSticky(0, 0);
  int32_t produced = 0;
  // Batches sealed early (linger) hide the moment at which the share was used up.
  while (produced < 2 * kLimit) {
    ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, 500), AppendStatus::Ok) << produced;
    produced += 561;
    if (produced >= 2 * kLimit) break;
    appender->seal(appender.last.batch);
    if (produced >= kLimit) {
      // An explicit record opens the batch, so that it is neither absent nor full.
      ASSERT_EQ(appender.appendBytes(0, 0, 10), AppendStatus::Ok);
      produced -= 61;
    }
  }
  EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 10), AppendStatus::ChoosePartition);
  EXPECT_EQ(appender.appendBytes(0, 0, 10), AppendStatus::Ok) << "the batch has room";
}

TEST(Sticky, CountsOnlyStickyRecords) {
  TestAppender appender;
  appender->setTopic(0, 2);
  appender->setSticky(0, 0);
  for (int i = 0; i < 5; i++) ASSERT_EQ(appender.appendBytes(0, 0, 900), AppendStatus::Ok);
  EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 50), AppendStatus::Ok);
}

TEST(Sticky, CountsTheHeaderOfANewBatch) {
  TestAppender appender;
  appender->setTopic(0, 2);
  appender->setSticky(0, 0);
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, kLimit - 62), AppendStatus::Ok);
  EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 50), AppendStatus::Ok) << "1023 produced";
  appender->setSticky(0, 1);
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, kLimit - 61), AppendStatus::Ok);
  EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 50), AppendStatus::ChoosePartition) << "1024 produced";
}

TEST(Appender, TellsTheRoomOfABatchOnlyWhileItIsOpen) {
  TestAppender appender;
  appender->setTopic(0, 2);
  ASSERT_EQ(appender.appendBytes(0, 0, 100), AppendStatus::Ok);
  const int32_t batch = appender.last.batch;
  const auto used = static_cast<int32_t>(appender->pool().at(batch).bytes);
  EXPECT_EQ(appender->roomOf(batch), kLimit - used);
  appender->seal(batch);
  EXPECT_EQ(appender->roomOf(batch), 0);
}

TEST(Sticky, ABatchHasNoMoreRoomThanIsLeftOfTheShare) {
  TestAppender appender;
  appender->setTopic(0, 2);
  appender->setSticky(0, 0);
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, kLimit - 62), AppendStatus::Ok);
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, kLimit - 62), AppendStatus::Ok);
  ASSERT_EQ(appender.appendBytes(0, 0, 70), AppendStatus::Ok);
  EXPECT_EQ(appender->roomOf(appender.last.batch), 2) << "2046 of 2048 bytes are produced";
}

TEST(Sticky, ForgetsAPartitionThatATopicMadeAnewDoesNotHave) {
  TestAppender appender;
  appender->setTopic(0, 4);
  appender->setSticky(0, 3);
  ASSERT_EQ(appender.appendBytes(0, kPartitionSticky, 50), AppendStatus::Ok);
  appender->setTopic(0, 2);
  EXPECT_EQ(appender.appendBytes(0, kPartitionSticky, 50), AppendStatus::ChoosePartition);
  EXPECT_TRUE(appender->settle(0));
}

// --- addresses, compression
// -----------------------------------------------------------------------------------

TEST(Appender, NamesTheFaultOfAnAddress) {
  TestAppender appender;
  appender->setTopic(1, 3);
  EXPECT_STREQ(appender->faultOf(0, 0, true), "the topic is not known");
  EXPECT_STREQ(appender->faultOf(-1, 0, true), "the topic is not known");
  EXPECT_STREQ(appender->faultOf(2, 0, true), "the topic is not known");
  EXPECT_STREQ(appender->faultOf(1, 3, true), "the partition does not exist");
  EXPECT_STREQ(appender->faultOf(1, -3, true), "the partition does not exist");
  EXPECT_STREQ(appender->faultOf(1, kPartitionByKey, false), "a partition by key needs a key");
  EXPECT_EQ(appender->faultOf(1, 2, false), nullptr);
  EXPECT_EQ(appender->faultOf(1, kPartitionSticky, false), nullptr);
}

TEST(AppenderDeathTest, ARecordForNowhereIsFatal) {
  TestAppender appender;
  appender->setTopic(0, 1);
  EXPECT_DEATH(appender.appendBytes(0, 1, 20), "nowhere");
  EXPECT_DEATH(appender.appendBytes(1, 0, 20), "nowhere");
  EXPECT_DEATH(appender->commit(), "nothing is reserved");
}

TEST(AppenderDeathTest, ChangingABatchThatIsReadIsFatal) {
  TestAppender appender;
  appender->setTopic(0, 1);
  ASSERT_EQ(appender.appendBytes(0, 0, 20), AppendStatus::Ok);
  EXPECT_DEATH(appender->finish(0, 0, 0, 0, 0), "another phase") << "open";
  appender->seal(0);
  appender->pool().pin(0);
  EXPECT_DEATH(appender->finish(0, 0, 0, 0, 0), "being read");
  EXPECT_DEATH(appender->replaceRecords(0, nullptr, 0), "being read");
}

TEST(Appender, ReplacesRecordsByTheirCompressedFormIfItFits) {
  TestAppender appender;
  appender->setTopic(0, 1);
  ASSERT_EQ(appender.appendBytes(0, 0, 500), AppendStatus::Ok);
  appender->seal(0);
  const std::string tooLong(1024 - 61 + 1, 'z'), compressed = "compressed";
  const std::string before = appender.finished(0);
  EXPECT_FALSE(appender->replaceRecords(0, test::dataOf(tooLong), tooLong.size()));
  EXPECT_EQ(appender.finished(0), before);
  EXPECT_TRUE(appender->replaceRecords(0, test::dataOf(compressed), compressed.size()));
  const std::string after = appender.finished(0);
  EXPECT_EQ(after.substr(61), compressed);
  BatchReader reader(test::dataOf(after), after.size());
  ASSERT_EQ(reader.open(), ReadStatus::Ok);
  EXPECT_EQ(reader.header().recordsCount, 1);
}

// Random records over topics and partitions; at the end every partition's batches hold its records in order.
TEST(Appender, KeepsEveryRecordInTheOrderOfItsPartition) {
  test::Random random(7);
  TestAppender appender({512, 200, 0, 400, 1 << 20});
  std::vector<std::vector<std::string>> expected(12), found(12);
  std::vector<int32_t> batches;
  appender->setTopic(0, 4);
  appender->setTopic(1, 8);
  for (int i = 0; i < 1500; i++) {
    const auto topic = static_cast<int32_t>(random.below(2));
    const std::string key = std::to_string(random.below(50)), value = random.bytes(random.below(20));
    const auto mode = static_cast<int32_t>(random.below(3));
    const int32_t partition = mode == 2 ? static_cast<int32_t>(random.below(4)) : kPartitionByKey - mode;
    const TestRecord record{static_cast<int64_t>(random.below(1000)), key, value, ""};
    AppendStatus status = appender.append(topic, partition, record);
    if (status == AppendStatus::ChoosePartition) {
      appender->setSticky(topic, static_cast<int32_t>(random.below(4)));
      status = appender.append(topic, partition, record);
    }
    ASSERT_EQ(status, AppendStatus::Ok);
    if (appender.last.index == 0) batches.push_back(appender.last.batch);
    expected[static_cast<size_t>(topic * 4 + appender.last.partition)].push_back(value);
  }
  for (int32_t batch : batches) {
    appender->seal(batch);
    const Batch& state = appender->pool().at(batch);
    const std::string bytes = appender.finished(batch);
    BatchReader reader(test::dataOf(bytes), bytes.size());
    ASSERT_EQ(reader.open(), ReadStatus::Ok);
    Record record;
    while (reader.next(&record) == ReadStatus::Ok) {
      found[static_cast<size_t>(state.topic * 4 + state.partition)].push_back(toString(record.value));
    }
  }
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace millrace
