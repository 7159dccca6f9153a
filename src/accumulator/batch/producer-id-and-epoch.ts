/** Sequences run from 0 to 2³¹ − 1 and begin again at 0. */
const SEQUENCE_MODULUS = 2 ** 31

/** The sequence that follows `count` records from `sequence` on. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCE_MODULUS
}

/** Whether `sequence` comes after `other`, which is never half of all sequences away. */
export function isAfter(sequence: number, other: number): boolean {
  const distance = (sequence - other + SEQUENCE_MODULUS) % SEQUENCE_MODULUS
  return distance > 0 && distance < SEQUENCE_MODULUS / 2
}

/**
 * A producer id in one of its epochs (KIP-98). Never changed; two are the same if they are the same object.
 */
export class ProducerIdAndEpoch {
  readonly producerId: bigint
  readonly epoch: number
  /** Upper and lower half of the id as int32, as native code takes them. */
  readonly idHigh: number
  readonly idLow: number

  constructor(producerId: bigint, epoch: number) {
    this.producerId = producerId
    this.epoch = epoch
    this.idHigh = Number(producerId >> 32n) | 0
    this.idLow = Number(BigInt.asIntN(32, producerId))
  }
}
