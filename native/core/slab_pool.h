// Batches and their memory: one arena, given from outside, cut into slabs of equal size, and large memory
// given one by one for records that fit no slab. Both are charged to one budget. In front of each slab the
// arena has a margin, uncharged, that is neither read nor written here: for what goes out before the batch.
//
// A batch is a handle. Handles below slabCount are slabs, the others large; both are used again when free.
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
  uint32_t capacityBytes;
  uint32_t chargeBytes;    // what it takes of the budget; differs from the capacity once it has been split
  uint32_t bytes;          // header included
  uint32_t largestRecord;  // bytes of the largest record, length field included
  int32_t records;
  int32_t topic;
  int32_t partition;
  int32_t pins;
  int32_t touch;  // where drainStaged has counted it last; checked before it is believed
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
  };

  explicit SlabPool(const Options& options);
  ~SlabPool();
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  // An open batch in a slab; kNoBatch when slabs or budget are used up.
  int32_t acquireSlab(int32_t topic, int32_t partition);
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
  uint64_t budgetBytes() const { return options_.budgetBytes; }
  uint64_t availableBytes() const { return options_.budgetBytes - usedBytes_; }
  // Bytes of free slabs that have been written to and not been given back since.
  uint64_t touchedFreeBytes() const { return touchedFreeBytes_; }

 private:
  int32_t takeLargeHandle();
  void open(int32_t handle, uint8_t* memory, uint32_t capacityBytes, uint32_t chargeBytes, int32_t topic,
            int32_t partition);
  void release(int32_t handle);
  void giveBackFreeSlabs();

  Options options_;
  uint64_t usedBytes_ = 0;
  uint64_t touchedFreeBytes_ = 0;
  std::vector<bool> touched_;       // by slab
  std::vector<Batch> batches_;      // slabs first, then large
  std::vector<int32_t> freeSlabs_;  // last in, first out: the warmest memory is used next
  std::vector<int32_t> freeLarge_;  // handles only
};

// States what must hold for a batch in each phase, and that it is in the phase expected.
void assertPhase(const Batch& batch, Phase expected);

}  // namespace millrace
