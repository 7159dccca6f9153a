import { Place, Result, Touched } from '../../native/addon.js'
import type { Batch } from '../batch/batch.js'

/** Records that one native call appends at most. */
export const STAGED_RECORDS_MAX = 256

/** Where native code has written the staged records: what it has answered to the last call. */
export class StagedPlaces {
  readonly result = new Int32Array(Result.WORDS)
  readonly places = new Int32Array(Place.WORDS * STAGED_RECORDS_MAX)
  readonly touched = new Int32Array(Touched.WORDS * STAGED_RECORDS_MAX)
  /** The batches touched by the last native call, in the order of `touched`. */
  readonly batches: (Batch | null)[] = new Array<Batch | null>(STAGED_RECORDS_MAX).fill(null)

  /** Batches that the last native call has appended to. */
  get touchedCount(): number {
    return this.result[Result.TOUCHED] as number
  }

  /** All records of the last native call are of one size and stand one after another in those batches. */
  get isConsecutive(): boolean {
    return this.result[Result.CONSECUTIVE] === 1
  }

  touchedBatch(touch: number): Batch {
    return this.batches[touch] as Batch
  }

  /** Records that the last native call has appended to the batch. */
  touchedRecords(touch: number): number {
    return this.touched[touch * Touched.WORDS + Touched.RECORDS] as number
  }

  /** The index in the batch of the first of them. */
  touchedFirstIndex(touch: number): number {
    return this.touched[touch * Touched.WORDS + Touched.FIRST_INDEX] as number
  }

  /** Places of staged records, as a `RecordTable` has them. The tag is the number of the touched batch. */
  placesOf(first: number, end: number): Int32Array {
    const { places } = this
    const isWhole = first === 0 && end === STAGED_RECORDS_MAX
    return isWhole ? places : places.subarray(first * Place.WORDS, end * Place.WORDS)
  }

  /** The number of the touched batch that a record went into, counted from its run's `touchBase`. */
  touchOf(record: number): number {
    return this.places[record * Place.WORDS + Place.TOUCH] as number
  }

  /** The batch that a record went into; its run counts touched batches from 0. */
  batchOf(record: number): Batch {
    return this.batches[this.touchOf(record)] as Batch
  }

  indexOf(record: number): number {
    return this.places[record * Place.WORDS + Place.INDEX] as number
  }

  keyBytesOf(record: number): number {
    return this.places[record * Place.WORDS + Place.KEY_BYTES] as number
  }

  valueBytesOf(record: number): number {
    return this.places[record * Place.WORDS + Place.VALUE_BYTES] as number
  }
}
