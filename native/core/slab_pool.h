// Batches and their memory: one arena, given from outside, cut into slabs of equal size, and large memory
// given one by one for records that fit no slab. Both are charged to one budget. In front of each slab the
// arena has a margin, uncharged, that is neither read nor written here: for what goes out before the batch.
//
// A batch is a handle. Handles below slabCount are slabs, the others large; both are used again when free. A
// batch in a slab may grow into the free slabs behind it, margins between them included. Its handle is then
// the first one's, and the others are no batches.
//
//   Free --acquire--> Open --seal--> Sealed --settle--> (pins == 0) Free
//                                    |  ^ pin, unpin        (pins > 0) Settled --last unpin--> Free
//
// Memory goes back only when the batch is settled and nobody reads it any more, in whichever order the two
// come. Otherwise a batch that expires in the middle of a write lets another batch's bytes into that write.
//
// Single-threaded: every call is made on the event loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "abi.h"
#include "free_slabs.h"

namespace millrace {

enum class Phase : uint8_t {
  Free,     // belongs to the pool
  Open,     // the appender writes records
  Sealed,   // records are final; header and compression may still change while nobody reads
  Settled,  // outcome decided, but a socket or codec still reads
};

struct Batch {
  uint8_t* memory;
  int64_t baseTimestampMs;  // of the first record
  int64_t maxTimestampMs;
  uint32_t limitBytes;  // the most that records may make it; beyond the capacity it has to grow first
  uint32_t capacityBytes;
  uint32_t chargeBytes;    // what it takes of the budget; differs from the capacity once it has been split
  uint32_t bytes;          // header included
  uint32_t largestRecord;  // bytes of the largest record, length field included
  int32_t records;
  int32_t topic;
  int32_t partition;
  int32_t touch;  // where drainStaged has counted it last; checked before it is believed
  uint16_t pins;
  Phase phase;
};
static_assert(sizeof(Batch) <= 64, "a batch's state is one cache line");

class SlabPool {
 public:
  struct Options {
    uint8_t* arena;
    uint32_t slabBytes;
    int32_t slabCount;
    uint64_t budgetBytes;
    bool fillFreed;  // freed memory is filled with 0xDD
    uint32_t marginBytes = 0;
    int32_t batchSlabsMax = 1;  // slabs that a batch may grow to
  };

  explicit SlabPool(const Options& options);
  ~SlabPool();
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  // An open batch in a slab, where it can grow most; kNoBatch when slabs or budget are used up, or no run of
  // free slabs holds a batch of `batchBytes`, which it may become at once.
  int32_t acquireSlab(int32_t topic, int32_t partition, uint32_t limitBytes, int64_t batchBytes = 0);
  // Makes room for records of so many bytes in an open batch, within its limit. False if a slab that it needs
  // is not free, or the budget is used up; then it may have grown in part.
  bool grow(int32_t handle, int64_t bytes);
  // Gives back the slabs behind the bytes of a sealed batch that nobody reads.
  void shrink(int32_t handle);
  // An open batch in the memory given, which the caller keeps alive until the batch is free. Needs budget for
  // it. Free slabs that stay in memory count beside the budget, so their pages are given back to the system
  // where both together come to an eighth more than it.
  int32_t acquireLarge(uint8_t* memory, uint32_t memoryBytes, int32_t topic, int32_t partition);
  // An open batch in the memory given, for records of a sealed batch. As much of that batch's charge as the
  // memory has bytes goes over to it; where less is left, the rest is not charged at all.
  int32_t acquirePart(int32_t parent, uint8_t* memory, uint32_t memoryBytes);
  // Takes back an open batch that has no record.
  void discard(int32_t handle);
  void seal(int32_t handle);
  void pin(int32_t handle);
  bool canPin(int32_t handle) const { return at(handle).pins < UINT16_MAX; }
  // These two answer true when the memory went back.
  bool unpin(int32_t handle);
  bool settle(int32_t handle);

  // Whether the number is the handle of a batch that is not free.
  bool isBatch(int64_t handle) const {
    return handle >= 0 && handle < static_cast<int64_t>(batches_.size()) &&
           batches_[static_cast<size_t>(handle)].phase != Phase::Free;
  }
  bool isLarge(int32_t handle) const { return handle >= options_.slabCount; }
  Batch& at(int32_t handle) { return batches_[static_cast<size_t>(handle)]; }
  const Batch& at(int32_t handle) const { return batches_[static_cast<size_t>(handle)]; }

  uint32_t slabBytes() const { return options_.slabBytes; }
  int32_t slabCount() const { return options_.slabCount; }
  uint8_t* slabAt(int32_t handle) const {
    const size_t strideBytes = size_t{options_.marginBytes} + options_.slabBytes;
    return options_.arena + options_.marginBytes + static_cast<size_t>(handle) * strideBytes;
  }
  // What a batch of as many slabs as one may have holds.
  int64_t batchBytesMax() const { return capacityOf(options_.batchSlabsMax); }
  uint64_t budgetBytes() const { return options_.budgetBytes; }
  uint64_t availableBytes() const { return options_.budgetBytes - usedBytes_; }
  // Bytes of free slabs that have been written to and not been given back since.
  uint64_t touchedFreeBytes() const { return touchedFreeBytes_; }

 private:
  int64_t capacityOf(int32_t slabs) const {
    return slabs * (int64_t{options_.marginBytes} + options_.slabBytes) - options_.marginBytes;
  }
  int32_t slabsOf(int64_t bytes) const;
  int32_t takeLargeHandle();
  void open(int32_t handle, uint8_t* memory, uint32_t capacityBytes, uint32_t chargeBytes, int32_t topic,
            int32_t partition);
  void useSlab(int32_t slab);
  void freeSlab(int32_t slab);
  void release(int32_t handle);
  void giveBackFreeSlabs();

  Options options_;
  uint64_t usedBytes_ = 0;
  uint64_t touchedFreeBytes_ = 0;
  FreeSlabs freeSlabs_;
  std::vector<bool> isUsed_;        // by slab, those that batches have grown into included
  std::vector<bool> touched_;       // by slab
  std::vector<Batch> batches_;      // slabs first, then large
  std::vector<int32_t> freeLarge_;  // handles only
};

// States what must hold for a batch in each phase, and that it is in the phase expected.
void assertPhase(const Batch& batch, Phase expected);

}  // namespace millrace
