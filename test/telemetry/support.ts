import type { Clock } from '../../dist/common/clock.js'
import type { ObservedBatch, ObservedNode, ObservedRequest } from '../../dist/common/observer.js'
import { Telemetry, type TelemetryOptions } from '../../dist/telemetry/telemetry.js'
import { RecordingLogger } from '../helpers/cluster-options.js'

export const node: ObservedNode = { id: 1, host: 'broker.example', port: 9092 }
export const bootstrapNode: ObservedNode = { id: -1, host: 'broker.example', port: 9092 }
export const produce: ObservedRequest = {
  api: { key: 0, name: 'Produce' },
  version: 13,
  expectsResponse: true,
}
export const metadata: ObservedRequest = {
  api: { key: 3, name: 'Metadata' },
  version: 13,
  expectsResponse: true,
}

/** The telemetry of a producer that has no other parts. */
export function newTelemetry(clock: Clock, overrides: Partial<TelemetryOptions> = {}): Telemetry {
  return new Telemetry({
    clock,
    logger: new RecordingLogger(),
    clientId: 'test-client',
    windows: { samples: 2, windowMs: 30_000 },
    reporters: [],
    gauges: {
      'buffer-total-bytes': () => 1000,
      'buffer-available-bytes': () => 400,
      'waiting-threads': () => 3,
      'requests-in-flight': () => 2,
      'metadata-age': () => 7,
    },
    ...overrides,
  })
}

const topics = new Map<string, { name: string }>()

export function batchOf(overrides: Partial<ObservedBatch> & { topic?: string } = {}): ObservedBatch {
  const { topic: name = 'orders', ...rest } = overrides
  let topic = topics.get(name)
  if (topic === undefined) {
    topic = { name }
    topics.set(name, topic)
  }
  return {
    partition: { index: 0, leaderId: 1, topic },
    createdMs: 0,
    recordCount: 10,
    bytes: 561,
    uncompressedBytes: 1061,
    largestRecordBytes: 120,
    attempts: 0,
    ...rest,
  }
}

/** The value of a metric; undefined if it is not registered. */
export function metricValue(
  telemetry: Telemetry,
  name: string,
  group = 'producer-metrics',
  tags: Readonly<Record<string, string>> = {},
): number | string | undefined {
  return telemetry
    .metrics()
    .find(
      metric =>
        metric.name === name &&
        metric.group === group &&
        Object.entries(tags).every(([tag, value]) => metric.tags[tag] === value),
    )?.value
}
