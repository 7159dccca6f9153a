// The staged way in, of the model in model.h: descriptors of which some are lies.
#include <limits>

#include "model.h"

namespace millrace::fuzz {

struct StagedRecords {
  std::vector<int32_t> words;
  std::string bytes;
  std::vector<reference::Record> records;

  const int32_t* wordsOf(size_t index) const { return words.data() + index * staged_layout::kWords; }
};

// Of exact size, so that a sanitizer sees what is read or written past it.
struct DrainMemory {
  DrainMemory(const std::vector<int32_t>& descriptors, int32_t capacity, const std::string& staged)
      : words(descriptors),
        bytes(std::make_unique<uint8_t[]>(staged.size())),
        places(static_cast<size_t>(capacity) * place_layout::kWords),
        touched(static_cast<size_t>(capacity) * touched_layout::kWords),
        area{words.data(),  capacity,      bytes.get(), static_cast<int64_t>(staged.size()),
             places.data(), touched.data()} {
    std::copy(staged.begin(), staged.end(), bytes.get());
  }
  DrainMemory(const DrainMemory&) = delete;
  DrainMemory& operator=(const DrainMemory&) = delete;

  std::vector<int32_t> words;
  std::unique_ptr<uint8_t[]> bytes;
  std::vector<int32_t> places;
  std::vector<int32_t> touched;
  StagingArea area;
};

namespace {

using namespace staged_layout;

constexpr int32_t kTouchBase = 7;
constexpr double kTwoTo63 = 9223372036854775808.0;

int32_t lengthOf(const reference::Bytes& bytes) {
  return bytes ? static_cast<int32_t>(bytes->size()) : -1;
}

void stage(StagedRecords* staged, int32_t topic, int32_t partition, const reference::Record& record,
           double timestampMs) {
  const std::string headers = reference::headerSection(record.headers);
  int32_t words[kWords] = {topic,
                           partition,
                           lengthOf(record.key),
                           lengthOf(record.value),
                           0,
                           0,
                           static_cast<int32_t>(staged->bytes.size()),
                           static_cast<int32_t>(headers.size()),
                           kNoBatch,
                           0};
  std::memcpy(words + kTimestamp, &timestampMs, sizeof timestampMs);
  staged->words.insert(staged->words.end(), words, words + kWords);
  staged->bytes += record.key.value_or("") + record.value.value_or("") + headers;
  staged->records.push_back(record);
}

// Promises the last record a place: any, for whether it is the right one shows only when it is written.
void promise(StagedRecords* staged, int32_t batch, int32_t index) {
  int32_t* words = staged->words.data() + staged->words.size() - kWords;
  words[kBatch] = batch;
  words[kIndex] = index;
}

double timestampOf(const int32_t* words) {
  double timestampMs;
  std::memcpy(&timestampMs, words + kTimestamp, sizeof timestampMs);
  return timestampMs;
}

bool isInt64(double timestampMs) {
  return timestampMs >= -kTwoTo63 && timestampMs < kTwoTo63;
}

// One word of one of the records becomes a lie: a length or an offset that cannot be, or anything elsewhere.
void lie(Input* input, StagedRecords* staged) {
  const size_t last = staged->words.size() - kWords;
  if (input->rarely(3)) {
    // The last one by a few bytes.
    staged->words[last + (input->flip() ? kOffset : kHeaderBytes)] +=
        1 + static_cast<int32_t>(input->below(3));
    return;
  }
  const uint32_t word = input->below(kWords);
  int32_t& lying = staged->words[input->below(static_cast<uint32_t>(staged->records.size())) * kWords + word];
  const auto byteCount = static_cast<int32_t>(staged->bytes.size());
  const bool isSize = word == kKeyBytes || word == kValueBytes || word == kOffset || word == kHeaderBytes;
  const auto any = static_cast<int32_t>(input->number());
  if (!isSize) {
    lying = any;
  } else if (input->flip()) {
    lying = any > -2 ? -2 - (any & 0xffff) : any;
  } else {
    lying = any > byteCount ? any : byteCount + 1 + (any & 0xffff);
  }
}

// A length that cannot be.
void lieAboutALength(Input* input, StagedRecords* staged) {
  const size_t record = input->below(static_cast<uint32_t>(staged->records.size()));
  const auto any = static_cast<int32_t>(input->number());
  const auto byteCount = static_cast<int32_t>(staged->bytes.size());
  int32_t& lying = staged->words[record * kWords + (input->flip() ? kKeyBytes : kValueBytes)];
  if (input->flip()) {
    lying = any > -2 ? -2 - (any & 0xffff) : any;
  } else {
    lying = any > byteCount ? any : byteCount + 1 + (any & 0xffff);
  }
}

// What all records of a run share cannot be.
void misleadRun(Input* input, int32_t* words) {
  const double odd[] = {std::numeric_limits<double>::quiet_NaN(), kTwoTo63, 1e300};
  switch (input->below(3)) {
    case 0:
      words[kTopic] = input->flip() ? -1 : 1000 + static_cast<int32_t>(input->below(1 << 30));
      return;
    case 1:
      words[kPartition] = static_cast<int32_t>(input->below(1 << 30)) * (input->flip() ? 1 : -1);
      if (words[kPartition] == kPartitionByKey || words[kPartition] == kPartitionSticky)
        words[kPartition] = -3;
      return;
    default:
      std::memcpy(words + kTimestamp, &odd[input->below(3)], sizeof(double));
  }
}

bool isLie(const int32_t* words, const StagedRecords& staged) {
  if (words[kKeyBytes] < -1 || words[kValueBytes] < -1 || words[kHeaderBytes] < 0 || words[kOffset] < 0)
    return true;
  const int64_t end = int64_t{words[kOffset]} + (words[kKeyBytes] > 0 ? words[kKeyBytes] : 0) +
                      (words[kValueBytes] > 0 ? words[kValueBytes] : 0) + words[kHeaderBytes];
  return end > static_cast<int64_t>(staged.bytes.size()) || !isInt64(timestampOf(words));
}

}  // namespace

void AppenderModel::appendStaged() {
  StagedRecords staged;
  const uint32_t count = input_.below(kStagedMax + 1);
  for (uint32_t i = 0; i < count; i++) {
    const auto topic = static_cast<int32_t>(input_.below(kTopics));
    const int32_t partition = randomPartition(topic);
    const reference::Record record = randomRecord();
    const double odd[] = {std::numeric_limits<double>::quiet_NaN(), kTwoTo63, -kTwoTo63, 1e300, -0.5};
    const double timestampMs =
        input_.rarely(30) ? odd[input_.below(5)] : static_cast<double>(record.timestampMs);
    stage(&staged, topic, partition, record, timestampMs);
    if (input_.flip()) promiseLast(topic, partition, i, &staged);
  }
  if (count > 0 && input_.rarely(8)) lie(&input_, &staged);
  DrainMemory memory(staged.words, static_cast<int32_t>(count), staged.bytes);
  const uint32_t first = count > 0 && input_.rarely(8) ? input_.below(count) : 0;
  const DrainResult result = drainStaged(*appender_, memory.area, static_cast<int32_t>(first),
                                         static_cast<int32_t>(count - first), kTouchBase);
  checkDrained(staged, memory, first, result);
}

// Mostly the place that is the next now, or will be behind those staged before.
void AppenderModel::promiseLast(int32_t topic, int32_t partition, uint32_t before, StagedRecords* staged) {
  const int32_t sticky = topics_[static_cast<size_t>(topic)].sticky;
  const auto open = openBatchOf(topic, partition == kPartitionSticky ? sticky : partition);
  if (open == batches_.end() || input_.rarely(8)) {
    if (input_.rarely(4))
      promise(staged, static_cast<int32_t>(input_.below(8)), static_cast<int32_t>(input_.below(4)));
    return;
  }
  const auto records = static_cast<int32_t>(open->second.records.size());
  promise(staged, open->first, records + static_cast<int32_t>(input_.below(before + 1)));
}

bool AppenderModel::isNext(const int32_t* asked, const reference::Record& record) {
  const ModelTopic& topic = topics_[static_cast<size_t>(asked[kTopic])];
  int32_t partition = asked[kPartition];
  if (partition == kPartitionSticky) {
    if (topic.sticky < 0 || topic.producedBytes >= 2 * topic.stickyLimitBytes) return false;
    partition = topic.sticky;
  } else if (partition == kPartitionByKey) {
    partition = partitionOf(*record.key, topic);
  }
  const auto open = openBatchOf(asked[kTopic], partition);
  return open != batches_.end() && open->first == asked[kBatch] &&
         static_cast<int32_t>(open->second.records.size()) == asked[kIndex] &&
         bytesWith(&open->second, record) <= fullBytes(open->second);
}

void AppenderModel::appendRun() {
  StagedRecords staged;
  const auto topic = static_cast<int32_t>(input_.below(kTopics));
  const int32_t keyedPartition = input_.flip() ? kPartitionByKey : kPartitionSticky;
  const reference::Record any = randomRecord();
  const uint32_t count = input_.below(kStagedMax + 1);
  reference::Record record = any;
  for (uint32_t i = 0; i < count; i++) {
    // Mostly as long as the one before.
    if (input_.rarely(4)) record = randomRecord();
    if (record.value && !record.value->empty()) record.value->back() = static_cast<char>(i);
    record.timestampMs = any.timestampMs;
    if (!input_.rarely(4)) record.headers.clear();
    const int32_t partition = record.key ? keyedPartition : kPartitionSticky;
    stage(&staged, topic, partition, record, static_cast<double>(record.timestampMs));
  }
  if (count > 0 && input_.rarely(8)) lieAboutALength(&input_, &staged);
  const auto capacity = static_cast<int32_t>(std::max(count, 2U));
  std::vector<int32_t> words(static_cast<size_t>(capacity) * kWords);
  words[kTopic] = topic;
  words[kPartition] = keyedPartition;
  const auto timestampMs = static_cast<double>(any.timestampMs);
  std::memcpy(words.data() + kTimestamp, &timestampMs, sizeof timestampMs);
  for (uint32_t i = 0; i < count; i++) {
    const size_t at = run_layout::kFirst + size_t{i} * run_layout::kWords;
    words[at + run_layout::kKeyBytes] = staged.wordsOf(i)[kKeyBytes];
    words[at + run_layout::kValueBytes] = staged.wordsOf(i)[kValueBytes];
    words[at + run_layout::kHeaderBytes] = staged.wordsOf(i)[kHeaderBytes];
    if (staged.wordsOf(i)[kHeaderBytes] != 0) words[kHeaderBytes] = 1;
  }
  // Where no record has headers, their words may hold anything.
  if (count > 0 && words[kHeaderBytes] == 0) {
    if (input_.flip())
      words[kHeaderBytes] = 1;
    else
      words[run_layout::kFirst + run_layout::kHeaderBytes] = static_cast<int32_t>(input_.number());
  }
  const bool isMisled = input_.rarely(16);
  if (isMisled) misleadRun(&input_, words.data());
  DrainMemory memory(words, capacity, staged.bytes);
  const uint32_t first = count > 0 && input_.rarely(8) ? input_.below(count) : 0;
  const int64_t position = first < count ? staged.wordsOf(first)[kOffset] : 0;
  const DrainResult result = drainRun(*appender_, memory.area, static_cast<int32_t>(first),
                                      static_cast<int32_t>(count - first), position, kTouchBase);
  if (first < count && (isMisled || topics_[static_cast<size_t>(topic)].partitions == 0)) {
    FUZZ_CHECK(result.fault != nullptr && result.processed == 0 && result.touched == 0);
    checkState();
    return;
  }
  checkDrained(staged, memory, first, result);
  const auto next = first + static_cast<uint32_t>(result.processed);
  if (next < count) FUZZ_CHECK(result.position == staged.wordsOf(next)[kOffset]);
  if (result.consecutive) checkConsecutive(staged, memory, first, result);
}

// Where the places say what the touched batches say alone.
void AppenderModel::checkConsecutive(const StagedRecords& staged, const DrainMemory& memory, uint32_t first,
                                     const DrainResult& result) {
  size_t record = first;
  for (int32_t number = 0; number < result.touched; number++) {
    const int32_t* entry = memory.touched.data() + static_cast<size_t>(number) * touched_layout::kWords;
    for (int32_t i = 0; i < entry[touched_layout::kRecords]; i++, record++) {
      const int32_t* place = memory.places.data() + record * place_layout::kWords;
      FUZZ_CHECK(place[place_layout::kTouch] == kTouchBase + number);
      FUZZ_CHECK(place[place_layout::kIndex] == entry[touched_layout::kFirstIndex] + i);
      FUZZ_CHECK(place[place_layout::kKeyBytes] == staged.wordsOf(first)[kKeyBytes]);
      FUZZ_CHECK(place[place_layout::kValueBytes] == staged.wordsOf(first)[kValueBytes]);
    }
  }
}

void AppenderModel::checkDrained(const StagedRecords& staged, const DrainMemory& memory, uint32_t first,
                                 const DrainResult& result) {
  const size_t count = staged.records.size();
  std::vector<int32_t> counted(count);
  int32_t processed = 0;
  for (size_t i = first; i < count; i++, processed++) {
    const int32_t* asked = staged.wordsOf(i);
    const bool isKnownTopic = asked[kTopic] >= 0 && asked[kTopic] < kTopics;
    reference::Record record = staged.records[i];
    if (isLie(asked, staged) || !isKnownTopic ||
        isForNowhere(topics_[static_cast<size_t>(asked[kTopic])], asked[kPartition], record)) {
      FUZZ_CHECK(result.fault != nullptr);
      break;
    }
    record.timestampMs = static_cast<int64_t>(timestampOf(asked));
    if (asked[kBatch] != kNoBatch && !isNext(asked, record)) {
      FUZZ_CHECK(result.fault != nullptr);
      break;
    }
    FUZZ_CHECK(result.fault == nullptr || processed < result.processed);
    int32_t partition = asked[kPartition];
    const AppendStatus owed = expected(asked[kTopic], &partition, record);
    if (owed != AppendStatus::Ok) {
      checkAnswer(result.status, owed, record, result.sizeBytes);
      offer_ = nullptr;
      break;
    }
    FUZZ_CHECK(processed < result.processed);
    const int32_t* place = memory.places.data() + i * place_layout::kWords;
    const int32_t number = place[place_layout::kTouch] - kTouchBase;
    FUZZ_CHECK(number >= 0 && number < result.touched);
    FUZZ_CHECK(place[place_layout::kKeyBytes] == lengthOf(record.key));
    FUZZ_CHECK(place[place_layout::kValueBytes] == lengthOf(record.value));
    const int32_t* entry = memory.touched.data() + static_cast<size_t>(number) * touched_layout::kWords;
    // A batch is new at its first record, and its records follow one another.
    if (counted[static_cast<size_t>(number)]++ == 0) {
      FUZZ_CHECK(entry[touched_layout::kFirstIndex] == place[place_layout::kIndex]);
      FUZZ_CHECK(entry[touched_layout::kTopic] == asked[kTopic]);
      FUZZ_CHECK(entry[touched_layout::kPartition] == partition);
    }
    appended(asked[kTopic], partition, asked[kPartition] == kPartitionSticky, record,
             entry[touched_layout::kBatch], place[place_layout::kIndex]);
    offer_ = nullptr;
  }
  FUZZ_CHECK(result.processed == processed);
  for (int32_t number = 0; number < result.touched; number++) {
    const int32_t* entry = memory.touched.data() + static_cast<size_t>(number) * touched_layout::kWords;
    FUZZ_CHECK(entry[touched_layout::kRecords] == counted[static_cast<size_t>(number)]);
    FUZZ_CHECK(entry[touched_layout::kRecords] > 0);
  }
  checkState();
}

}  // namespace millrace::fuzz
