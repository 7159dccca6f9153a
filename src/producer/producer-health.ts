import type { RecordAccumulator } from '../accumulator/accumulator.js'
import type { ClusterClient } from '../cluster/cluster-client.js'
import type { Clock } from '../common/clock.js'
import type { Sender } from '../sender/sender.js'
import type { ProducerState } from './producer-state.js'
import type { TopicWait } from './send/topic-wait.js'
import type { ProducerHealth } from './types.js'

/** The parts that know how a producer is doing. Nothing is counted for it but one time a batch. */
interface HealthParts {
  readonly accumulator: RecordAccumulator
  readonly client: ClusterClient
  readonly clock: Clock
  readonly maxBlockMs: number
  readonly sender: Sender
  readonly state: ProducerState
  readonly waiting: TopicWait
}

/** Looks at the parts. Does nothing but have staged records put into their batches. */
export function readHealth(parts: HealthParts): ProducerHealth {
  const { accumulator, client, clock, maxBlockMs, sender, state, waiting } = parts
  const { fatal } = state
  const sinceMs = Math.min(accumulator.oldestSinceMs(), waiting.earliestDeadlineMs() - maxBlockMs)
  const nowMs = clock.now()
  const ageOf = (atMs: number) => (Number.isFinite(atMs) ? Math.max(nowMs - atMs, 0) : null)
  return {
    connected: client.isConnected,
    lastAcknowledgedMs: ageOf(sender.lastAcknowledgedMs),
    oldestUnacknowledgedMs: ageOf(sinceMs),
    fatal,
  }
}
