// The staged way in, of the model in model.h: descriptors of which some are lies.
#include <limits>

#include "model.h"

namespace millrace::fuzz {
namespace {

using namespace staged_layout;

constexpr int32_t kTouchBase = 7;
constexpr double kTwoTo63 = 9223372036854775808.0;

struct StagedRecords {
  std::vector<int32_t> words;
  std::string bytes;
  std::vector<reference::Record> records;

  const int32_t* wordsOf(size_t index) const { return words.data() + index * kWords; }
};

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
                           static_cast<int32_t>(headers.size())};
  std::memcpy(words + kTimestamp, &timestampMs, sizeof timestampMs);
  staged->words.insert(staged->words.end(), words, words + kWords);
  staged->bytes += record.key.value_or("") + record.value.value_or("") + headers;
  staged->records.push_back(record);
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
  }
  if (count > 0 && input_.rarely(8)) lie(&input_, &staged);
  std::vector<int32_t> words = staged.words;
  std::vector<int32_t> places(count * place_layout::kWords);
  std::vector<int32_t> touched(count * touched_layout::kWords);
  const auto exact = std::make_unique<uint8_t[]>(staged.bytes.size());
  std::copy(staged.bytes.begin(), staged.bytes.end(), exact.get());
  const StagingArea area{words.data(),  static_cast<int32_t>(count),
                         exact.get(),   static_cast<int64_t>(staged.bytes.size()),
                         places.data(), touched.data()};
  const uint32_t first = count > 0 && input_.rarely(8) ? input_.below(count) : 0;
  const DrainResult result = drainStaged(*appender_, area, static_cast<int32_t>(first),
                                         static_cast<int32_t>(count - first), kTouchBase);

  std::vector<int32_t> counted(count);
  int32_t processed = 0;
  for (size_t i = first; i < count; i++, processed++) {
    const int32_t* asked = staged.wordsOf(i);
    const int32_t* told = words.data() + i * kWords;
    const bool isKnownTopic = asked[kTopic] >= 0 && asked[kTopic] < kTopics;
    reference::Record record = staged.records[i];
    if (isLie(asked, staged) || !isKnownTopic ||
        isForNowhere(topics_[static_cast<size_t>(asked[kTopic])], asked[kPartition], record)) {
      FUZZ_CHECK(result.fault != nullptr);
      break;
    }
    FUZZ_CHECK(result.fault == nullptr || processed < result.processed);
    record.timestampMs = static_cast<int64_t>(timestampOf(asked));
    int32_t partition = asked[kPartition];
    const AppendStatus owed = expected(asked[kTopic], &partition, record);
    if (owed != AppendStatus::Ok) {
      checkAnswer(result.status, owed, record, result.sizeBytes);
      offer_ = nullptr;
      break;
    }
    FUZZ_CHECK(processed < result.processed && told[kPartition] == partition);
    const int32_t* place = places.data() + i * place_layout::kWords;
    const int32_t number = place[place_layout::kTouch] - kTouchBase;
    FUZZ_CHECK(number >= 0 && number < result.touched);
    FUZZ_CHECK(place[place_layout::kKeyBytes] == lengthOf(record.key));
    FUZZ_CHECK(place[place_layout::kValueBytes] == lengthOf(record.value));
    const int32_t* entry = touched.data() + static_cast<size_t>(number) * touched_layout::kWords;
    // A batch is new at its first record, and its records follow one another.
    if (counted[static_cast<size_t>(number)]++ == 0) {
      FUZZ_CHECK(entry[touched_layout::kFirstIndex] == place[place_layout::kIndex]);
      FUZZ_CHECK(entry[touched_layout::kFirstRecord] == static_cast<int32_t>(i));
    }
    appended(asked[kTopic], partition, asked[kPartition] == kPartitionSticky, record,
             entry[touched_layout::kBatch], place[place_layout::kIndex]);
    offer_ = nullptr;
  }
  FUZZ_CHECK(result.processed == processed);
  for (int32_t number = 0; number < result.touched; number++) {
    const int32_t* entry = touched.data() + static_cast<size_t>(number) * touched_layout::kWords;
    FUZZ_CHECK(entry[touched_layout::kRecords] == counted[static_cast<size_t>(number)]);
    FUZZ_CHECK(entry[touched_layout::kRecords] > 0);
  }
  checkState();
}

}  // namespace millrace::fuzz
