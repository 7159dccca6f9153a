import { randomInt } from 'node:crypto'
import { murmur2 } from '../../index.js'
import type { ICustomPartitioner } from './types.js'

const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995
const toPositive = (hash: number) => hash & 0x7fffffff

/** Bytes of a key as kafkajs hashes them: only a Buffer counts as bytes. */
function bytesOf(key: unknown): Uint8Array {
  return key instanceof Uint8Array ? key : Buffer.from(String(key))
}

/** Java's hash: keys go where Java's producer puts them. */
function javaHash(key: unknown): number {
  const bytes = bytesOf(key)
  return murmur2(bytes, 0, bytes.length)
}

/**
 * The hash of KafkaJS before 2.0: murmur2 in floating point, where products lose their low bits, and with one
 * word more than there are whole ones, so that the last bytes count twice. Wrong, but where keys lie.
 */
function legacyHash(key: unknown): number {
  const bytes = bytesOf(key)
  const { length } = bytes
  const at = (index: number) => bytes[index] ?? 0
  let hash = SEED ^ length
  for (let start = 0; start < length; start += 4) {
    let word = at(start) + (at(start + 1) << 8) + (at(start + 2) << 16) + (at(start + 3) << 24)
    word *= MULTIPLIER
    word = (word ^ (word >>> 24)) * MULTIPLIER
    hash = (hash * MULTIPLIER) ^ word
  }
  const tail = length & ~3
  const left = length - tail
  if (left === 3) hash ^= at(tail + 2) << 16
  if (left >= 2) hash ^= at(tail + 1) << 8
  if (left >= 1) hash = (hash ^ at(tail)) * MULTIPLIER
  hash = (hash ^ (hash >>> 13)) * MULTIPLIER
  return hash ^ (hash >>> 15)
}

/**
 * The strategy that both share: the partition that the message names; else by its key; else the topic's
 * partitions with a leader in turn, beginning anywhere.
 */
const partitionerWith =
  (hashOf: (key: unknown) => number): ICustomPartitioner =>
  () => {
    const turns = new Map<string, number>()
    return ({ topic, partitionMetadata, message }) => {
      const { partition, key } = message
      if (partition !== null && partition !== undefined) return partition
      const count = partitionMetadata.length
      if (key !== null && key !== undefined) return toPositive(hashOf(key)) % count
      const turn = (turns.get(topic) ?? randomInt(2 ** 32)) + 1
      turns.set(topic, turn)
      const led = partitionMetadata.filter(({ leader }) => leader >= 0)
      const chosen = led[toPositive(turn) % led.length]
      return chosen === undefined ? toPositive(turn) % count : chosen.partitionId
    }
  }

/** Keys go where Java's producer puts them; messages without one go to each partition in turn. */
const DefaultPartitioner: ICustomPartitioner = partitionerWith(javaHash)

/** Keys go where KafkaJS before 2.0 put them. */
const LegacyPartitioner: ICustomPartitioner = partitionerWith(legacyHash)

export const Partitioners = {
  DefaultPartitioner,
  LegacyPartitioner,
  /** The name of {@link DefaultPartitioner} before KafkaJS 2.0. */
  JavaCompatiblePartitioner: DefaultPartitioner,
}
