import type { RecordAccumulator } from '../accumulator/accumulator.js'
import type { FlushBarrier } from '../accumulator/batch/flush-barrier.js'
import type { ClusterClient } from '../cluster/cluster-client.js'
import { type KafkaError, ProducerClosedError } from '../errors/index.js'
import type { Sender } from '../sender/sender.js'
import type { TransactionManager } from '../transactions/transaction-manager.js'
import type { CloseDeadline } from './close-deadline.js'
import type { ProducerTelemetry } from './producer-telemetry.js'
import type { FailedCallbacks } from './send/callback-delivery.js'
import type { TopicWait } from './send/topic-wait.js'

/** What a closing producer has to end, and how it waits. */
interface ClosingParts {
  readonly accumulator: RecordAccumulator
  readonly client: ClusterClient
  readonly closeDeadline: CloseDeadline
  readonly deliveryTimeoutMs: number
  readonly failedCallbacks: FailedCallbacks
  /** Waits for everything that was sent so far. */
  readonly raiseBarrier: () => FlushBarrier
  readonly sender: Sender
  readonly telemetry: ProducerTelemetry
  /** Null without `transactional.id`. */
  readonly transactions: TransactionManager | null
  readonly waiting: TopicWait
}

/** Sends what is left until the deadline, fails the rest, and ends the parts. */
export async function shutDown(parts: ClosingParts): Promise<void> {
  const { accumulator, client, closeDeadline, failedCallbacks, sender, telemetry, transactions, waiting } =
    parts
  const ended = transactions?.finish()
  waiting.beginClose(new ProducerClosedError('The producer was closed before the topic was known.'))
  await Promise.race([parts.raiseBarrier().done, closeDeadline.passed])
  if (ended !== undefined) {
    // A coordinator that is not there has no time-out of its own, as records have.
    closeDeadline.pull(parts.deliveryTimeoutMs)
    await Promise.race([ended, closeDeadline.passed])
  }
  closeDeadline.end()
  const { timeoutMs } = closeDeadline
  const error: KafkaError = new ProducerClosedError(
    `The producer was closed before the record was delivered (close time-out ${timeoutMs} ms).`,
  )
  transactions?.close()
  waiting.abort(error)
  accumulator.abort(error)
  sender.close()
  await telemetry.farewell(timeoutMs)
  accumulator.close()
  await client.close()
  telemetry.observer.close()
  await failedCallbacks.called()
}
