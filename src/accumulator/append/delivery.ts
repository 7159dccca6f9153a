import type { KafkaError } from '../../errors/index.js'
import type { Batch } from '../batch/batch.js'

/**
 * Who waits for a record: a promise, a callback or a slot of a `sendMany`. It learns where its record was
 * written (`attach`) and later, with all others of its batch, what became of it (`settle`); or that the
 * record never reached a batch (`fail`). `ordinal` is the record's place in a `sendMany`, else 0.
 */
export interface Delivery {
  attach(
    batch: Batch,
    index: number,
    ordinal: number,
    keyBytes: number,
    valueBytes: number,
    timestampMs: number,
  ): void
  fail(error: KafkaError, ordinal: number, topic: string, partition: number): void
}

/** Takes the place of a delivery that has been given up: the record is dropped when its turn comes. */
export const GIVEN_UP: Delivery = { attach: () => {}, fail: () => {} }
