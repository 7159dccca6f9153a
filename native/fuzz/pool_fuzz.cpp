// The pool under any sequence of calls, against a model that says of each whether it is allowed. What is not
// (a batch given back twice, read after its end, written while it is read, more than the budget) must end in
// one of the core's asserts, and what is allowed never.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "core/check.h"
#include "core/record_batch.h"
#include "core/slab_pool.h"
#include "input.h"

namespace millrace {

struct Trapped {};

// Instead of the core's, which ends the process.
void assertFailed(const char*, const char*, const char*, int) {
  throw Trapped{};
}

namespace fuzz {
namespace {

struct ModelBatch {
  Phase phase = Phase::Free;
  int32_t pins = 0;
  int32_t records = 0;
  int32_t topic = 0;
  int32_t partition = 0;
  uint32_t chargeBytes = 0;
  uint8_t* memory = nullptr;
  uint32_t memoryBytes = 0;
  uint32_t limitBytes = 0;
  int32_t slabs = 0;  // 0: the memory is its own, or the batch is free
  uint8_t fill = 0;
  std::unique_ptr<uint8_t[]> large;
};

class PoolModel {
 public:
  explicit PoolModel(Input* input)
      : input_(*input),
        slabBytes_(kBatchHeaderBytes + kSmallestRecordBytes + input->below(200)),
        slabCount_(1 + static_cast<int32_t>(input->below(6))),
        budgetBytes_(slabBytes_ + input->below(slabBytes_ * static_cast<uint32_t>(slabCount_) + 300)),
        fillFreed_(input->flip()),
        marginBytes_(input->flip() ? input->below(100) : 0),
        batchSlabsMax_(input->flip() ? 1 : 1 + static_cast<int32_t>(input->below(4))),
        arena_(std::make_unique<uint8_t[]>((marginBytes_ + slabBytes_) * static_cast<size_t>(slabCount_))),
        pool_({arena_.get(), slabBytes_, slabCount_, budgetBytes_, fillFreed_, marginBytes_, batchSlabsMax_}),
        batches_(static_cast<size_t>(slabCount_)),
        wasInside_(static_cast<size_t>(slabCount_)) {}

  // False where a call that is not allowed has trapped: the pool is not used any more.
  bool run() {
    while (!input_.empty()) {
      if (!step()) return false;
      checkAll();
    }
    return true;
  }

  // What is left can be given back, and then nothing is missing.
  void finish() {
    for (size_t i = 0; i < batches_.size(); i++) {
      const auto handle = static_cast<int32_t>(i);
      ModelBatch& batch = batches_[i];
      if (batch.phase == Phase::Open && batch.records == 0) addRecord(handle);
      if (batch.phase == Phase::Open) seal(handle);
      if (batch.phase == Phase::Sealed) settle(handle);
      while (batch.pins > 0) unpin(handle);
      FUZZ_CHECK(batch.phase == Phase::Free);
    }
    checkAll();
    FUZZ_CHECK(pool_.availableBytes() == budgetBytes_);
  }

 private:
  // As `run`.
  bool step() {
    const uint32_t call = input_.below(14);
    if (call == 0) return acquireSlab();
    if (call == 1) return acquireLarge();
    const auto handle = static_cast<int32_t>(input_.below(static_cast<uint32_t>(batches_.size())));
    ModelBatch& batch = batches_[static_cast<size_t>(handle)];
    // Mostly what is allowed, or no sequence would become long.
    const bool anything = input_.rarely(40);
    switch (call) {
      case 2:
        return anything || batch.phase == Phase::Sealed ? acquirePart(handle) : true;
      case 3:
        return anything || (batch.phase == Phase::Open && batch.records == 0) ? discard(handle) : true;
      case 4:
      case 5:
        return batch.phase == Phase::Open ? addRecord(handle) : true;
      case 6:
        return anything || (batch.phase == Phase::Open && batch.records > 0) ? seal(handle) : true;
      case 7:
      case 8:
        return anything || batch.phase == Phase::Sealed ? pin(handle) : true;
      case 9:
      case 10:
        return anything || batch.pins > 0 ? unpin(handle) : true;
      case 11:
        return anything || batch.phase == Phase::Open ? grow(handle) : true;
      case 12:
        return anything || (batch.phase == Phase::Sealed && batch.pins == 0) ? shrink(handle) : true;
      default:
        return anything || batch.phase == Phase::Sealed ? settle(handle) : true;
    }
  }

  // Makes the call and checks that it traps if, and only if, it is not allowed.
  template <typename Call>
  bool traps(bool allowed, Call call) {
    try {
      call();
    } catch (const Trapped&) {
      FUZZ_CHECK(!allowed);
      return true;
    }
    FUZZ_CHECK(allowed);
    return false;
  }

  uint64_t usedBytes() const {
    uint64_t bytes = 0;
    for (const ModelBatch& batch : batches_) bytes += batch.chargeBytes;
    return bytes;
  }

  void opened(int32_t handle, uint8_t* memory, uint32_t memoryBytes, uint32_t chargeBytes, int32_t topic,
              int32_t partition) {
    if (static_cast<size_t>(handle) == batches_.size()) batches_.emplace_back();
    FUZZ_CHECK(handle >= 0 && static_cast<size_t>(handle) < batches_.size());
    ModelBatch& batch = batches_[static_cast<size_t>(handle)];
    FUZZ_CHECK(batch.phase == Phase::Free);
    batch = ModelBatch{};
    batch.phase = Phase::Open;
    batch.topic = topic;
    batch.partition = partition;
    batch.chargeBytes = chargeBytes;
    batch.memory = memory;
    batch.memoryBytes = memoryBytes;
    batch.fill = ++fills_;
    std::memset(memory, batch.fill, memoryBytes);
  }

  bool isSlabFree(int32_t slab) const {
    for (int32_t i = 0; i < slabCount_; i++) {
      const ModelBatch& batch = batches_[static_cast<size_t>(i)];
      if (slab >= i && slab < i + batch.slabs) return false;
    }
    return true;
  }

  // How many free slabs stand in a row from this one on, in its group.
  int32_t runFrom(int32_t slab) const {
    int32_t run = 0;
    const int32_t end = std::min((slab / batchSlabsMax_ + 1) * batchSlabsMax_, slabCount_);
    while (slab + run < end && isSlabFree(slab + run)) run++;
    return run;
  }

  uint32_t capacityOf(int32_t slabs) const {
    return static_cast<uint32_t>(slabs) * (slabBytes_ + marginBytes_) - marginBytes_;
  }

  bool acquireSlab() {
    int32_t longest = 0;
    for (int32_t slab = 0; slab < slabCount_; slab++) longest = std::max(longest, runFrom(slab));
    const bool possible = longest > 0 && usedBytes() + slabBytes_ <= budgetBytes_;
    const auto topic = static_cast<int32_t>(input_.byte());
    const uint32_t limitBytes = slabBytes_ + input_.below(slabBytes_ * 4);
    const int32_t handle = pool_.acquireSlab(topic, topic + 1, limitBytes);
    FUZZ_CHECK((handle != kNoBatch) == possible);
    if (!possible) return true;
    FUZZ_CHECK(handle < slabCount_);
    int32_t before = 0;
    while ((handle - before) % batchSlabsMax_ != 0 && isSlabFree(handle - before - 1)) before++;
    const bool isFirst = (handle - before) % batchSlabsMax_ == 0;
    FUZZ_CHECK(before + runFrom(handle) == longest);
    FUZZ_CHECK(before == (isFirst ? 0 : longest / 2));
    uint8_t* memory = marginOf(handle) + marginBytes_;
    opened(handle, memory, slabBytes_, slabBytes_, topic, topic + 1);
    ModelBatch& batch = batches_[static_cast<size_t>(handle)];
    batch.slabs = 1;
    batch.limitBytes = limitBytes;
    return true;
  }

  bool grow(int32_t handle) {
    ModelBatch& batch = batches_[static_cast<size_t>(handle)];
    const uint32_t bytes = input_.below(slabBytes_ * 2);
    bool hasGrown = false;
    if (traps(batch.phase == Phase::Open, [&] { hasGrown = pool_.grow(handle, bytes); })) return false;
    const uint32_t neededBytes = pool_.at(handle).bytes + bytes;
    bool owed = neededBytes <= batch.limitBytes || batch.slabs == 0;
    while (owed && batch.slabs > 0 && neededBytes > batch.memoryBytes) {
      const int32_t next = handle + batch.slabs;
      owed = next % batchSlabsMax_ != 0 && next < slabCount_ && isSlabFree(next) &&
             usedBytes() + slabBytes_ <= budgetBytes_;
      if (!owed) break;
      wasInside_[static_cast<size_t>(next)] = true;
      batch.slabs++;
      batch.chargeBytes += slabBytes_;
      batch.memoryBytes = capacityOf(batch.slabs);
    }
    if (batch.slabs > 0) FUZZ_CHECK(hasGrown == owed);
    if (batch.slabs == 0) FUZZ_CHECK(hasGrown == (neededBytes <= batch.memoryBytes));
    std::memset(batch.memory, batch.fill, batch.memoryBytes);
    return true;
  }

  bool shrink(int32_t handle) {
    ModelBatch& batch = batches_[static_cast<size_t>(handle)];
    const bool allowed = batch.phase == Phase::Sealed && batch.pins == 0;
    if (traps(allowed, [&] { pool_.shrink(handle); })) return false;
    for (; batch.slabs > 1 && pool_.at(handle).bytes <= capacityOf(batch.slabs - 1); batch.slabs--) {
      batch.chargeBytes -= std::min(batch.chargeBytes, slabBytes_);
      batch.memoryBytes = capacityOf(batch.slabs - 1);
    }
    return true;
  }

  bool acquireLarge() {
    const uint32_t bytes = kBatchHeaderBytes + kSmallestRecordBytes + input_.below(600);
    const bool allowed = usedBytes() + bytes <= budgetBytes_;
    if (!allowed && !input_.rarely(8)) return true;
    auto memory = std::make_unique<uint8_t[]>(bytes);
    int32_t handle = kNoBatch;
    if (traps(allowed, [&] { handle = pool_.acquireLarge(memory.get(), bytes, 1, 2); })) return false;
    FUZZ_CHECK(pool_.isLarge(handle));
    opened(handle, memory.get(), bytes, bytes, 1, 2);
    batches_[static_cast<size_t>(handle)].large = std::move(memory);
    return true;
  }

  bool acquirePart(int32_t parent) {
    const uint32_t bytes = kBatchHeaderBytes + kSmallestRecordBytes + input_.below(200);
    auto memory = std::make_unique<uint8_t[]>(bytes);
    int32_t handle = kNoBatch;
    const ModelBatch& before = batches_[static_cast<size_t>(parent)];
    const bool allowed = before.phase == Phase::Sealed;
    if (traps(allowed, [&] { handle = pool_.acquirePart(parent, memory.get(), bytes); })) return false;
    FUZZ_CHECK(pool_.isLarge(handle));
    const uint32_t charge = before.chargeBytes < bytes ? before.chargeBytes : bytes;
    batches_[static_cast<size_t>(parent)].chargeBytes -= charge;
    opened(handle, memory.get(), bytes, charge, before.topic, before.partition);
    batches_[static_cast<size_t>(handle)].large = std::move(memory);
    return true;
  }

  // What the appender does between two calls of the pool.
  bool addRecord(int32_t handle) {
    ModelBatch& batch = batches_[static_cast<size_t>(handle)];
    Batch& state = pool_.at(handle);
    if (state.capacityBytes - state.bytes < kSmallestRecordBytes) return true;
    state.bytes += kSmallestRecordBytes;
    state.records++;
    batch.records++;
    return true;
  }

  bool discard(int32_t handle) {
    ModelBatch& batch = batches_[static_cast<size_t>(handle)];
    const bool allowed = batch.phase == Phase::Open && batch.records == 0;
    if (traps(allowed, [&] { pool_.discard(handle); })) return false;
    released(&batch);
    return true;
  }

  bool seal(int32_t handle) {
    ModelBatch& batch = batches_[static_cast<size_t>(handle)];
    const bool allowed = batch.phase == Phase::Open && batch.records > 0;
    if (traps(allowed, [&] { pool_.seal(handle); })) return false;
    batch.phase = Phase::Sealed;
    return true;
  }

  bool pin(int32_t handle) {
    ModelBatch& batch = batches_[static_cast<size_t>(handle)];
    if (traps(batch.phase == Phase::Sealed, [&] { pool_.pin(handle); })) return false;
    batch.pins++;
    return true;
  }

  bool unpin(int32_t handle) {
    ModelBatch& batch = batches_[static_cast<size_t>(handle)];
    bool wentBack = false;
    if (traps(batch.pins > 0, [&] { wentBack = pool_.unpin(handle); })) return false;
    batch.pins--;
    FUZZ_CHECK(wentBack == (batch.pins == 0 && batch.phase == Phase::Settled));
    if (wentBack) released(&batch);
    return true;
  }

  bool settle(int32_t handle) {
    ModelBatch& batch = batches_[static_cast<size_t>(handle)];
    bool wentBack = false;
    if (traps(batch.phase == Phase::Sealed, [&] { wentBack = pool_.settle(handle); })) return false;
    FUZZ_CHECK(wentBack == (batch.pins == 0));
    batch.phase = Phase::Settled;
    if (wentBack) released(&batch);
    return true;
  }

  void released(ModelBatch* batch) {
    if (fillFreed_ && batch->large != nullptr) {
      for (uint32_t i = 0; i < batch->memoryBytes; i++) FUZZ_CHECK(batch->memory[i] == 0xdd);
    }
    *batch = ModelBatch{};
  }

  // Every batch is as the model has it, and nobody has written into another's memory.
  void checkAll() {
    FUZZ_CHECK(pool_.availableBytes() == budgetBytes_ - usedBytes());
    for (size_t i = 0; i < batches_.size(); i++) {
      const auto handle = static_cast<int32_t>(i);
      const ModelBatch& model = batches_[i];
      const Batch& batch = pool_.at(handle);
      FUZZ_CHECK(batch.phase == model.phase);
      FUZZ_CHECK(pool_.isBatch(handle) == (model.phase != Phase::Free));
      if (model.phase == Phase::Free) continue;
      FUZZ_CHECK(batch.pins == model.pins && batch.records == model.records);
      FUZZ_CHECK(batch.topic == model.topic && batch.partition == model.partition);
      FUZZ_CHECK(batch.memory == model.memory && batch.capacityBytes == model.memoryBytes);
      FUZZ_CHECK(batch.chargeBytes == model.chargeBytes);
      FUZZ_CHECK(model.memory[0] == model.fill && model.memory[model.memoryBytes - 1] == model.fill);
    }
    for (int32_t handle = 0; handle < slabCount_; handle++) {
      // What has been inside of a batch may hold anything.
      if (wasInside_[static_cast<size_t>(handle)]) continue;
      const uint8_t* margin = marginOf(handle);
      FUZZ_CHECK(std::all_of(margin, margin + marginBytes_, [](uint8_t byte) { return byte == 0; }));
    }
    FUZZ_CHECK(!pool_.isBatch(-1) && !pool_.isBatch(static_cast<int64_t>(batches_.size())));
  }

  uint8_t* marginOf(int32_t handle) {
    return arena_.get() + static_cast<size_t>(handle) * (marginBytes_ + slabBytes_);
  }

  Input& input_;
  uint32_t slabBytes_;
  int32_t slabCount_;
  uint64_t budgetBytes_;
  bool fillFreed_;
  uint32_t marginBytes_;
  int32_t batchSlabsMax_;
  std::unique_ptr<uint8_t[]> arena_;
  SlabPool pool_;
  std::vector<ModelBatch> batches_;
  std::vector<bool> wasInside_;
  uint8_t fills_ = 0;
};

}  // namespace
}  // namespace fuzz
}  // namespace millrace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t count) {
  using namespace millrace::fuzz;
  Input input(data, count);
  PoolModel model(&input);
  if (model.run()) model.finish();
  return 0;
}
