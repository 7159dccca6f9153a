// The client of bench/micro.js: measures the native functions on the runtime it is started with.
import { measure } from 'mitata'
import { Staging } from '../../dist/accumulator/append/staging.js'
import { PARTITION_BY_KEY, Result, Touched } from '../../dist/native/addon.js'
import { loadAddon } from '../../dist/native/load.js'
import { jsonRing, keyRing, letterRing, RING_RECORDS } from './payloads.js'
import { runtimeName } from './runtimes.js'

const BATCH_BYTES = 131072
const LZ4_BLOCK_BYTES = 65536
const BUFFER_BYTES = 33554432
const REQUEST_BYTES_MAX = 1048576
const PARTITIONS = 6
const TOPIC = 0
/** Records that one measured call appends: several batches, so that their turnover is part of it. */
const RECORDS = 4096
const TIMESTAMP_MS = 1_760_000_000_000

const addon = loadAddon()
const mask = RING_RECORDS - 1
const keys = keyRing()
const values = letterRing(100)
const longValues = letterRing(1000)
const textOf = ring => ring.map(bytes => bytes.toString('latin1'))

/** Nobody waits for these records. */
const run = { touchBase: 0, clear() {} }

/** A core and the turnover of its batches: each is settled when the next one of its partition opens. */
class Appending {
  #open = new Int32Array(PARTITIONS).fill(-1)
  #finishes
  #core
  #staging = new Staging(REQUEST_BYTES_MAX)

  /** `finishes`: a batch gets its header and CRC before it is settled. */
  constructor({ finishes }) {
    this.#finishes = finishes
    this.#core = addon.createCore({
      arena: new ArrayBuffer(BUFFER_BYTES),
      slabBytes: BATCH_BYTES,
      slabMarginBytes: 0,
      batchLimitBytes: BATCH_BYTES,
      budgetBytes: BUFFER_BYTES,
      recordLimitBytes: REQUEST_BYTES_MAX,
      descriptors: this.#staging.descriptors.buffer,
      places: this.#staging.places.buffer,
      touched: this.#staging.touched.buffer,
      staging: this.#staging.bytes.buffer,
      result: this.#staging.result.buffer,
      fillFreed: false,
    })
    this.#core.setTopic(TOPIC, PARTITIONS)
  }

  #turnOver(partition, handle) {
    const full = this.#open[partition]
    this.#open[partition] = handle
    if (full < 0) return
    if (this.#finishes) this.#core.finish(full, 0, 1000, 0, 0, 0)
    this.#core.settle(full)
  }

  staged(keys, values) {
    const staging = this.#staging
    for (let i = 0; i < RECORDS; i++) {
      const key = keys[i & mask]
      const value = values[i & mask]
      if (!staging.canContinue(run, i, TOPIC, TIMESTAMP_MS, key.length + value.length)) {
        this.#drain()
        staging.begin(run, i, TOPIC, PARTITION_BY_KEY, TIMESTAMP_MS)
      }
      staging.add(key, value, key.length, value.length)
    }
  }

  /** Reads back what the accumulator reads: which batches were touched. */
  #drain() {
    const { count, touched, result } = this.#staging
    if (count === 0) return
    const answer = this.#staging.drain(this.#core, 0)
    if (answer !== count * 8) throw new Error(`the drain answered ${answer} for ${count} records`)
    for (let at = 0; at < result[Result.TOUCHED] * Touched.WORDS; at += Touched.WORDS) {
      if (touched[at + Touched.FIRST_INDEX] !== 0) continue
      this.#turnOver(touched[at + Touched.PARTITION], touched[at + Touched.BATCH])
    }
    this.#staging.clear()
  }

  direct(keys, values) {
    const { result } = this.#staging
    for (let i = 0; i < RECORDS; i++) {
      const timestampMs = TIMESTAMP_MS + i
      const status = this.#core.append(
        TOPIC,
        PARTITION_BY_KEY,
        timestampMs,
        keys[i & mask],
        values[i & mask],
        0,
      )
      if (status !== 0) throw new Error(`append answered ${status}`)
      if (result[Result.INDEX] === 0) this.#turnOver(result[Result.PARTITION], result[Result.BATCH])
    }
  }
}

/** Nanoseconds of one call's `count`-th part, the median of mitata's samples. */
async function nanosecondsOf(work, count) {
  const { p50 } = await measure(work)
  return p50 / count
}

function murmur2Of(ring) {
  let sum = 0
  for (let i = 0; i < RECORDS; i++) sum ^= addon.murmur2(ring[i & mask])
  return sum
}

const figures = {}
figures['murmur2 bytes'] = await nanosecondsOf(() => murmur2Of(keys), RECORDS)
const keyTexts = textOf(keys)
figures['murmur2 string'] = await nanosecondsOf(() => murmur2Of(keyTexts), RECORDS)
const batch = Buffer.alloc(BATCH_BYTES, values[0])
figures.crc32c = await nanosecondsOf(() => addon.crc32c(batch), BATCH_BYTES)
const events = Buffer.concat(jsonRing(1000)).subarray(0, LZ4_BLOCK_BYTES)
const block = Buffer.alloc(2 * LZ4_BLOCK_BYTES)
figures.lz4Block = await nanosecondsOf(() => addon.lz4Block(events, block), LZ4_BLOCK_BYTES)
const appending = new Appending({ finishes: false })
const encoding = new Appending({ finishes: true })
const valueTexts = textOf(values)
figures.staged = await nanosecondsOf(() => appending.staged(keys, values), RECORDS)
figures['direct bytes'] = await nanosecondsOf(() => appending.direct(keys, values), RECORDS)
figures['direct strings'] = await nanosecondsOf(() => appending.direct(keyTexts, valueTexts), RECORDS)
figures.encode = await nanosecondsOf(() => encoding.staged(keys, values), RECORDS)
figures['staged 1000'] = await nanosecondsOf(() => appending.staged(keys, longValues), RECORDS)
figures['direct 1000'] = await nanosecondsOf(() => appending.direct(keys, longValues), RECORDS)
const { crc32cImplementation } = addon
console.log(JSON.stringify({ runtime: runtimeName(), crc32cImplementation, figures }))
