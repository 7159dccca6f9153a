/**
 * Where a record stands in its topic, as frames say it: partition × 2⁴⁰ + offset. So records that follow one
 * another in one partition have consecutive places, and those of two partitions never do.
 */
export const PLACE_UNKNOWN = -1

const OFFSETS = 2 ** 40

/** An offset below 0 is one that nobody knows. */
export function placeOf(partition: number, offset: number): number {
  return offset < 0 ? PLACE_UNKNOWN : partition * OFFSETS + offset
}

export function partitionOf(place: number): number {
  return Math.floor(place / OFFSETS)
}

/** For people: `partition@offset`. */
export function placeName(place: number): string {
  return place < 0 ? '?' : `${partitionOf(place)}@${place % OFFSETS}`
}
