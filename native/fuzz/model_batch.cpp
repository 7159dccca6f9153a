// The calls on batches, of the model in model.h.
#include <algorithm>
#include <limits>

#include "model.h"

namespace millrace::fuzz {
namespace {

// What the batch of these records is as long as.
uint64_t sizeOf(const std::vector<reference::Record>& records, size_t first, size_t count) {
  uint64_t size = kBatchHeaderBytes;
  for (size_t i = 0; i < count; i++) {
    reference::Record placed = records[first + i];
    placed.offsetDelta = static_cast<int32_t>(i);
    size += encoded(placed, records[first].timestampMs).size();
  }
  return size;
}

}  // namespace

void AppenderModel::checkState() const {
  const SlabPool& pool = appender_->pool();
  FUZZ_CHECK(pool.availableBytes() == limits_.budgetBytes - usedBytes_);
  for (const auto& [handle, model] : batches_) {
    FUZZ_CHECK(pool.isBatch(handle));
    const Batch& batch = pool.at(handle);
    FUZZ_CHECK(batch.phase == (model.open ? Phase::Open : model.settled ? Phase::Settled : Phase::Sealed));
    FUZZ_CHECK(batch.pins == model.pins && batch.bytes == model.size);
    FUZZ_CHECK(batch.records == static_cast<int32_t>(model.records.size()));
    FUZZ_CHECK(batch.topic == model.topic && batch.partition == model.partition);
    FUZZ_CHECK(batch.chargeBytes == model.chargeBytes);
    if (model.slabs > 0)
      FUZZ_CHECK(batch.capacityBytes == limits_.slabBytes * static_cast<uint32_t>(model.slabs));
  }
}

void AppenderModel::checkBytes(int32_t handle, const ModelBatch& batch) const {
  if (batch.finished.empty()) return;
  FUZZ_CHECK(std::memcmp(appender_->pool().at(handle).memory, batch.finished.data(), batch.finished.size()) ==
             0);
}

void AppenderModel::checkReleased(int32_t handle, bool wentBack) {
  const ModelBatch& batch = batches_.at(handle);
  FUZZ_CHECK(wentBack == (batch.settled && batch.pins == 0));
  if (!wentBack) return;
  usedBytes_ -= batch.chargeBytes;
  batches_.erase(handle);
}

void AppenderModel::unpin(int32_t handle, ModelBatch* batch) {
  checkBytes(handle, *batch);
  batch->pins--;
  checkReleased(handle, appender_->pool().unpin(handle));
  checkState();
}

void AppenderModel::settle(int32_t handle, ModelBatch* batch) {
  checkBytes(handle, *batch);
  batch->open = false;
  batch->settled = true;
  checkReleased(handle, appender_->settle(handle));
  checkState();
}

void AppenderModel::pinAny() {
  int32_t handle;
  ModelBatch* batch = pick(&handle);
  if (batch == nullptr || batch->open || batch->settled) return;
  batch->pins++;
  appender_->pool().pin(handle);
}

void AppenderModel::unpinAny() {
  int32_t handle;
  ModelBatch* batch = pick(&handle);
  if (batch != nullptr && batch->pins > 0) unpin(handle, batch);
}

void AppenderModel::settleAny() {
  int32_t handle;
  ModelBatch* batch = pick(&handle);
  if (batch != nullptr && !batch->settled) settle(handle, batch);
}

void AppenderModel::sealAny() {
  int32_t handle;
  ModelBatch* batch = pick(&handle);
  if (batch == nullptr) return;
  batch->open = false;
  appender_->seal(handle);
  checkState();
}

void AppenderModel::finishAny() {
  int32_t handle;
  ModelBatch* batch = pick(&handle);
  if (batch == nullptr || batch->open || batch->settled || batch->pins > 0) return;
  reference::Batch owed;
  owed.leaderEpoch = -1;
  owed.attributes = static_cast<int16_t>(batch->isCompressed ? 4 : 16 * input_.below(2));
  owed.lastOffsetDelta = static_cast<int32_t>(batch->records.size()) - 1;
  owed.baseTimestampMs = owed.maxTimestampMs = batch->records.front().timestampMs;
  for (const reference::Record& each : batch->records) {
    owed.maxTimestampMs = std::max(owed.maxTimestampMs, each.timestampMs);
  }
  owed.producerId = input_.number();
  owed.producerEpoch = static_cast<int16_t>(input_.number());
  owed.baseSequence = static_cast<int32_t>(input_.number());
  if (!batch->isCompressed) owed.records = batch->records;

  const uint32_t bytes =
      appender_->finish(handle, owed.producerId, owed.producerEpoch, owed.baseSequence, owed.attributes);
  FUZZ_CHECK(bytes == batch->size);
  const uint8_t* memory = appender_->pool().at(handle).memory;
  reference::Batch decoded;
  FUZZ_CHECK(reference::Decoder(memory, bytes).decode(&decoded));
  checkEqual(owed, decoded);
  FUZZ_CHECK(memory[60] == static_cast<uint8_t>(batch->records.size()));
  batch->finished.assign(reinterpret_cast<const char*>(memory), bytes);
}

void AppenderModel::compressAny() {
  int32_t handle;
  ModelBatch* batch = pick(&handle);
  if (batch == nullptr || batch->open || batch->settled || batch->pins > 0) return;
  const uint32_t capacityBytes = appender_->pool().at(handle).capacityBytes;
  const std::string compressed = input_.bytes(input_.below(capacityBytes - kBatchHeaderBytes + 20));
  const bool fits = compressed.size() <= capacityBytes - kBatchHeaderBytes;
  FUZZ_CHECK(appender_->replaceRecords(handle, dataOf(compressed), compressed.size()) == fits);
  if (!fits) {
    checkBytes(handle, *batch);
    return;
  }
  batch->isCompressed = true;
  batch->finished.clear();
  batch->size = kBatchHeaderBytes + compressed.size();
  // Slabs that the compressed form does not need are given back.
  for (; batch->slabs > 1 &&
         batch->size <= uint64_t{limits_.slabBytes} * (static_cast<uint64_t>(batch->slabs) - 1);
       batch->slabs--) {
    const uint64_t chargeBytes = std::min(batch->chargeBytes, uint64_t{limits_.slabBytes});
    batch->chargeBytes -= chargeBytes;
    usedBytes_ -= chargeBytes;
  }
  const uint8_t* records = appender_->pool().at(handle).memory + kBatchHeaderBytes;
  FUZZ_CHECK(std::equal(compressed.begin(), compressed.end(), reinterpret_cast<const char*>(records)));
}

// As many records as the limit allows, at least one.
Child AppenderModel::checkedChild(const RecordsRegion& region, size_t position,
                                  const std::vector<reference::Record>& records, size_t first) {
  Child child;
  const int64_t limitBytes = input_.below(600);
  const auto recordsMax = input_.flip() ? std::numeric_limits<int32_t>::max() : 1 + input_.below(4);
  FUZZ_CHECK(measureChild(region, position, limitBytes, static_cast<int32_t>(recordsMax), &child));
  const auto count = static_cast<size_t>(child.records);
  FUZZ_CHECK(child.begin == position && count >= 1 && first + count <= records.size());
  FUZZ_CHECK(child.bytes == static_cast<int64_t>(sizeOf(records, first, count)));
  FUZZ_CHECK(count == 1 || child.bytes - int64_t{kBatchHeaderBytes} <= limitBytes);
  const bool couldHoldMore = count < recordsMax && first + count < records.size();
  if (couldHoldMore) {
    FUZZ_CHECK(sizeOf(records, first, count + 1) - kBatchHeaderBytes > static_cast<uint64_t>(limitBytes));
  }
  return child;
}

void AppenderModel::splitAny() {
  int32_t handle;
  ModelBatch* parent = pick(&handle);
  if (parent == nullptr || parent->open || parent->settled) return;
  if (parent->isCompressed || input_.rarely(4)) return splitNonsense(handle, parent);
  const Batch& state = appender_->pool().at(handle);
  const RecordsRegion region{state.memory + kBatchHeaderBytes, state.bytes - kBatchHeaderBytes};
  const std::vector<reference::Record> records = parent->records;
  size_t first = 0;
  for (size_t position = 0; position != region.count;) {
    const Child child = checkedChild(region, position, records, first);
    auto memory = std::make_unique<uint8_t[]>(static_cast<size_t>(child.bytes));
    const int32_t part = splitOff(&appender_->pool(), handle, region, child, memory.get());
    FUZZ_CHECK(part >= limits_.slabCount && batches_.find(part) == batches_.end());
    ModelBatch& batch = batches_[part];
    batch.topic = parent->topic;
    batch.partition = parent->partition;
    batch.open = false;
    batch.size = static_cast<uint64_t>(child.bytes);
    batch.chargeBytes = std::min(parent->chargeBytes, batch.size);
    parent->chargeBytes -= batch.chargeBytes;
    batch.large = std::move(memory);
    for (int32_t i = 0; i < child.records; i++) {
      batch.records.push_back(records[first++]);
      batch.records.back().offsetDelta = i;
    }
    position = child.end;
  }
  FUZZ_CHECK(first == records.size());
  checkState();
}

// Records that a codec, say, has given back wrong: what can be measured can be split off, and nothing else
// happens.
void AppenderModel::splitNonsense(int32_t handle, ModelBatch* parent) {
  const std::string plain = parent->records.empty() ? "" : encoded(parent->records.front(), 0);
  std::string bytes = input_.flip() ? plain + plain : "";
  for (uint32_t changes = input_.below(3); changes > 0 && !bytes.empty(); changes--) {
    bytes[input_.below(static_cast<uint32_t>(bytes.size()))] = static_cast<char>(input_.byte());
  }
  bytes += input_.bytes(input_.below(40));
  const auto exact = std::make_unique<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  const RecordsRegion region{exact.get(), bytes.size()};
  Child child;
  const size_t position = input_.below(static_cast<uint32_t>(bytes.size()) + 3);
  if (!measureChild(region, position, input_.below(100), 1 + static_cast<int32_t>(input_.below(8)), &child))
    return;
  FUZZ_CHECK(child.begin == position && child.end > position && child.end <= bytes.size());
  const auto memory = std::make_unique<uint8_t[]>(static_cast<size_t>(child.bytes));
  const int32_t part = splitOff(&appender_->pool(), handle, region, child, memory.get());
  const uint64_t charge = std::min(parent->chargeBytes, static_cast<uint64_t>(child.bytes));
  FUZZ_CHECK(appender_->pool().at(part).records == child.records);
  parent->chargeBytes -= charge;
  usedBytes_ -= charge;
  FUZZ_CHECK(appender_->settle(part));
  checkState();
}

void AppenderModel::offerLarge() {
  offerBytes_ = input_.flip() ? limits_.slabBytes + input_.below(700) : 62 + input_.below(1000);
  offer_ = std::make_unique<uint8_t[]>(offerBytes_);
  appender_->offerLarge(offer_.get(), offerBytes_);
  FUZZ_CHECK(appender_->offerTakenBy() == kNoBatch);
}

}  // namespace millrace::fuzz
