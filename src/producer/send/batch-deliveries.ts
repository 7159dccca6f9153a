import type { AwaitedBatch, Settlement } from '../../accumulator/batch/batch-outcome.js'

/**
 * Who waits for a batch, by way in: the newest settlement of each, which takes further records. Each way
 * knows the class of its own.
 */
class BatchDeliveries {
  promises: Settlement | null = null
  callbacks: Settlement | null = null
  array: Settlement | null = null
}

export function deliveriesOf(batch: AwaitedBatch): BatchDeliveries {
  batch.attachment ??= new BatchDeliveries()
  return batch.attachment as BatchDeliveries
}
