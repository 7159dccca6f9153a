// What the discarding broker sees of records where it looks into them (--verify).
import { RecordCursor } from '../../dist/testing/record-cursor.js'

/** Sums over the records of batches that are not compressed. */
export class RecordSums {
  records = 0
  keyBytes = 0
  valueBytes = 0
  headers = 0
  /** Of names and values. */
  headerBytes = 0

  /** Adds the records of a batch; throws where they are not `count` whole ones. */
  take(bytes, count) {
    const cursor = new RecordCursor(bytes, 0)
    for (let i = 0; i < count; i++) this.#takeRecord(cursor, i)
    if (cursor.remaining !== 0) throw new Error(`${cursor.remaining} bytes after ${count} records`)
    this.records += count
  }

  #takeRecord(cursor, i) {
    const end = cursor.beginRecord()
    cursor.byte()
    cursor.varlong()
    const delta = cursor.varint()
    if (delta !== i) throw new Error(`offset delta ${delta} of record ${i}`)
    this.keyBytes += cursor.nullableBytes()?.length ?? 0
    this.valueBytes += cursor.nullableBytes()?.length ?? 0
    const headers = cursor.headerCount()
    this.headers += headers
    for (let left = headers * 2; left > 0; left--) this.headerBytes += cursor.nullableBytes()?.length ?? 0
    if (cursor.position !== end) throw new Error(`record ${i} ends ${end - cursor.position} bytes early`)
  }
}
