// Which slabs of a pool are free, and which of them stand side by side, so that a batch can grow into the
// next one. Slabs stand in groups of up to 32, and a batch grows within its group.
#pragma once

#include <cstdint>
#include <vector>

namespace millrace {

class FreeSlabs {
 public:
  static constexpr int32_t kGroupSlabsMax = 32;

  // All are free. The last group may be smaller.
  FreeSlabs(int32_t slabCount, int32_t groupSlabs);

  // How many free slabs stand side by side in a group at most.
  int32_t longestRun() const;
  // A slab of such a run, with at least so many in all from it on, which must be there. Of the groups that
  // have one, that which was used last: the warmest memory is used next. Whoever stands in front of the run
  // may want to grow into it, so its first half is left free where possible.
  int32_t take(int32_t slabs);
  // Takes the slab behind another of the same group. False if there is none or it is not free.
  bool takeAfter(int32_t slab);
  void give(int32_t slab);

 private:
  struct Group {
    uint32_t free;  // a bit for each slab
    int32_t run;    // the longest of them
    int32_t place;  // in the list of groups of such a run
  };

  void changed(int32_t group, uint32_t free);
  void list(int32_t group, int32_t run);
  void unlist(int32_t group);

  int32_t groupSlabs_;
  std::vector<Group> groups_;
  std::vector<int32_t> byRun_[kGroupSlabsMax + 1];  // groups by their longest run
  uint64_t runs_ = 0;                               // a bit for each list that has a group
};

}  // namespace millrace
