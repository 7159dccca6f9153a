import { createHash, type Hash } from 'node:crypto'
import type { ProducerRecord, RecordMetadata } from '../index.js'
import { sequenceOf } from './generate.js'
import type { RecordArray } from './records.js'
import { formatCount } from './summary.js'

type Bytes = string | Uint8Array | null | undefined

/** A record as it is read back. */
export interface StoredRecord {
  readonly partition: number
  readonly offset: bigint
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Iterable<readonly [name: string, value: Uint8Array | null]>
}

/** The part of a delivery report that is needed here. */
interface Reported {
  at(index: number): Pick<RecordMetadata, 'partition' | 'offset'> | undefined
}

/** Event-loop turns are given up this often while reading back, so that progress is drawn. */
const RECORDS_PER_TURN = 20_000

/**
 * Compares what was acknowledged with what is stored: for each partition the number of records and a SHA-256
 * over all keys, values and headers in order. Generated events are also checked by their sequence numbers:
 * each once, and rising within a partition.
 */
export class Verification {
  readonly #sent = new Map<number, PartitionDigest>()
  readonly #stored = new Map<number, PartitionDigest>()
  readonly #headers: readonly (readonly [string, Bytes])[]
  readonly #sequences: SequenceCheck | null
  readonly #problems: string[] = []

  /** `events` is how many events are generated, null where records come from a file. */
  constructor(headers: readonly (readonly [string, Bytes])[], events: number | null) {
    this.#headers = headers
    this.#sequences = events === null ? null : new SequenceCheck(events)
  }

  /** Takes the records of an array that were delivered. To be called in the order of sending. */
  delivered({ records }: RecordArray, report: Reported, failed: { has(index: number): boolean }): void {
    for (let index = 0; index < records.length; index++) {
      const metadata = failed.has(index) ? undefined : report.at(index)
      if (metadata === undefined) continue
      const { partition, offset } = metadata
      const digest = digestOf(this.#sent, partition)
      // No offset is known with acks=0.
      if (offset >= 0n && offset !== BigInt(digest.count)) {
        this.#problem(`partition ${partition}: offset ${offset} was reported for record ${digest.count}`)
      }
      const record = records[index]
      digest.add(record?.key, record?.value, headersOf(record?.headers) ?? this.#headers)
    }
  }

  /** Reads back everything, from the first record of each partition on. */
  async read(records: Iterable<StoredRecord>): Promise<void> {
    let count = 0
    for (const { partition, offset, key, value, headers } of records) {
      const digest = digestOf(this.#stored, partition)
      if (offset !== BigInt(digest.count)) {
        this.#problem(`partition ${partition}: offset ${offset} follows ${digest.count - 1}`)
      }
      digest.add(key, value, headers)
      this.#sequences?.add(partition, value, text => this.#problem(text))
      if (++count % RECORDS_PER_TURN === 0) await new Promise(resolve => setImmediate(resolve))
    }
  }

  /**
   * What is wrong, the first few findings of it; nothing if all is as it was sent. `failed` is how many
   * records are known not to have been delivered.
   */
  problems(failed: number): readonly string[] {
    for (const partition of new Set([...this.#sent.keys(), ...this.#stored.keys()])) {
      const sent = digestOf(this.#sent, partition)
      const stored = digestOf(this.#stored, partition)
      if (sent.count !== stored.count) {
        const counts = `${formatCount(stored.count)} records are stored, ${formatCount(sent.count)}`
        this.#problem(`partition ${partition}: ${counts} were acknowledged`)
      } else if (sent.hex() !== stored.hex()) {
        this.#problem(`partition ${partition}: order or content differs from what was sent`)
      }
    }
    const missing = this.#sequences?.missing() ?? 0
    if (missing > failed)
      this.#problem(`${formatCount(missing)} events are missing, ${formatCount(failed)} failed`)
    return this.#problems
  }

  /** The line to print when there are no problems. */
  result(): string {
    let count = 0
    const all = createHash('sha256')
    for (const partition of [...this.#stored.keys()].sort((a, b) => a - b)) {
      const digest = digestOf(this.#stored, partition)
      count += digest.count
      all.update(digest.hex())
    }
    return (
      `verified   ${formatCount(count)} records read back from ${this.#stored.size} partitions: ` +
      `count, order and content match (sha256 ${all.digest('hex').slice(0, 16)})`
    )
  }

  #problem(text: string): void {
    if (this.#problems.length < 10) this.#problems.push(text)
  }
}

/** Headers in pairs, as the command line gives them. */
function headersOf(headers: ProducerRecord['headers']): Iterable<readonly [string, Bytes]> | undefined {
  return headers as Iterable<readonly [string, Bytes]> | undefined
}

function digestOf(digests: Map<number, PartitionDigest>, partition: number): PartitionDigest {
  let digest = digests.get(partition)
  if (!digest) {
    digest = new PartitionDigest()
    digests.set(partition, digest)
  }
  return digest
}

const STAGING_BYTES = 64 * 1024

/** Count and SHA-256 of a partition's records, each field with its length, so that no two sequences agree. */
class PartitionDigest {
  count = 0
  readonly #hash: Hash = createHash('sha256')
  readonly #staging = Buffer.allocUnsafe(STAGING_BYTES)
  #stagedBytes = 0
  #hex: string | null = null

  add(key: Bytes, value: Bytes, headers: Iterable<readonly [string, Bytes]>): void {
    this.count++
    this.#field(key)
    this.#field(value)
    for (const [name, headerValue] of headers) {
      this.#field(name)
      this.#field(headerValue)
    }
  }

  hex(): string {
    this.#flush()
    this.#hex ??= this.#hash.digest('hex')
    return this.#hex
  }

  #field(bytes: Bytes): void {
    const field = typeof bytes === 'string' ? Buffer.from(bytes) : (bytes ?? null)
    const length = field?.byteLength ?? 0
    if (this.#stagedBytes + 4 + length > STAGING_BYTES) this.#flush()
    this.#stagedBytes = this.#staging.writeInt32LE(field === null ? -1 : length, this.#stagedBytes)
    if (field === null) return
    if (length > STAGING_BYTES - 4) {
      this.#flush()
      this.#hash.update(field)
    } else {
      this.#staging.set(field, this.#stagedBytes)
      this.#stagedBytes += length
    }
  }

  #flush(): void {
    if (this.#stagedBytes > 0) this.#hash.update(this.#staging.subarray(0, this.#stagedBytes))
    this.#stagedBytes = 0
  }
}

/** Whether events 0 to `count` - 1 come once each, and rising within each partition. */
class SequenceCheck {
  readonly #seen: Uint8Array
  readonly #last = new Map<number, number>()
  readonly #count: number
  #seenCount = 0

  constructor(count: number) {
    this.#count = count
    this.#seen = new Uint8Array(count)
  }

  add(partition: number, value: Uint8Array | null, problem: (text: string) => void): void {
    const sequence = value === null ? -1 : sequenceOf(value)
    if (sequence < 0 || sequence >= this.#count) {
      problem(`partition ${partition}: a record that is no event of this run`)
      return
    }
    if (this.#seen[sequence] === 1) problem(`partition ${partition}: event ${sequence} is stored twice`)
    else this.#seenCount++
    this.#seen[sequence] = 1
    const last = this.#last.get(partition) ?? -1
    if (sequence < last) problem(`partition ${partition}: event ${sequence} is stored after ${last}`)
    this.#last.set(partition, sequence)
  }

  missing(): number {
    return this.#count - this.#seenCount
  }
}
