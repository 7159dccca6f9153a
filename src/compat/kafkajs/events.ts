import { EventEmitter } from 'node:events'
import type { RequestReport } from '../../index.js'
import { KafkaJSNonRetriableError } from './errors.js'
import { producerEvents } from './producer-events.js'
import type { InstrumentationEvent, Logger } from './types.js'

type EventName = (typeof producerEvents)[keyof typeof producerEvents]

const NAMES: readonly string[] = Object.values(producerEvents)
const SHOWN_NAMES = Object.keys(producerEvents)
  .map(key => `producer.events.${key}`)
  .join(', ')

/** Names that KafkaJS has not followed. */
const OLD_API_NAMES: ReadonlyMap<string, string> = new Map([['FindCoordinator', 'GroupCoordinator']])

/** Ids rise over all events of the process. */
let nextId = 0

/**
 * The events of one producer. Listeners get `{ id, type, timestamp, payload }`; what they throw is logged.
 */
export class ProducerInstrumentation {
  private readonly emitter = new EventEmitter()
  private readonly logger: Logger

  constructor(logger: Logger) {
    this.logger = logger
  }

  /** @throws KafkaJSNonRetriableError for a name that no event has */
  on(name: string, listener: (event: InstrumentationEvent<unknown>) => unknown): () => void {
    if (!NAMES.includes(name)) {
      throw new KafkaJSNonRetriableError(`Event name should be one of ${SHOWN_NAMES}`)
    }
    const heard = (event: InstrumentationEvent<unknown>) => {
      const failed = (e: Error) =>
        this.logger.error(`Failed to execute listener: ${e.message}`, { eventName: name, stack: e.stack })
      try {
        Promise.resolve(listener(event)).catch(failed)
      } catch (e) {
        failed(e as Error)
      }
    }
    this.emitter.addListener(name, heard)
    return () => {
      this.emitter.removeListener(name, heard)
    }
  }

  emit(name: EventName, payload?: unknown): void {
    if (this.emitter.listenerCount(name) === 0) return
    this.emitter.emit(name, { id: nextId++, type: name, timestamp: Date.now(), payload })
  }

  /**
   * A request to a broker has ended. millrace sends requests as it makes them, so none of them was pending.
   */
  request(report: RequestReport): void {
    const name = report.timedOut ? producerEvents.REQUEST_TIMEOUT : producerEvents.REQUEST
    if (this.emitter.listenerCount(name) === 0) return
    const { broker, clientId, correlationId, apiName, apiKey, apiVersion } = report
    const sentAt = Math.round(report.sentAtMs)
    const times = { createdAt: sentAt, sentAt, pendingDuration: 0 }
    const ended = { size: report.responseBytes, duration: Math.round(report.durationMs) }
    this.emit(name, {
      broker,
      clientId,
      correlationId,
      ...(report.timedOut ? {} : { size: ended.size }),
      ...times,
      ...(report.timedOut ? {} : { duration: ended.duration }),
      apiName: OLD_API_NAMES.get(apiName) ?? apiName,
      apiKey,
      apiVersion,
    })
  }
}
