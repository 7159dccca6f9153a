#include "core/staged.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "support.h"

namespace millrace {
namespace {

using namespace staged_layout;
using place_layout::kIndex;
using test::TestAppender;
using test::TestRecord;

// Staging memory of exact size, so that a sanitizer sees every read past it.
class Staging {
 public:
  explicit Staging(int32_t capacity, size_t byteCount)
      : descriptors_(static_cast<size_t>(capacity) * kWords),
        places_(static_cast<size_t>(capacity) * place_layout::kWords),
        touched_(static_cast<size_t>(capacity) * touched_layout::kWords),
        bytes_(byteCount),
        capacity_(capacity) {}

  void put(int32_t topic, int32_t partition, const TestRecord& record) {
    int32_t* words = at(count++);
    const auto timestampMs = static_cast<double>(record.timestampMs);
    words[kTopic] = topic;
    words[kPartition] = partition;
    words[kKeyBytes] = test::lengthOf(record.key);
    words[kValueBytes] = test::lengthOf(record.value);
    std::memcpy(words + kTimestamp, &timestampMs, sizeof timestampMs);
    words[kOffset] = static_cast<int32_t>(used_);
    words[kHeaderBytes] = static_cast<int32_t>(record.headers.size());
    for (const std::string& part : {record.key.value_or(""), record.value.value_or(""), record.headers}) {
      std::copy(part.begin(), part.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(used_));
      used_ += part.size();
    }
  }
  int32_t* at(int32_t record) { return descriptors_.data() + static_cast<size_t>(record) * kWords; }
  StagingArea area() {
    return {descriptors_.data(), capacity_,      bytes_.data(), static_cast<int64_t>(bytes_.size()),
            places_.data(),      touched_.data()};
  }
  const int32_t* place(int32_t record) const {
    return places_.data() + static_cast<size_t>(record) * place_layout::kWords;
  }
  const int32_t* touched(int32_t number) const {
    return touched_.data() + static_cast<size_t>(number) * touched_layout::kWords;
  }
  int32_t batchOf(int32_t record) const {
    return touched(place(record)[place_layout::kTouch])[touched_layout::kBatch];
  }
  int32_t partitionOf(int32_t record) const {
    return touched(place(record)[place_layout::kTouch])[touched_layout::kPartition];
  }

  // The form of a run, for which room is needed as runCapacity reckons it.
  void beginRun(int32_t topic, int32_t keyedPartition, double timestampMs) {
    descriptors_[kTopic] = topic;
    descriptors_[kPartition] = keyedPartition;
    std::memcpy(descriptors_.data() + kTimestamp, &timestampMs, sizeof timestampMs);
  }
  void add(const test::Bytes& key, const test::Bytes& value) {
    runWords(count)[run_layout::kKeyBytes] = test::lengthOf(key);
    runWords(count++)[run_layout::kValueBytes] = test::lengthOf(value);
    for (const std::string& part : {key.value_or(""), value.value_or("")}) {
      std::copy(part.begin(), part.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(used_));
      used_ += part.size();
    }
  }
  int32_t* runWords(int32_t record) {
    return descriptors_.data() + run_layout::kFirst + static_cast<size_t>(record) * run_layout::kWords;
  }

  int32_t count = 0;

 private:
  std::vector<int32_t> descriptors_;
  std::vector<int32_t> places_;
  std::vector<int32_t> touched_;
  std::vector<uint8_t> bytes_;
  int32_t capacity_;
  size_t used_ = 0;
};

void expectSameBatches(TestAppender& staged, TestAppender& direct) {
  for (int32_t batch = 0; direct->pool().isBatch(batch); batch++) {
    direct->seal(batch);
    staged->seal(batch);
    ASSERT_EQ(staged.finished(batch), direct.finished(batch)) << "batch " << batch;
  }
}

// Memory has run out: makes room again.
void settleAll(TestAppender& appender, int32_t slabCount) {
  for (int32_t batch = 0; batch < slabCount; batch++) {
    if (appender->pool().isBatch(batch)) appender->settle(batch);
  }
}

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

struct Nonsense {
  int32_t word;
  int32_t value;
  const char* fault;
};

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
      } else if (record.value) {
        record.value = random.bytes(record.value->size());
      }
      const int32_t partition = record.key ? keyedPartition : kPartitionSticky;
      while (direct.append(0, partition, record) == AppendStatus::ChoosePartition) {
        direct->setSticky(0, sticky++ % 5);
      }
      staging.add(record.key, record.value);
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
  };
  for (const Nonsense& nonsense : cases) {
    TestAppender appender;
    appender->setTopic(0, 2);
    Staging staging(3, 100);
    staging.beginRun(0, kPartitionByKey, 0);
    staging.add("k", "v");
    staging.add("key", "v");
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
    for (int32_t word = 0; word < 8; word++) {
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
