#include "free_slabs.h"

#include <algorithm>

#include "check.h"

namespace millrace {
namespace {

struct Run {
  int32_t first;
  int32_t slabs;
};

// The longest run of free slabs, the first one where several are as long.
Run longestRunOf(uint32_t free) {
  Run run{0, 0};
  // After n steps a bit stands for the beginning of n + 1 free slabs.
  for (uint32_t starts = free; starts != 0; starts &= starts >> 1) {
    run.first = __builtin_ctz(starts);
    run.slabs++;
  }
  return run;
}

uint32_t bitOf(int32_t slab) {
  return uint32_t{1} << slab;
}

}  // namespace

FreeSlabs::FreeSlabs(int32_t slabCount, int32_t groupSlabs) : groupSlabs_(groupSlabs) {
  MILLRACE_ASSERT(groupSlabs >= 1 && groupSlabs <= kGroupSlabsMax, "a group has 1 to 32 slabs");
  const int32_t groupCount = (slabCount - 1) / groupSlabs + 1;
  groups_.resize(static_cast<size_t>(groupCount));
  for (int32_t group = groupCount - 1; group >= 0; group--) {
    const int32_t slabs = std::min(groupSlabs, slabCount - group * groupSlabs);
    groups_[static_cast<size_t>(group)].free = UINT32_MAX >> (kGroupSlabsMax - slabs);
    list(group, slabs);
  }
}

int32_t FreeSlabs::longestRun() const {
  return runs_ == 0 ? 0 : 63 - __builtin_clzll(runs_);
}

int32_t FreeSlabs::take(int32_t slabs) {
  const int32_t longest = longestRun();
  MILLRACE_ASSERT(slabs > 0 && slabs <= longest, "not so many free slabs side by side");
  const int32_t group = byRun_[longest].back();
  const uint32_t free = groups_[static_cast<size_t>(group)].free;
  const Run run = longestRunOf(free);
  const int32_t left = run.first == 0 ? 0 : std::min(run.slabs / 2, run.slabs - slabs);
  const int32_t taken = run.first + left;
  changed(group, free & ~bitOf(taken));
  return group * groupSlabs_ + taken;
}

bool FreeSlabs::takeAfter(int32_t slab) {
  const int32_t group = slab / groupSlabs_;
  const int32_t next = slab % groupSlabs_ + 1;
  const uint32_t free = groups_[static_cast<size_t>(group)].free;
  if (next == groupSlabs_ || (free & bitOf(next)) == 0) return false;
  changed(group, free & ~bitOf(next));
  return true;
}

void FreeSlabs::give(int32_t slab) {
  const int32_t group = slab / groupSlabs_;
  const uint32_t bit = bitOf(slab % groupSlabs_);
  const uint32_t free = groups_[static_cast<size_t>(group)].free;
  MILLRACE_ASSERT((free & bit) == 0, "a free slab is given back");
  changed(group, free | bit);
}

void FreeSlabs::changed(int32_t group, uint32_t free) {
  Group& known = groups_[static_cast<size_t>(group)];
  known.free = free;
  const int32_t run = longestRunOf(free).slabs;
  if (run == known.run) return;
  unlist(group);
  list(group, run);
}

void FreeSlabs::list(int32_t group, int32_t run) {
  std::vector<int32_t>& groups = byRun_[run];
  groups_[static_cast<size_t>(group)].run = run;
  groups_[static_cast<size_t>(group)].place = static_cast<int32_t>(groups.size());
  groups.push_back(group);
  runs_ |= uint64_t{1} << run;
}

void FreeSlabs::unlist(int32_t group) {
  const Group& known = groups_[static_cast<size_t>(group)];
  std::vector<int32_t>& groups = byRun_[known.run];
  const int32_t last = groups.back();
  groups[static_cast<size_t>(known.place)] = last;
  groups_[static_cast<size_t>(last)].place = known.place;
  groups.pop_back();
  if (groups.empty()) runs_ &= ~(uint64_t{1} << known.run);
}

}  // namespace millrace
