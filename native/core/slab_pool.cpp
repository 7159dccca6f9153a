#include "slab_pool.h"

#include <algorithm>
#include <cstring>

#include "check.h"
#include "pages.h"
#include "record_batch.h"

#if defined(__SANITIZE_ADDRESS__)
#define MILLRACE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MILLRACE_ASAN 1
#endif
#endif
#if defined(MILLRACE_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace millrace {
namespace {

constexpr uint8_t kFreedByte = 0xdd;

#if defined(MILLRACE_ASAN)
void poison(const uint8_t* memory, size_t bytes) {
  ASAN_POISON_MEMORY_REGION(memory, bytes);
}
void unpoison(const uint8_t* memory, size_t bytes) {
  ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
}
#else
void poison(const uint8_t*, size_t) {}
void unpoison(const uint8_t*, size_t) {}
#endif

}  // namespace

void assertPhase(const Batch& batch, Phase expected) {
  MILLRACE_ASSERT(batch.phase == expected, "the batch is in another phase than expected");
  if (expected == Phase::Free) {
    MILLRACE_ASSERT(batch.pins == 0, "a free batch is being read");
    MILLRACE_ASSERT(batch.records == 0 && batch.bytes == 0, "a free batch has records");
    return;
  }
  MILLRACE_ASSERT(batch.memory != nullptr, "a batch has no memory");
  MILLRACE_ASSERT(batch.bytes >= kBatchHeaderBytes && batch.bytes <= batch.capacityBytes,
                  "a batch is smaller than its header or larger than its memory");
  switch (expected) {
    case Phase::Free:  // handled above
      break;
    case Phase::Open:
      MILLRACE_ASSERT(batch.pins == 0, "an open batch is being read");
      break;
    case Phase::Sealed:
      MILLRACE_ASSERT(batch.records > 0, "a sealed batch has no record");
      break;
    case Phase::Settled:
      MILLRACE_ASSERT(batch.pins > 0, "a settled batch that nobody reads was not given back");
      break;
  }
}

SlabPool::SlabPool(const Options& options)
    : options_(options), freeSlabs_(options.slabCount, options.batchSlabsMax) {
  MILLRACE_ASSERT(options.arena != nullptr && options.slabCount > 0, "the pool has no slabs");
  MILLRACE_ASSERT(options.slabBytes >= kBatchHeaderBytes + kSmallestRecordBytes, "a slab holds no record");
  MILLRACE_ASSERT(options.slabBytes <= options.budgetBytes, "the budget is smaller than one slab");
  const auto count = static_cast<size_t>(options.slabCount);
  batches_.resize(count);
  isUsed_.resize(count);
  touched_.resize(count);
  for (int32_t handle = 0; handle < options.slabCount; handle++) poison(slabAt(handle), options.slabBytes);
}

SlabPool::~SlabPool() {
  for (int32_t handle = 0; handle < options_.slabCount; handle++)
    unpoison(slabAt(handle), options_.slabBytes);
}

void SlabPool::open(int32_t handle, uint8_t* memory, uint32_t capacityBytes, uint32_t chargeBytes,
                    int32_t topic, int32_t partition) {
  Batch& batch = at(handle);
  assertPhase(batch, Phase::Free);
  usedBytes_ += chargeBytes;
  MILLRACE_ASSERT(usedBytes_ <= options_.budgetBytes, "the budget is exceeded");
  batch.memory = memory;
  batch.limitBytes = capacityBytes;
  batch.capacityBytes = capacityBytes;
  batch.chargeBytes = chargeBytes;
  batch.bytes = kBatchHeaderBytes;
  batch.topic = topic;
  batch.partition = partition;
  batch.phase = Phase::Open;
  assertPhase(batch, Phase::Open);
}

// The number of slabs that such a batch stands in.
int32_t SlabPool::slabsOf(int64_t bytes) const {
  const int64_t strideBytes = int64_t{options_.marginBytes} + options_.slabBytes;
  return static_cast<int32_t>((bytes + options_.marginBytes + strideBytes - 1) / strideBytes);
}

void SlabPool::useSlab(int32_t slab) {
  const auto index = static_cast<size_t>(slab);
  isUsed_[index] = true;
  if (touched_[index]) touchedFreeBytes_ -= options_.slabBytes;
  touched_[index] = true;
  unpoison(slabAt(slab), options_.slabBytes);
}

void SlabPool::freeSlab(int32_t slab) {
  poison(slabAt(slab), options_.slabBytes);
  isUsed_[static_cast<size_t>(slab)] = false;
  touchedFreeBytes_ += options_.slabBytes;
  freeSlabs_.give(slab);
}

int32_t SlabPool::acquireSlab(int32_t topic, int32_t partition, uint32_t limitBytes, int64_t batchBytes) {
  const int32_t slabs = std::max(slabsOf(batchBytes), 1);
  if (freeSlabs_.longestRun() < slabs || availableBytes() < options_.slabBytes) return kNoBatch;
  const int32_t handle = freeSlabs_.take(slabs);
  useSlab(handle);
  open(handle, slabAt(handle), options_.slabBytes, options_.slabBytes, topic, partition);
  at(handle).limitBytes = limitBytes;
  return handle;
}

bool SlabPool::grow(int32_t handle, int64_t bytes) {
  Batch& batch = at(handle);
  assertPhase(batch, Phase::Open);
  const int64_t neededBytes = batch.bytes + bytes;
  if (neededBytes > batch.limitBytes) return false;
  while (neededBytes > batch.capacityBytes) {
    const int32_t last = handle + slabsOf(batch.capacityBytes) - 1;
    if (availableBytes() < options_.slabBytes || !freeSlabs_.takeAfter(last)) return false;
    useSlab(last + 1);
    usedBytes_ += options_.slabBytes;
    batch.chargeBytes += options_.slabBytes;
    batch.capacityBytes += options_.marginBytes + options_.slabBytes;
  }
  return true;
}

void SlabPool::shrink(int32_t handle) {
  Batch& batch = at(handle);
  assertPhase(batch, Phase::Sealed);
  MILLRACE_ASSERT(batch.pins == 0, "memory that is being read is given back");
  if (isLarge(handle)) return;
  const int32_t slabs = slabsOf(batch.bytes);
  for (int32_t last = slabsOf(batch.capacityBytes) - 1; last >= slabs; last--) {
    if (options_.fillFreed) std::memset(slabAt(handle + last), kFreedByte, options_.slabBytes);
    freeSlab(handle + last);
    // Parts of a batch that was split have taken over some of the charge.
    const uint32_t chargeBytes = std::min(batch.chargeBytes, options_.slabBytes);
    batch.chargeBytes -= chargeBytes;
    usedBytes_ -= chargeBytes;
  }
  batch.capacityBytes = static_cast<uint32_t>(capacityOf(slabs));
}

int32_t SlabPool::takeLargeHandle() {
  if (freeLarge_.empty()) {
    batches_.push_back(Batch{});
    return static_cast<int32_t>(batches_.size()) - 1;
  }
  const int32_t handle = freeLarge_.back();
  freeLarge_.pop_back();
  return handle;
}

int32_t SlabPool::acquireLarge(uint8_t* memory, uint32_t memoryBytes, int32_t topic, int32_t partition) {
  const int32_t handle = takeLargeHandle();
  open(handle, memory, memoryBytes, memoryBytes, topic, partition);
  if (usedBytes_ + touchedFreeBytes_ > options_.budgetBytes + options_.budgetBytes / 8) giveBackFreeSlabs();
  return handle;
}

// In runs of slabs that stand side by side: a slab alone has pages that are its neighbour's, too.
void SlabPool::giveBackFreeSlabs() {
  for (int32_t first = 0; first < options_.slabCount;) {
    int32_t end = first;
    while (end < options_.slabCount && !isUsed_[static_cast<size_t>(end)] &&
           touched_[static_cast<size_t>(end)]) {
      touched_[static_cast<size_t>(end)] = false;
      end++;
    }
    if (end > first) {
      uint8_t* const start = slabAt(first);
      giveBackPages(start, static_cast<size_t>(slabAt(end - 1) + options_.slabBytes - start));
    }
    first = std::max(end, first + 1);
  }
  touchedFreeBytes_ = 0;
}

int32_t SlabPool::acquirePart(int32_t parent, uint8_t* memory, uint32_t memoryBytes) {
  const int32_t handle = takeLargeHandle();
  Batch& from = at(parent);
  assertPhase(from, Phase::Sealed);
  const uint32_t chargeBytes = std::min(from.chargeBytes, memoryBytes);
  from.chargeBytes -= chargeBytes;
  usedBytes_ -= chargeBytes;
  open(handle, memory, memoryBytes, chargeBytes, from.topic, from.partition);
  return handle;
}

void SlabPool::discard(int32_t handle) {
  assertPhase(at(handle), Phase::Open);
  MILLRACE_ASSERT(at(handle).records == 0, "a batch with records is discarded");
  release(handle);
}

void SlabPool::seal(int32_t handle) {
  Batch& batch = at(handle);
  assertPhase(batch, Phase::Open);
  batch.phase = Phase::Sealed;
  assertPhase(batch, Phase::Sealed);
}

void SlabPool::pin(int32_t handle) {
  Batch& batch = at(handle);
  assertPhase(batch, Phase::Sealed);
  MILLRACE_ASSERT(canPin(handle), "a batch is pinned too often");
  batch.pins++;
}

bool SlabPool::unpin(int32_t handle) {
  Batch& batch = at(handle);
  MILLRACE_ASSERT(batch.phase == Phase::Sealed || batch.phase == Phase::Settled,
                  "an unreadable batch is unpinned");
  assertPhase(batch, batch.phase);
  MILLRACE_ASSERT(batch.pins > 0, "a batch was unpinned more often than pinned");
  batch.pins--;
  if (batch.pins > 0 || batch.phase == Phase::Sealed) return false;
  release(handle);
  return true;
}

bool SlabPool::settle(int32_t handle) {
  Batch& batch = at(handle);
  assertPhase(batch, Phase::Sealed);
  if (batch.pins > 0) {
    batch.phase = Phase::Settled;
    assertPhase(batch, Phase::Settled);
    return false;
  }
  release(handle);
  return true;
}

void SlabPool::release(int32_t handle) {
  Batch& batch = at(handle);
  MILLRACE_ASSERT(batch.pins == 0, "memory that is being read is given back");
  MILLRACE_ASSERT(usedBytes_ >= batch.chargeBytes, "more memory is given back than was taken");
  usedBytes_ -= batch.chargeBytes;
  if (options_.fillFreed) std::memset(batch.memory, kFreedByte, batch.capacityBytes);
  if (isLarge(handle)) {
    freeLarge_.push_back(handle);
  } else {
    // The first slab last: it is the one to be used next.
    for (int32_t last = slabsOf(batch.capacityBytes) - 1; last >= 0; last--) freeSlab(handle + last);
  }
  batch = Batch{};
  assertPhase(batch, Phase::Free);
}

}  // namespace millrace
