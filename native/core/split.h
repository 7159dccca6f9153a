// Splitting a sealed batch that a broker found too large: its records, in order, over batches of their own.
//
// Only a record's two deltas depend on its place: the offset counts from the batch's first record, the
// timestamp from that record's. Everything from the key's length on is copied as it is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "slab_pool.h"

namespace millrace {

// The records of the batch to split, uncompressed.
struct RecordsRegion {
  const uint8_t* data;
  size_t count;
};

// Some consecutive records of a region, and the batch they make.
struct Child {
  size_t begin = 0;  // position of the first record
  size_t end = 0;    // and after the last
  int32_t records = 0;
  int64_t bytes = 0;  // header included
};

// As many records from `position` on as make at most `limitBytes` without the batch's header, but at least
// one and at most `recordsMax`. False if the region holds no readable record there.
bool measureChild(const RecordsRegion& region, size_t position, int64_t limitBytes, int32_t recordsMax,
                  Child* child);

// Writes a measured child of `parent` into memory of at least its size, as a sealed batch. It takes over as
// much of the parent's charge as it has bytes, or what is left: splitting needs no budget of its own.
int32_t splitOff(SlabPool* pool, int32_t parent, const RecordsRegion& region, const Child& child,
                 uint8_t* memory);

}  // namespace millrace
