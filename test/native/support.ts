import {
  type NativeAddon,
  type NativeBytes,
  type NativeCore,
  type NativeCoreOptions,
  NO_BATCH,
  Place,
  Result,
  Run,
  Staged,
  Touched,
} from '../../dist/native/addon.js'
import { loadAddon } from '../../dist/native/load.js'

export interface StagedInput {
  topic?: number
  partition: number
  timestampMs?: number
  key: Uint8Array | null
  value: Uint8Array | null
  headers?: Uint8Array
  /** The place that the record has to get. */
  promised?: { batch: number; index: number }
}

/** A core with the memory JavaScript shares with it. */
export class TestCore {
  readonly native: NativeCore
  readonly options: NativeCoreOptions
  readonly result: Int32Array
  readonly words: Int32Array
  readonly places: Int32Array
  readonly touched: Int32Array
  readonly staging: Uint8Array

  constructor(options: Partial<NativeCoreOptions> = {}, addon: NativeAddon = loadAddon()) {
    const slabBytes = options.slabBytes ?? 1024
    this.options = {
      arena: new ArrayBuffer(8 * slabBytes),
      slabBytes,
      slabMarginBytes: 0,
      batchLimitBytes: slabBytes,
      batchSlabsMax: 1,
      budgetBytes: 8 * slabBytes,
      recordLimitBytes: 1 << 20,
      descriptors: new ArrayBuffer(Staged.WORDS * 4 * 256),
      places: new ArrayBuffer(Place.WORDS * 4 * 256),
      touched: new ArrayBuffer(Touched.WORDS * 4 * 256),
      staging: new ArrayBuffer(65536),
      result: new ArrayBuffer(Result.WORDS * 4),
      fillFreed: true,
      ...options,
    }
    this.native = addon.createCore(this.options)
    this.result = new Int32Array(this.options.result)
    this.words = new Int32Array(this.options.descriptors)
    this.places = new Int32Array(this.options.places)
    this.touched = new Int32Array(this.options.touched)
    this.staging = new Uint8Array(this.options.staging)
  }

  append(
    partition: number,
    key: NativeBytes,
    value: NativeBytes,
    timestampMs = 0,
    headers?: Uint8Array,
  ): number {
    if (headers) this.staging.set(headers)
    return this.native.append(0, partition, timestampMs, key, value, headers?.length ?? 0)
  }

  stage(records: readonly StagedInput[]): void {
    const timestamps = new Float64Array(this.options.descriptors)
    let offset = 0
    for (const [i, record] of records.entries()) {
      const word = i * Staged.WORDS
      this.words[word + Staged.TOPIC] = record.topic ?? 0
      this.words[word + Staged.PARTITION] = record.partition
      this.words[word + Staged.KEY_BYTES] = record.key?.length ?? -1
      this.words[word + Staged.VALUE_BYTES] = record.value?.length ?? -1
      timestamps[(word + Staged.TIMESTAMP) / 2] = record.timestampMs ?? 0
      this.words[word + Staged.OFFSET] = offset
      this.words[word + Staged.HEADER_BYTES] = record.headers?.length ?? 0
      this.words[word + Staged.BATCH] = record.promised?.batch ?? NO_BATCH
      this.words[word + Staged.INDEX] = record.promised?.index ?? 0
      for (const part of [record.key, record.value, record.headers]) {
        if (!part) continue
        this.staging.set(part, offset)
        offset += part.length
      }
    }
  }

  /** Stages records that share topic, partition and time, in the form of a run. */
  stageRun(
    records: readonly { key: Uint8Array | null; value: Uint8Array | null; headers?: Uint8Array | null }[],
    shared: { topic?: number; keyedPartition: number; timestampMs?: number },
  ): void {
    this.words[Staged.TOPIC] = shared.topic ?? 0
    this.words[Staged.PARTITION] = shared.keyedPartition
    new Float64Array(this.options.descriptors)[Staged.TIMESTAMP / 2] = shared.timestampMs ?? 0
    let offset = 0
    for (const [i, { key, value, headers }] of records.entries()) {
      const word = Run.FIRST + i * Run.WORDS
      this.words[word + Run.KEY_BYTES] = key?.length ?? -1
      this.words[word + Run.VALUE_BYTES] = value?.length ?? -1
      this.words[word + Run.HEADER_BYTES] = headers?.length ?? 0
      for (const part of [key, value, headers]) {
        if (!part) continue
        this.staging.set(part, offset)
        offset += part.length
      }
    }
  }

  /** Index in its batch of a record that the last drainStaged has appended. */
  indexOf(record: number): number {
    return this.places[record * Place.WORDS + Place.INDEX] as number
  }

  /** Its batch; the touched ones are numbered from 0. */
  batchOf(record: number): number {
    return this.touchedWord(record, Touched.BATCH)
  }

  partitionOf(record: number): number {
    return this.touchedWord(record, Touched.PARTITION)
  }

  private touchedWord(record: number, word: number): number {
    const touch = this.places[record * Place.WORDS + Place.TOUCH] as number
    return this.touched[touch * Touched.WORDS + word] as number
  }

  get batch(): number {
    return this.result[Result.BATCH] as number
  }

  /** Seals and finishes a slab's batch and copies its bytes. */
  finished(
    batch: number,
    producerId: readonly [number, number] = [-1, -1],
    epoch = -1,
    sequence = -1,
    attributes = 0,
  ) {
    this.native.seal(batch)
    const bytes = this.native.finish(batch, producerId[0], producerId[1], epoch, sequence, attributes)
    return Buffer.from(Buffer.from(this.options.arena, this.slabOffset(batch), bytes))
  }

  /** Where a slab begins in the arena, behind its margin. */
  slabOffset(batch: number): number {
    const { slabBytes, slabMarginBytes } = this.options
    return slabMarginBytes + batch * (slabMarginBytes + slabBytes)
  }
}

/** Values of the records of an uncompressed batch, read with a decoder of its own. */
export function readRecords(batch: Buffer): { key: Buffer | null; value: Buffer | null }[] {
  let at = 61
  const varint = () => {
    let raw = 0
    for (let shift = 0; ; shift += 7) {
      const byte = batch.readUInt8(at++)
      raw += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
    }
  }
  const bytes = () => {
    const count = varint()
    if (count < 0) return null
    at += count
    return batch.subarray(at - count, at)
  }
  return Array.from({ length: batch.readInt32BE(57) }, () => {
    const length = varint()
    const end = at + length
    at++
    varint()
    varint()
    const record = { key: bytes(), value: bytes() }
    at = end
    return record
  })
}
