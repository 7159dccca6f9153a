#include "core/record_batch.h"

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "support.h"

namespace millrace {
namespace {

using test::TestAppender;
using test::TestRecord;
using test::toString;

// Written by Kafka 4.3's own jar: k1/v1; null/"hello" with headers h="x" and n=null; k3/null.
constexpr char kGolden[] =
    "000000000000000000000058ffffffff022e087a100000000000020000018bcfe568000000018bcfe56805ffffffffffffffffff"
    "ffffff"
    "ffff0000000314000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b330100";
constexpr char kGoldenTransactional[] =
    "000000000000000000000058ffffffff028f88e9dd0010000000020000018bcfe568000000018bcfe568050000000000000fa000"
    "070000"
    "002a0000000314000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b330100";

int32_t appendGoldenRecords(TestAppender& appender) {
  const auto headers = test::fromHex("0402680278026e01");
  appender->setTopic(0, 1);
  EXPECT_EQ(appender.append(0, 0, {1700000000000, "k1", "v1", ""}), AppendStatus::Ok);
  EXPECT_EQ(appender.append(0, 0, {1700000000005, std::nullopt, "hello", {headers.begin(), headers.end()}}),
            AppendStatus::Ok);
  EXPECT_EQ(appender.append(0, 0, {1699999999990, "k3", std::nullopt, ""}), AppendStatus::Ok);
  appender->seal(appender.last.batch);
  return appender.last.batch;
}

TEST(RecordBatch, IsByteEqualToJavasWithoutProducerState) {
  TestAppender appender;
  const int32_t batch = appendGoldenRecords(appender);
  const uint32_t bytes = appender->finish(batch, -1, -1, -1, 0);
  EXPECT_EQ(test::toHex(appender->pool().at(batch).memory, bytes), kGolden);
}

TEST(RecordBatch, IsByteEqualToJavasInATransaction) {
  TestAppender appender;
  const int32_t batch = appendGoldenRecords(appender);
  appender->finish(batch, 99, 1, 7, 0);  // an epoch bump writes the header again
  const uint32_t bytes = appender->finish(batch, 4000, 7, 42, 1 << 4);
  EXPECT_EQ(test::toHex(appender->pool().at(batch).memory, bytes), kGoldenTransactional);
}

TEST(RecordBatch, ReaderGivesBackHeaderAndRecords) {
  const auto bytes = test::fromHex(kGoldenTransactional);
  BatchReader reader(bytes.data(), bytes.size());
  ASSERT_EQ(reader.open(), ReadStatus::Ok);
  EXPECT_EQ(reader.batchBytes(), 100U);
  EXPECT_EQ(reader.header().baseOffset, 0);
  EXPECT_EQ(reader.header().partitionLeaderEpoch, -1);
  EXPECT_EQ(reader.header().attributes, 16);
  EXPECT_EQ(reader.header().lastOffsetDelta, 2);
  EXPECT_EQ(reader.header().baseTimestampMs, 1700000000000);
  EXPECT_EQ(reader.header().maxTimestampMs, 1700000000005);
  EXPECT_EQ(reader.header().producerId, 4000);
  EXPECT_EQ(reader.header().producerEpoch, 7);
  EXPECT_EQ(reader.header().baseSequence, 42);
  EXPECT_EQ(reader.header().recordsCount, 3);

  Record record;
  ASSERT_EQ(reader.next(&record), ReadStatus::Ok);
  EXPECT_EQ(toString(record.key), "k1");
  EXPECT_EQ(record.headerCount, 0);
  ASSERT_EQ(reader.next(&record), ReadStatus::Ok);
  EXPECT_EQ(record.key.count, -1);
  EXPECT_EQ(toString(record.value), "hello");
  EXPECT_EQ(record.timestampMs, 1700000000005);
  ASSERT_EQ(record.headerCount, 2);
  BytesView name, value;
  ASSERT_EQ(readHeader(&record.headers, &name, &value), ReadStatus::Ok);
  EXPECT_EQ(toString(name) + "=" + toString(value), "h=x");
  ASSERT_EQ(readHeader(&record.headers, &name, &value), ReadStatus::Ok);
  EXPECT_EQ(toString(name), "n");
  EXPECT_EQ(value.count, -1);
  ASSERT_EQ(reader.next(&record), ReadStatus::Ok);
  EXPECT_EQ(record.timestampMs, 1699999999990);
  EXPECT_EQ(record.value.count, -1);
  EXPECT_EQ(record.offsetDelta, 2);
  EXPECT_EQ(reader.next(&record), ReadStatus::End);
}

test::Bytes randomBytes(test::Random& random, size_t limit) {
  if (random.below(8) == 0) return std::nullopt;
  return random.bytes(random.below(limit));
}

std::string randomHeaders(test::Random& random) {
  const auto count = static_cast<int32_t>(random.below(4));
  if (count == 0) return "";
  std::vector<uint8_t> bytes(4096);
  uint8_t* to = writeVarint(bytes.data(), count);
  for (int32_t i = 0; i < count; i++) {
    const std::string name = random.bytes(random.below(20));
    const test::Bytes value = randomBytes(random, 200);
    to = writeVarint(to, test::lengthOf(name));
    to = std::copy(name.begin(), name.end(), to);
    to = writeVarint(to, test::lengthOf(value));
    if (value) to = std::copy(value->begin(), value->end(), to);
  }
  return std::string(bytes.begin(), bytes.begin() + (to - bytes.data()));
}

TEST(RecordBatch, RandomRecordsSurviveARoundTrip) {
  for (uint64_t seed = 1; seed <= 300; seed++) {
    test::Random random(seed);
    TestAppender appender({1U << 20, 1, 0, 0, 1U << 20});
    appender->setTopic(0, 1);
    std::vector<TestRecord> records(1 + random.below(200));
    for (TestRecord& record : records) {
      record = {static_cast<int64_t>(random.next() >> random.below(64)), randomBytes(random, 300),
                randomBytes(random, 2000), randomHeaders(random)};
      ASSERT_EQ(appender.append(0, 0, record), AppendStatus::Ok);
    }
    appender->seal(0);
    const std::string batch = appender.finished(0);
    BatchReader reader(test::dataOf(batch), batch.size());
    ASSERT_EQ(reader.open(), ReadStatus::Ok);
    int64_t maxTimestampMs = records[0].timestampMs;
    for (const TestRecord& expected : records) {
      Record record;
      ASSERT_EQ(reader.next(&record), ReadStatus::Ok);
      ASSERT_EQ(record.timestampMs, expected.timestampMs);
      ASSERT_EQ(record.key.count, test::lengthOf(expected.key));
      ASSERT_EQ(toString(record.key), expected.key.value_or(""));
      ASSERT_EQ(record.value.count, test::lengthOf(expected.value));
      ASSERT_EQ(toString(record.value), expected.value.value_or(""));
      ASSERT_EQ(toString(record.headers), expected.headers.empty() ? "" : expected.headers.substr(1));
      maxTimestampMs = std::max(maxTimestampMs, record.timestampMs);
    }
    Record record;
    ASSERT_EQ(reader.next(&record), ReadStatus::End);
    ASSERT_EQ(reader.header().maxTimestampMs, maxTimestampMs);
    ASSERT_EQ(reader.header().baseTimestampMs, records[0].timestampMs);
  }
}

void repairCrc(std::vector<uint8_t>* batch) {
  storeBig32(batch->data() + batch_layout::kOffsetOfCrc,
             crc32c(0, batch->data() + batch_layout::kOffsetOfAttributes,
                    batch->size() - batch_layout::kOffsetOfAttributes));
}

ReadStatus readAll(const std::vector<uint8_t>& batch) {
  // A copy of exact size, so that a sanitizer sees every read past its end.
  const auto exact = std::make_unique<uint8_t[]>(batch.size());
  std::copy(batch.begin(), batch.end(), exact.get());
  BatchReader reader(exact.get(), batch.size());
  ReadStatus status = reader.open();
  Record record;
  while (status == ReadStatus::Ok) status = reader.next(&record);
  return status;
}

TEST(BatchReader, NamesWhatIsWrongWithABatch) {
  const auto golden = test::fromHex(kGolden);
  EXPECT_EQ(readAll(golden), ReadStatus::End);
  EXPECT_EQ(readAll({golden.begin(), golden.begin() + 60}), ReadStatus::Truncated);
  EXPECT_EQ(readAll({golden.begin(), golden.end() - 1}), ReadStatus::Truncated);
  auto changed = golden;
  changed[batch_layout::kOffsetOfMagic] = 1;
  EXPECT_EQ(readAll(changed), ReadStatus::BadMagic);
  changed = golden;
  changed.back() ^= 1;
  EXPECT_EQ(readAll(changed), ReadStatus::BadCrc);
  changed = golden;
  storeBig32(changed.data() + batch_layout::kOffsetOfBatchLength, 48);
  EXPECT_EQ(readAll(changed), ReadStatus::BadLength);
  storeBig32(changed.data() + batch_layout::kOffsetOfBatchLength, 0xffffffff);
  EXPECT_EQ(readAll(changed), ReadStatus::BadLength);
  changed = golden;
  changed[batch_layout::kOffsetOfAttributes + 1] = 4;
  repairCrc(&changed);
  EXPECT_EQ(readAll(changed), ReadStatus::Compressed);
  changed = golden;
  storeBig32(changed.data() + batch_layout::kOffsetOfRecordsCount, 2);
  repairCrc(&changed);
  EXPECT_EQ(readAll(changed), ReadStatus::BadLength) << "bytes after the last record";
  storeBig32(changed.data() + batch_layout::kOffsetOfRecordsCount, 4);
  repairCrc(&changed);
  EXPECT_EQ(readAll(changed), ReadStatus::Truncated) << "a record too few";
  storeBig32(changed.data() + batch_layout::kOffsetOfRecordsCount, 0x80000000);
  repairCrc(&changed);
  EXPECT_EQ(readAll(changed), ReadStatus::BadLength);
}

// A batch of one record with the bytes given.
ReadStatus readRecord(const std::string& recordHex) {
  auto batch = test::fromHex(std::string(kGolden).substr(0, 2 * kBatchHeaderBytes) + recordHex);
  storeBig32(batch.data() + batch_layout::kOffsetOfBatchLength, static_cast<uint32_t>(batch.size() - 12));
  storeBig32(batch.data() + batch_layout::kOffsetOfRecordsCount, 1);
  repairCrc(&batch);
  return readAll(batch);
}

TEST(BatchReader, ChecksEveryLengthAgainstWhatIsLeft) {
  EXPECT_EQ(readRecord("0e00000001027600"), ReadStatus::End);
  EXPECT_EQ(readRecord("12000000010276020001"), ReadStatus::End) << "a header of no name and no value";
  EXPECT_EQ(readRecord("1000000001027600"), ReadStatus::Truncated) << "record longer than the batch";
  EXPECT_EQ(readRecord("01"), ReadStatus::Truncated) << "negative record";
  EXPECT_EQ(readRecord("00"), ReadStatus::BadLength) << "empty record";
  EXPECT_EQ(readRecord("0e00000001067600"), ReadStatus::BadLength) << "value one byte past the record";
  EXPECT_EQ(readRecord("0e00000001037600"), ReadStatus::BadLength) << "value of length -2";
  EXPECT_EQ(readRecord("0e00000008027600"), ReadStatus::BadLength) << "key past the record";
  EXPECT_EQ(readRecord("1000000001027600aa"), ReadStatus::BadLength) << "a byte behind the headers";
  EXPECT_EQ(readRecord("0e00000001027601"), ReadStatus::BadLength) << "-1 headers";
  EXPECT_EQ(readRecord("12000000010276020101"), ReadStatus::BadLength) << "header without name";
  EXPECT_EQ(readRecord("12000000010276040001"), ReadStatus::BadLength) << "a header too few";
  EXPECT_EQ(readRecord("12000000010276020002"), ReadStatus::BadLength) << "header value past the record";
}

TEST(BatchReader, ReadsNothingPastItsBytesWhateverTheyAre) {
  const auto golden = test::fromHex(kGolden);
  test::Random random(5);
  int refused = 0;
  for (int i = 0; i < 200000; i++) {
    auto changed = golden;
    for (size_t k = 1 + random.below(3); k > 0; k--) {
      changed[kBatchHeaderBytes + random.below(changed.size() - kBatchHeaderBytes)] =
          static_cast<uint8_t>(random.next());
    }
    repairCrc(&changed);
    if (readAll(changed) != ReadStatus::End) refused++;
  }
  EXPECT_GT(refused, 10000);
}

}  // namespace
}  // namespace millrace
