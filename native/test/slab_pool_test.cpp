#include "core/slab_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "core/record_batch.h"
#include "support.h"

namespace millrace {
namespace {

constexpr uint32_t kSlabBytes = 256;

class PoolTest : public testing::Test {
 protected:
  explicit PoolTest(uint64_t budgetBytes = 4 * kSlabBytes)
      : arena_(std::make_unique<uint8_t[]>(4 * kSlabBytes)),
        pool_({arena_.get(), kSlabBytes, 4, budgetBytes, true}) {}

  // A sealed batch that claims to have a record.
  int32_t sealed() {
    const int32_t batch = pool_.acquireSlab(0, 0, kSlabBytes);
    pool_.at(batch).records = 1;
    pool_.at(batch).bytes += kSmallestRecordBytes;
    pool_.seal(batch);
    return batch;
  }

  std::unique_ptr<uint8_t[]> arena_;
  SlabPool pool_;
};

class TightPoolTest : public PoolTest {
 protected:
  TightPoolTest() : PoolTest(3 * kSlabBytes + 100) {}
};

using PoolDeathTest = PoolTest;
using TightPoolDeathTest = TightPoolTest;

TEST_F(PoolTest, HandsOutEachSlabOnceAndThenNone) {
  std::set<int32_t> handles;
  for (int i = 0; i < 4; i++) handles.insert(pool_.acquireSlab(7, 3, kSlabBytes));
  EXPECT_EQ(handles, (std::set<int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(pool_.acquireSlab(7, 3, kSlabBytes), kNoBatch);
  EXPECT_EQ(pool_.availableBytes(), 0U);
  for (int32_t handle : handles) {
    EXPECT_EQ(pool_.at(handle).memory, arena_.get() + handle * static_cast<int32_t>(kSlabBytes));
    EXPECT_EQ(pool_.at(handle).topic, 7);
    EXPECT_EQ(pool_.at(handle).partition, 3);
    EXPECT_EQ(pool_.at(handle).bytes, kBatchHeaderBytes);
  }
}

TEST(MarginTest, EachSlabBeginsBehindItsMargin) {
  constexpr uint32_t kMarginBytes = 40;
  std::vector<uint8_t> arena(4 * (kMarginBytes + kSlabBytes), 0xee);
  SlabPool pool({arena.data(), kSlabBytes, 4, 4 * kSlabBytes, true, kMarginBytes});
  for (int32_t handle = 0; handle < 4; handle++) {
    EXPECT_EQ(pool.acquireSlab(0, 0, kSlabBytes), handle);
    const size_t offset = kMarginBytes + static_cast<size_t>(handle) * (kMarginBytes + kSlabBytes);
    EXPECT_EQ(pool.at(handle).memory, arena.data() + offset);
    EXPECT_EQ(pool.at(handle).capacityBytes, kSlabBytes);
  }
  EXPECT_EQ(pool.availableBytes(), 0U);
  // Freed slabs are filled, and are nobody's then.
  for (int32_t handle = 0; handle < 4; handle++) pool.discard(handle);
  for (size_t handle = 0; handle < 4; handle++) {
    const uint8_t* margin = arena.data() + handle * (kMarginBytes + kSlabBytes);
    EXPECT_TRUE(std::all_of(margin, margin + kMarginBytes, [](uint8_t byte) { return byte == 0xee; }));
  }
}

TEST_F(PoolTest, ReusesTheSlabFreedLast) {
  const int32_t first = sealed();
  const int32_t second = sealed();
  EXPECT_TRUE(pool_.settle(second));
  EXPECT_TRUE(pool_.settle(first));
  EXPECT_EQ(pool_.acquireSlab(0, 0, kSlabBytes), first);
  EXPECT_EQ(pool_.acquireSlab(0, 0, kSlabBytes), second);
}

TEST_F(PoolTest, MemoryGoesBackWhenSettledAndNotRead) {
  const int32_t batch = sealed();
  EXPECT_TRUE(pool_.isBatch(batch));
  EXPECT_TRUE(pool_.settle(batch));
  EXPECT_FALSE(pool_.isBatch(batch));
  EXPECT_EQ(pool_.availableBytes(), pool_.budgetBytes());
}

TEST_F(PoolTest, MemoryStaysWhileASettledBatchIsRead) {
  const int32_t batch = sealed();
  pool_.pin(batch);
  pool_.pin(batch);
  EXPECT_FALSE(pool_.settle(batch));
  EXPECT_EQ(pool_.at(batch).phase, Phase::Settled);
  EXPECT_FALSE(pool_.unpin(batch));
  EXPECT_EQ(pool_.availableBytes(), pool_.budgetBytes() - kSlabBytes);
  EXPECT_TRUE(pool_.unpin(batch));
  EXPECT_EQ(pool_.availableBytes(), pool_.budgetBytes());
}

TEST_F(PoolTest, MemoryStaysUntilSettledAfterTheLastRead) {
  const int32_t batch = sealed();
  pool_.pin(batch);
  EXPECT_FALSE(pool_.unpin(batch));
  EXPECT_TRUE(pool_.isBatch(batch));
  pool_.pin(batch);
  EXPECT_FALSE(pool_.unpin(batch));
  EXPECT_TRUE(pool_.settle(batch));
}

TEST_F(PoolTest, DiscardGivesAnEmptyBatchBack) {
  const int32_t batch = pool_.acquireSlab(0, 0, kSlabBytes);
  pool_.discard(batch);
  EXPECT_EQ(pool_.availableBytes(), pool_.budgetBytes());
}

TEST_F(PoolTest, KnowsNoBatchesBeyondItsTable) {
  EXPECT_FALSE(pool_.isBatch(-1));
  EXPECT_FALSE(pool_.isBatch(4));
  EXPECT_FALSE(pool_.isBatch(1LL << 40));
}

TEST_F(PoolTest, FreedMemoryIsFilled) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the slab is poisoned";
#endif
  const int32_t batch = sealed();
  uint8_t* memory = pool_.at(batch).memory;
  memory[100] = 1;
  pool_.settle(batch);
  for (uint32_t i = 0; i < kSlabBytes; i++) ASSERT_EQ(memory[i], 0xdd);
}

#if defined(__SANITIZE_ADDRESS__)
TEST_F(PoolDeathTest, FreedMemoryIsPoisoned) {
  const int32_t batch = sealed();
  volatile uint8_t* memory = pool_.at(batch).memory;
  EXPECT_EQ(memory[kSlabBytes - 1], 0);
  pool_.settle(batch);
  EXPECT_DEATH(static_cast<void>(memory[kSlabBytes - 1]), "use-after-poison");
  volatile uint8_t* neverUsed = arena_.get() + 3 * kSlabBytes;
  EXPECT_DEATH(static_cast<void>(*neverUsed), "use-after-poison");
}
#endif

TEST_F(TightPoolTest, SlabsAndLargeMemoryShareOneBudget) {
  std::vector<uint8_t> large(kSlabBytes + 100);
  const int32_t slab = sealed();
  const int32_t other = pool_.acquireLarge(large.data(), kSlabBytes + 100, 1, 2);
  EXPECT_EQ(other, 4) << "handles of large batches follow those of slabs";
  EXPECT_TRUE(pool_.isLarge(other));
  EXPECT_EQ(pool_.availableBytes(), kSlabBytes);
  EXPECT_NE(pool_.acquireSlab(0, 0, kSlabBytes), kNoBatch);
  EXPECT_EQ(pool_.acquireSlab(0, 0, kSlabBytes), kNoBatch) << "a slab is free but the budget is not";
  EXPECT_EQ(pool_.availableBytes(), 0U);
  EXPECT_TRUE(pool_.settle(slab));
  EXPECT_EQ(pool_.availableBytes(), kSlabBytes);
}

// Slabs of many pages, of which the first and the last are partly a neighbour's.
class PagedPoolTest : public testing::Test {
 protected:
  static constexpr uint32_t kBytes = 100000;
  static constexpr uint32_t kCount = 4;
  PagedPoolTest()
      : arena_(std::make_unique<uint8_t[]>(kCount * kBytes)),
        pool_({arena_.get(), kBytes, kCount, uint64_t{kCount} * kBytes, false}) {}

  // All slabs, written to from end to end.
  std::vector<int32_t> fill() {
    std::vector<int32_t> handles;
    for (uint32_t i = 0; i < kCount; i++) handles.push_back(pool_.acquireSlab(0, 0, kBytes));
    for (const int32_t handle : handles) std::fill_n(pool_.at(handle).memory, kBytes, uint8_t{0xee});
    return handles;
  }

  std::unique_ptr<uint8_t[]> arena_;
  SlabPool pool_;
};

TEST_F(PagedPoolTest, FreeSlabsAndLargeMemoryDoNotStayBesideEachOther) {
  for (const int32_t handle : fill()) pool_.discard(handle);
  EXPECT_EQ(pool_.touchedFreeBytes(), kCount * kBytes);
  std::vector<uint8_t> large(kBytes);
  const int32_t first = pool_.acquireLarge(large.data(), kBytes / 10, 0, 0);
  EXPECT_EQ(pool_.touchedFreeBytes(), kCount * kBytes) << "a little more than the budget may stay";
  const int32_t second = pool_.acquireLarge(large.data(), kBytes, 0, 0);
  EXPECT_EQ(pool_.touchedFreeBytes(), 0U);
  pool_.discard(first);
  pool_.discard(second);
#if defined(__linux__)
  EXPECT_EQ(pool_.at(pool_.acquireSlab(0, 0, kBytes)).memory[kBytes / 2], 0)
      << "the page has not been given back";
#endif
}

TEST_F(PagedPoolTest, WhatIsGivenBackIsNoByteOfASlabInUse) {
  const std::vector<int32_t> handles = fill();
  pool_.discard(handles[0]);
  pool_.discard(handles[2]);
  std::vector<uint8_t> large(2 * kBytes);
  pool_.acquireLarge(large.data(), 2 * kBytes, 0, 0);
  EXPECT_EQ(pool_.touchedFreeBytes(), 0U);
  for (const int32_t handle : {handles[1], handles[3]}) {
    const uint8_t* memory = pool_.at(handle).memory;
    EXPECT_TRUE(std::all_of(memory, memory + kBytes, [](uint8_t byte) { return byte == 0xee; }));
  }
}

TEST_F(PagedPoolTest, SlabsThatWereNeverUsedCountForNothing) {
  pool_.discard(pool_.acquireSlab(0, 0, kBytes));
  EXPECT_EQ(pool_.touchedFreeBytes(), kBytes);
  const int32_t batch = pool_.acquireSlab(0, 0, kBytes);
  EXPECT_EQ(pool_.touchedFreeBytes(), 0U);
  pool_.discard(batch);
  EXPECT_EQ(pool_.touchedFreeBytes(), kBytes);
}

// Eight slabs with margins, of which one batch may have four.
class GrowingPoolTest : public testing::Test {
 protected:
  static constexpr uint32_t kMarginBytes = 40;
  static constexpr uint32_t kStrideBytes = kMarginBytes + kSlabBytes;
  GrowingPoolTest()
      : arena_(std::make_unique<uint8_t[]>(8 * kStrideBytes)),
        pool_({arena_.get(), kSlabBytes, 8, 8 * kSlabBytes, true, kMarginBytes, 4}) {}

  int32_t acquire() { return pool_.acquireSlab(0, 0, 10 * kSlabBytes); }
  // Fills an open batch up to so many bytes and seals it.
  void seal(int32_t batch, uint32_t bytes) {
    std::fill_n(pool_.at(batch).memory, bytes, uint8_t{0xee});
    pool_.at(batch).records = 1;
    pool_.at(batch).bytes = bytes;
    pool_.seal(batch);
  }

  std::unique_ptr<uint8_t[]> arena_;
  SlabPool pool_;
};

TEST_F(GrowingPoolTest, BatchesBeginWhereTheyCanGrow) {
  const int32_t first = acquire();
  const int32_t second = acquire();
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 4) << "the other group is free as a whole";
  const int32_t third = acquire();
  EXPECT_EQ(third % 4, 2) << "no group is free any more: both batches of it can grow";
}

TEST_F(GrowingPoolTest, GrowsWithinItsGroupItsLimitAndTheBudget) {
  const int32_t batch = acquire();
  const uint32_t roomBytes = kSlabBytes - kBatchHeaderBytes;
  EXPECT_TRUE(pool_.grow(batch, roomBytes)) << "it need not grow for that";
  EXPECT_EQ(pool_.at(batch).capacityBytes, kSlabBytes);
  EXPECT_TRUE(pool_.grow(batch, roomBytes + 1));
  EXPECT_EQ(pool_.at(batch).capacityBytes, kSlabBytes + kStrideBytes) << "with the margin between them";
  EXPECT_FALSE(pool_.isBatch(batch + 1));
  EXPECT_EQ(pool_.availableBytes(), 6 * kSlabBytes);
  EXPECT_TRUE(pool_.grow(batch, roomBytes + 3 * kStrideBytes));
  EXPECT_FALSE(pool_.grow(batch, roomBytes + 3 * kStrideBytes + 1)) << "the next slab is another group's";
  const int32_t other = pool_.acquireSlab(0, 0, 2 * kSlabBytes);
  EXPECT_FALSE(pool_.grow(other, 2 * kSlabBytes - kBatchHeaderBytes + 1)) << "over its limit";
  EXPECT_EQ(pool_.at(other).capacityBytes, kSlabBytes) << "then it does not try";
  std::vector<uint8_t> large(3 * kSlabBytes);
  pool_.acquireLarge(large.data(), 3 * kSlabBytes, 0, 0);
  EXPECT_FALSE(pool_.grow(other, kSlabBytes)) << "the slab is free but the budget is not";
}

TEST_F(GrowingPoolTest, DoesNotGrowIntoASlabInUse) {
  const int32_t batch = acquire();
  acquire();
  const int32_t neighbour = acquire();
  ASSERT_EQ(neighbour, 6) << "half of what is free behind batch 4";
  EXPECT_TRUE(pool_.grow(batch, 3 * kStrideBytes));
  EXPECT_TRUE(pool_.grow(4, kStrideBytes));
  EXPECT_FALSE(pool_.grow(4, 2 * kStrideBytes));
  pool_.discard(neighbour);
  EXPECT_TRUE(pool_.grow(4, 2 * kStrideBytes));
}

TEST_F(GrowingPoolTest, BeginsWhereABatchOfThatSizeHasRoom) {
  acquire();
  acquire();
  EXPECT_EQ(pool_.acquireSlab(0, 0, 10 * kSlabBytes, 4 * kSlabBytes), kNoBatch) << "three stand side by side";
  const int32_t batch = pool_.acquireSlab(0, 0, 10 * kSlabBytes, 3 * kSlabBytes);
  ASSERT_EQ(batch % 4, 1);
  EXPECT_TRUE(pool_.grow(batch, 3 * kSlabBytes - kBatchHeaderBytes));
}

TEST_F(GrowingPoolTest, GivesBackAllItsSlabs) {
  const int32_t batch = acquire();
  ASSERT_TRUE(pool_.grow(batch, 2 * kStrideBytes));
  const uint32_t bytes = pool_.at(batch).capacityBytes;
  seal(batch, bytes);
  pool_.pin(batch);
  EXPECT_FALSE(pool_.settle(batch));
  EXPECT_EQ(pool_.availableBytes(), 5 * kSlabBytes) << "somebody reads it";
  EXPECT_TRUE(pool_.unpin(batch));
  EXPECT_EQ(pool_.availableBytes(), 8 * kSlabBytes);
  const int32_t again = acquire();
  EXPECT_EQ(again, batch);
  EXPECT_TRUE(pool_.grow(again, 3 * kStrideBytes));
}

TEST_F(GrowingPoolTest, ShrinksToWhatItNeeds) {
  const int32_t batch = acquire();
  ASSERT_TRUE(pool_.grow(batch, 3 * kStrideBytes));
  seal(batch, pool_.at(batch).capacityBytes);
  pool_.at(batch).bytes = kSlabBytes + kMarginBytes + 1;
  pool_.shrink(batch);
  EXPECT_EQ(pool_.at(batch).capacityBytes, kSlabBytes + kStrideBytes);
  EXPECT_EQ(pool_.availableBytes(), 6 * kSlabBytes);
  pool_.at(batch).bytes = kSlabBytes + kMarginBytes;
  pool_.shrink(batch);
  EXPECT_EQ(pool_.at(batch).capacityBytes, kSlabBytes + kStrideBytes) << "a margin alone is no memory for it";
  pool_.at(batch).bytes = kSlabBytes;
  pool_.shrink(batch);
  EXPECT_EQ(pool_.at(batch).capacityBytes, kSlabBytes);
  EXPECT_EQ(pool_.availableBytes(), 7 * kSlabBytes);
  EXPECT_EQ(pool_.at(batch).memory[kSlabBytes - 1], 0xee) << "what it needs is as it was";
  EXPECT_TRUE(pool_.settle(batch));
  EXPECT_EQ(pool_.availableBytes(), 8 * kSlabBytes);
}

TEST_F(TightPoolTest, HandlesOfLargeBatchesAreUsedAgain) {
  std::vector<uint8_t> large(100);
  const int32_t first = pool_.acquireLarge(large.data(), 100, 0, 0);
  pool_.discard(first);
  EXPECT_EQ(pool_.acquireLarge(large.data(), 100, 0, 0), first);
}

TEST_F(TightPoolDeathTest, LargeMemoryOverTheBudgetIsFatal) {
  std::vector<uint8_t> large(4 * kSlabBytes);
  EXPECT_DEATH(pool_.acquireLarge(large.data(), 3 * kSlabBytes + 101, 0, 0), "budget is exceeded");
}

TEST_F(PoolDeathTest, IllegalTransitionsAreFatal) {
  const int32_t open = pool_.acquireSlab(0, 0, kSlabBytes);
  EXPECT_DEATH(pool_.seal(open), "no record");
  EXPECT_DEATH(pool_.pin(open), "another phase");
  EXPECT_DEATH(pool_.unpin(open), "unreadable");
  EXPECT_DEATH(pool_.settle(open), "another phase");

  const int32_t batch = sealed();
  EXPECT_DEATH(pool_.seal(batch), "another phase");
  EXPECT_DEATH(pool_.unpin(batch), "more often");
  EXPECT_DEATH(pool_.discard(batch), "another phase");
  pool_.pin(batch);
  pool_.settle(batch);
  EXPECT_DEATH(pool_.settle(batch), "another phase");
  EXPECT_DEATH(pool_.pin(batch), "another phase");
  pool_.unpin(batch);
  EXPECT_DEATH(pool_.settle(batch), "another phase") << "settled twice";
  EXPECT_DEATH(pool_.unpin(batch), "unreadable");
  EXPECT_DEATH(pool_.pin(batch), "another phase");
}

TEST_F(PoolDeathTest, ABatchLargerThanItsMemoryIsFatal) {
  const int32_t batch = sealed();
  pool_.at(batch).bytes = kSlabBytes + 1;
  EXPECT_DEATH(pool_.pin(batch), "larger than its memory");
}

// Random operations against a model that knows only who is settled and who is read.
TEST_F(TightPoolTest, FollowsAModelThroughRandomSchedules) {
  struct Model {
    int pins = 0;
    bool settled = false;
    uint64_t bytes = 0;
    std::vector<uint8_t> memory;
  };
  for (uint64_t seed = 1; seed <= 200; seed++) {
    test::Random random(seed);
    std::vector<std::pair<int32_t, Model>> batches;
    for (int step = 0; step < 500 || !batches.empty(); step++) {
      uint64_t used = 0;
      for (const auto& [handle, model] : batches) used += model.bytes;
      ASSERT_EQ(pool_.availableBytes(), pool_.budgetBytes() - used);
      const size_t action = step < 500 ? random.below(5) : 3 + random.below(2);
      if (action == 0) {
        const bool expected = pool_.budgetBytes() - used >= kSlabBytes;
        const int32_t handle = expected ? sealed() : pool_.acquireSlab(0, 0, kSlabBytes);
        ASSERT_EQ(handle != kNoBatch, expected);
        if (expected) batches.emplace_back(handle, Model{0, false, kSlabBytes, {}});
        continue;
      }
      if (action == 1 && pool_.budgetBytes() - used >= 150) {
        Model model{0, false, 150, std::vector<uint8_t>(150)};
        const int32_t handle = pool_.acquireLarge(model.memory.data(), 150, 0, 0);
        pool_.at(handle).records = 1;
        pool_.seal(handle);
        batches.emplace_back(handle, std::move(model));
        continue;
      }
      if (batches.empty()) continue;
      const size_t index = random.below(batches.size());
      auto& [handle, model] = batches[index];
      bool released = false;
      if (action == 2 && !model.settled) {
        pool_.pin(handle);
        model.pins++;
      } else if (action == 3 && model.pins > 0) {
        released = pool_.unpin(handle);
        model.pins--;
        ASSERT_EQ(released, model.settled && model.pins == 0);
      } else if (action == 4 && !model.settled) {
        released = pool_.settle(handle);
        model.settled = true;
        ASSERT_EQ(released, model.pins == 0);
      }
      if (released) batches.erase(batches.begin() + static_cast<std::ptrdiff_t>(index));
    }
    ASSERT_EQ(pool_.availableBytes(), pool_.budgetBytes());
  }
}

}  // namespace
}  // namespace millrace
