#include "model.h"

#include <algorithm>

namespace millrace::fuzz {
namespace {

Limits makeLimits(Input* input) {
  Limits limits{};
  limits.slabBytes = kBatchHeaderBytes + kSmallestRecordBytes + input->below(400);
  limits.slabCount = 1 + static_cast<int32_t>(input->below(7));
  const uint32_t arenaBytes = limits.slabBytes * static_cast<uint32_t>(limits.slabCount);
  limits.budgetBytes = limits.slabBytes + input->below(arenaBytes + 500);
  limits.batchLimitBytes = input->flip() ? limits.slabBytes : 1 + input->below(limits.slabBytes);
  limits.batchSlabsMax = input->flip() ? 1 : 1 + static_cast<int32_t>(input->below(4));
  limits.recordLimitBytes = input->flip() ? 1 << 20 : 60 + input->below(1000);
  return limits;
}

int32_t lengthOf(const reference::Bytes& bytes) {
  return bytes ? static_cast<int32_t>(bytes->size()) : -1;
}

RecordShape shapeOf(const reference::Record& record) {
  return {record.timestampMs, lengthOf(record.key), lengthOf(record.value),
          static_cast<int32_t>(reference::headerSection(record.headers).size())};
}

// Java's: length, attributes and the two deltas at their longest.
uint64_t upperBoundOf(const reference::Record& record) {
  const size_t headers = record.headers.empty() ? 1 : reference::headerSection(record.headers).size();
  return kBatchHeaderBytes + 21 + reference::encoded(record.key).size() +
         reference::encoded(record.value).size() + headers;
}

}  // namespace

bool isForNowhere(const ModelTopic& topic, int32_t partition, const reference::Record& record) {
  if (topic.partitions == 0 || (partition == kPartitionByKey && !record.key)) return true;
  return partition < kPartitionSticky || partition >= topic.partitionsEver;
}

AppenderModel::AppenderModel(Input* input)
    : input_(*input),
      limits_(makeLimits(input)),
      arena_(std::make_unique<uint8_t[]>(static_cast<size_t>(limits_.slabCount) * limits_.slabBytes)) {
  Appender::Options options{};
  options.pool = {arena_.get(), limits_.slabBytes, limits_.slabCount, limits_.budgetBytes, input->flip()};
  options.pool.batchSlabsMax = limits_.batchSlabsMax;
  options.batchLimitBytes = limits_.batchLimitBytes;
  options.recordLimitBytes = limits_.recordLimitBytes;
  appender_ = std::make_unique<Appender>(options);
  setTopic();
}

void AppenderModel::step() {
  switch (input_.below(25)) {
    case 0:
      return setTopic();
    case 1:
    case 2:
      return setSticky();
    case 3:
    case 4:
      return appendStaged();
    case 19:
      return setBatchLimit();
    case 5:
    case 18:
      return appendRun();
    case 6:
      return offerLarge();
    case 7:
      return sealAny();
    case 8:
    case 9:
      return finishAny();
    case 10:
      return compressAny();
    case 11:
      return splitAny();
    case 12:
    case 13:
      return pinAny();
    case 14:
    case 15:
      return unpinAny();
    case 16:
      return settleAny();
    case 17:
      if (!input_.rarely(30)) return append();
      appender_->close();
      closed_ = true;
      return;
    default:
      return append();
  }
}

void AppenderModel::finish() {
  while (!batches_.empty()) {
    const int32_t handle = batches_.begin()->first;
    ModelBatch& batch = batches_.begin()->second;
    if (batch.settled) {
      unpin(handle, &batch);
    } else {
      settle(handle, &batch);
    }
  }
  FUZZ_CHECK(appender_->pool().availableBytes() == limits_.budgetBytes);
}

void AppenderModel::setTopic() {
  const auto handle = static_cast<int32_t>(input_.below(kTopics));
  const auto partitions = static_cast<int32_t>(1 + input_.below(5));
  ModelTopic& topic = topics_[static_cast<size_t>(handle)];
  if (topic.partitions == 0) topic.batchLimitBytes = limits_.batchLimitBytes;
  topic.partitions = partitions;
  topic.partitionsEver = std::max(topic.partitionsEver, partitions);
  if (topic.sticky >= partitions) topic.sticky = -1;
  appender_->setTopic(handle, partitions);
  FUZZ_CHECK(appender_->partitionCount(handle) == partitions);
}

void AppenderModel::setBatchLimit() {
  const auto handle = static_cast<int32_t>(input_.below(kTopics));
  ModelTopic& topic = topics_[static_cast<size_t>(handle)];
  if (topic.partitions == 0) return;
  const int64_t asked = int64_t{input_.below(limits_.slabBytes * 6)} - 100;
  const int64_t least = limits_.batchLimitBytes;
  const int64_t slabs = int64_t{limits_.slabBytes} * limits_.batchSlabsMax;
  const int64_t most = std::max(least, std::min(slabs, int64_t{limits_.recordLimitBytes}));
  topic.batchLimitBytes = static_cast<uint64_t>(std::min(std::max(asked, least), most));
  appender_->setBatchLimit(handle, asked);
}

void AppenderModel::setSticky() {
  const auto handle = static_cast<int32_t>(input_.below(kTopics));
  ModelTopic& topic = topics_[static_cast<size_t>(handle)];
  if (topic.partitions == 0) return;
  topic.sticky = static_cast<int32_t>(input_.below(static_cast<uint32_t>(topic.partitions)));
  topic.stickyLimitBytes = topic.batchLimitBytes;
  topic.producedBytes = 0;
  appender_->setSticky(handle, topic.sticky);
}

reference::Record AppenderModel::randomRecord() {
  reference::Record record = makeRecord(&input_, limits_.slabBytes + 300);
  // Mostly neighbours in time, as deltas are small then.
  if (!input_.rarely(4)) record.timestampMs = 1'700'000'000'000 + input_.below(100);
  return record;
}

int32_t AppenderModel::randomPartition(int32_t topic) {
  const uint32_t choice = input_.below(16);
  if (choice == 15) return static_cast<int32_t>(input_.number());
  if (choice >= 12) return kPartitionByKey;
  if (choice >= 6) return kPartitionSticky;
  const int32_t partitions = topics_[static_cast<size_t>(topic)].partitionsEver;
  return partitions == 0 ? 0 : static_cast<int32_t>(input_.below(static_cast<uint32_t>(partitions)));
}

int32_t AppenderModel::partitionOf(const std::string& key, const ModelTopic& topic) {
  const auto hash = static_cast<uint32_t>(reference::murmur2(dataOf(key), key.size()));
  return static_cast<int32_t>(hash % 0x80000000U % static_cast<uint32_t>(topic.partitions));
}

ModelBatch* AppenderModel::pick(int32_t* handle) {
  if (batches_.empty()) return nullptr;
  auto found = batches_.begin();
  std::advance(found, input_.below(static_cast<uint32_t>(batches_.size())));
  *handle = found->first;
  return &found->second;
}

std::map<int32_t, ModelBatch>::iterator AppenderModel::openBatchOf(int32_t topic, int32_t partition) {
  auto found = batches_.begin();
  for (; found != batches_.end(); ++found) {
    const ModelBatch& batch = found->second;
    if (batch.open && batch.topic == topic && batch.partition == partition) break;
  }
  return found;
}

uint64_t AppenderModel::bytesWith(const ModelBatch* batch, const reference::Record& record) {
  reference::Record placed = record;
  placed.offsetDelta = batch == nullptr ? 0 : static_cast<int32_t>(batch->records.size());
  const int64_t baseMs = batch == nullptr ? record.timestampMs : batch->records.front().timestampMs;
  return (batch == nullptr ? kBatchHeaderBytes : batch->size) + encoded(placed, baseMs).size();
}

bool AppenderModel::stickyIsDone(const ModelTopic& topic) {
  if (topic.producedBytes < topic.stickyLimitBytes) return false;
  if (topic.producedBytes >= 2 * topic.stickyLimitBytes) return true;
  const auto handle = static_cast<int32_t>(&topic - topics_.data());
  const auto open = openBatchOf(handle, topic.sticky);
  return open == batches_.end() || open->second.size + kSmallestRecordBytes > fullBytes(open->second);
}

uint64_t AppenderModel::fullBytes(const ModelBatch& batch) const {
  return std::min(batch.limitBytes, uint64_t{limits_.slabBytes} * static_cast<uint64_t>(batch.slabs));
}

bool AppenderModel::isSlabFree(int32_t slab) const {
  return std::none_of(batches_.begin(), batches_.end(), [slab](const auto& each) {
    return slab >= each.first && slab < each.first + each.second.slabs;
  });
}

int32_t AppenderModel::longestRun() const {
  int32_t longest = 0;
  int32_t run = 0;
  for (int32_t slab = 0; slab < limits_.slabCount; slab++) {
    if (slab % limits_.batchSlabsMax == 0) run = 0;
    run = isSlabFree(slab) ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

bool AppenderModel::grows(int32_t handle, ModelBatch* batch, uint64_t bytes) {
  if (bytes > batch->limitBytes) return false;
  while (bytes > uint64_t{limits_.slabBytes} * static_cast<uint64_t>(batch->slabs)) {
    const int32_t next = handle + batch->slabs;
    const bool isThere = next % limits_.batchSlabsMax != 0 && next < limits_.slabCount && isSlabFree(next);
    if (!isThere || usedBytes_ + limits_.slabBytes > limits_.budgetBytes) return false;
    batch->slabs++;
    batch->chargeBytes += limits_.slabBytes;
    usedBytes_ += limits_.slabBytes;
  }
  return true;
}

bool AppenderModel::hasSlabs(uint64_t bytes) const {
  const uint64_t slabs = (bytes + limits_.slabBytes - 1) / limits_.slabBytes;
  return slabs <= static_cast<uint64_t>(longestRun()) &&
         usedBytes_ + slabs * limits_.slabBytes <= limits_.budgetBytes;
}

AppendStatus AppenderModel::expected(int32_t topicHandle, int32_t* partition,
                                     const reference::Record& record) {
  const ModelTopic& topic = topics_[static_cast<size_t>(topicHandle)];
  const bool sticky = *partition == kPartitionSticky;
  if (*partition == kPartitionByKey) {
    *partition = partitionOf(*record.key, topic);
  } else if (sticky) {
    *partition = topic.sticky;
  }
  if (closed_) return AppendStatus::Closed;
  const uint64_t alone = bytesWith(nullptr, record);
  if (upperBoundOf(record) > limits_.recordLimitBytes || alone > limits_.budgetBytes) {
    return AppendStatus::TooLarge;
  }
  if (sticky && (topic.sticky < 0 || stickyIsDone(topic))) return AppendStatus::ChoosePartition;
  const auto open = openBatchOf(topicHandle, *partition);
  if (open != batches_.end()) {
    if (grows(open->first, &open->second, bytesWith(&open->second, record))) return AppendStatus::Ok;
    open->second.open = false;
    if (sticky && topic.producedBytes >= topic.stickyLimitBytes) return AppendStatus::ChoosePartition;
  }
  const uint64_t availableBytes = limits_.budgetBytes - usedBytes_;
  if (alone <= limits_.slabBytes) return hasSlabs(alone) ? AppendStatus::Ok : AppendStatus::NoMemory;
  if (alone <= topic.batchLimitBytes && hasSlabs(alone)) return AppendStatus::Ok;
  if (offer_ != nullptr && offerBytes_ >= alone && offerBytes_ <= availableBytes) return AppendStatus::Ok;
  return alone <= availableBytes ? AppendStatus::NeedsLarge : AppendStatus::NoMemory;
}

void AppenderModel::checkAnswer(AppendStatus status, AppendStatus owed, const reference::Record& record,
                                int64_t sizeBytes) {
  FUZZ_CHECK(status == owed);
  if (status == AppendStatus::NeedsLarge) {
    FUZZ_CHECK(sizeBytes == static_cast<int64_t>(bytesWith(nullptr, record)));
  }
  if (status == AppendStatus::TooLarge) {
    FUZZ_CHECK(sizeBytes == static_cast<int64_t>(upperBoundOf(record)));
  }
}

void AppenderModel::appended(int32_t topic, int32_t partition, bool sticky, const reference::Record& record,
                             int32_t handle, int32_t index) {
  auto found = batches_.find(handle);
  const bool isNew = found == batches_.end();
  if (isNew) {
    found = batches_.emplace(handle, ModelBatch{}).first;
    ModelBatch& batch = found->second;
    batch.topic = topic;
    batch.partition = partition;
    batch.limitBytes = topics_[static_cast<size_t>(topic)].batchLimitBytes;
    if (handle < limits_.slabCount) {
      const uint64_t alone = bytesWith(nullptr, record);
      batch.slabs = static_cast<int32_t>((alone + limits_.slabBytes - 1) / limits_.slabBytes);
      batch.chargeBytes = limits_.slabBytes * static_cast<uint64_t>(batch.slabs);
    } else {
      FUZZ_CHECK(appender_->offerTakenBy() == handle);
      batch.open = false;
      batch.large = std::move(offer_);
      batch.chargeBytes = offerBytes_;
    }
    usedBytes_ += batch.chargeBytes;
  }
  ModelBatch& batch = found->second;
  FUZZ_CHECK(batch.topic == topic && batch.partition == partition);
  FUZZ_CHECK(isNew || batch.open);
  FUZZ_CHECK(index == static_cast<int32_t>(batch.records.size()));
  const uint64_t size = bytesWith(isNew ? nullptr : &batch, record);
  if (sticky) topics_[static_cast<size_t>(topic)].producedBytes += size - batch.size;
  batch.size = size;
  batch.records.push_back(record);
  batch.records.back().offsetDelta = index;
}

void AppenderModel::append() {
  const auto topic = static_cast<int32_t>(input_.below(kTopics));
  int32_t partition = randomPartition(topic);
  const reference::Record record = randomRecord();
  const ModelTopic& known = topics_[static_cast<size_t>(topic)];
  const bool hasFault = isForNowhere(known, partition, record);
  FUZZ_CHECK((appender_->faultOf(topic, partition, record.key.has_value()) != nullptr) == hasFault);
  if (hasFault) return;

  const int32_t asked = partition;
  const AppendStatus owed = expected(topic, &partition, record);
  const bool cancels = input_.rarely(12);
  Reservation reservation;
  const uint8_t* key = record.key ? dataOf(*record.key) : nullptr;
  const AppendStatus status = appender_->reserve(topic, asked, key, shapeOf(record), &reservation);
  checkAnswer(status, owed, record, reservation.sizeBytes);
  if (status == AppendStatus::Ok) {
    FUZZ_CHECK(reservation.partition == partition);
    const std::string headers = reference::headerSection(record.headers);
    if (record.key) std::memcpy(reservation.targets.key, record.key->data(), record.key->size());
    if (record.value) std::memcpy(reservation.targets.value, record.value->data(), record.value->size());
    std::memcpy(reservation.targets.headers, headers.data(), headers.size());
    if (cancels) {
      appender_->cancel();
    } else {
      appender_->commit();
      appended(topic, partition, asked == kPartitionSticky, record, reservation.batch, reservation.index);
    }
  }
  offer_ = nullptr;
  checkState();
}

}  // namespace millrace::fuzz
