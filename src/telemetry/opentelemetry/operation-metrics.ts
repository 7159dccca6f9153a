import type { Attributes, Histogram, Meter } from '@opentelemetry/api'
import { TOPIC_GROUP } from '../metrics/definitions.js'
import type { MetricsSource } from '../source.js'
import { attributesOf, type Conventions, errorTypeOf } from './attributes.js'

/** Bounds that the conventions give for the duration, in seconds. */
const DURATION_BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** Operations measured by the conventions for messaging clients. */
export class OperationMetrics {
  private readonly duration: Histogram
  private readonly conventions: Conventions
  private readonly clientId: string | undefined
  /** Attributes of operations that succeed, by topic: the same object each time. */
  private readonly succeeded = new Map<string, Attributes>()

  constructor(meter: Meter, producer: MetricsSource, conventions: Conventions, clientId: string | undefined) {
    this.conventions = conventions
    this.clientId = clientId
    this.duration = meter.createHistogram('messaging.client.operation.duration', {
      unit: 's',
      description: 'Duration of messaging operations, from the call to their outcome.',
      advice: { explicitBucketBoundaries: DURATION_BOUNDS_S },
    })
    // Attempts, not calls: Java's count of records sent, which is taken per batch, is that number.
    meter
      .createObservableCounter('messaging.client.sent.messages', {
        unit: '{message}',
        description: 'Messages that were attempted to be sent to a broker.',
      })
      .addCallback(result => {
        for (const { group, name, tags, value } of producer.metrics()) {
          if (group !== TOPIC_GROUP || name !== 'record-send-total') continue
          result.observe(value as number, this.attributes('send', tags.topic, undefined))
        }
      })
  }

  /** Null for success. */
  ended(operation: string, topic: string | undefined, durationMs: number, error: unknown): void {
    this.duration.record(durationMs / 1000, this.attributesFor(operation, topic, error))
  }

  private attributesFor(operation: string, topic: string | undefined, error: unknown): Attributes {
    if (error !== null) return this.attributes(operation, topic, errorTypeOf(error))
    const key = `${operation} ${topic ?? ''}`
    let attributes = this.succeeded.get(key)
    if (attributes === undefined) {
      attributes = this.attributes(operation, topic, undefined)
      this.succeeded.set(key, attributes)
    }
    return attributes
  }

  private attributes(operationName: string, topic: string | undefined, errorType: string | undefined) {
    const { clientId } = this
    return attributesOf(this.conventions, { system: 'kafka', operationName, topic, clientId, errorType })
  }
}
