import { Place } from '../../native/addon.js'

/** Records a table has room for at first: few, for every batch has one. It grows, and is used again. */
const RECORDS_FIRST = 16
/** Tables kept for the next batches. */
const SPARES_MAX = 64

const spares: RecordTable[] = []

/**
 * Four int32 words for each record until its outcome, in the layout of places that native code writes: a tag,
 * the record's index in its batch, and its key and value size. What the tag means is its user's matter: for
 * arrays the number of the batch, else the record's time after the first one's, in ms.
 */
export class RecordTable {
  private words: Int32Array

  constructor(records: number) {
    this.words = new Int32Array(records * Place.WORDS)
  }

  /** A table that grows, from those given back. */
  static take(): RecordTable {
    return spares.pop() ?? new RecordTable(RECORDS_FIRST)
  }

  /** Nothing reads it any more. */
  giveBack(): void {
    if (spares.length < SPARES_MAX) spares.push(this)
  }

  set(record: number, tag: number, index: number, keyBytes: number, valueBytes: number): void {
    const at = record * Place.WORDS
    if (at === this.words.length) this.grow()
    const { words } = this
    words[at + Place.TOUCH] = tag
    words[at + Place.INDEX] = index
    words[at + Place.KEY_BYTES] = keyBytes
    words[at + Place.VALUE_BYTES] = valueBytes
  }

  /** Takes over places as native code has written them, for the records from `record` on. */
  setPlaces(record: number, places: Int32Array): void {
    this.words.set(places, record * Place.WORDS)
  }

  tagOf(record: number): number {
    return this.words[record * Place.WORDS + Place.TOUCH] as number
  }

  indexOf(record: number): number {
    return this.words[record * Place.WORDS + Place.INDEX] as number
  }

  keyBytesOf(record: number): number {
    return this.words[record * Place.WORDS + Place.KEY_BYTES] as number
  }

  valueBytesOf(record: number): number {
    return this.words[record * Place.WORDS + Place.VALUE_BYTES] as number
  }

  /** Both sizes at once, where the record is looked at once. */
  sizesOf(record: number): { keyBytes: number; valueBytes: number } {
    return { keyBytes: this.keyBytesOf(record), valueBytes: this.valueBytesOf(record) }
  }

  private grow(): void {
    const grown = new Int32Array(this.words.length * 2)
    grown.set(this.words)
    this.words = grown
  }
}
