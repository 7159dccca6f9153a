import { Fifo } from '../common/fifo.js'
import { ProtocolError } from '../errors/index.js'
import type { OutgoingRequest } from './outgoing-request.js'

/** Requests without an answer that are remembered, in case that a server answers them. */
const SILENT_MAX = 10_000

/** A request from the moment it is handed to the socket. */
export interface InFlightRequest {
  readonly request: OutgoingRequest
  readonly correlationId: number
  readonly sentAt: number
  /** When the response is overdue; moved by the time the broker asked to be left alone. */
  deadline: number
}

/**
 * The requests of one connection that wait for their response. A broker answers in the order it was asked.
 */
export class InFlightRequests {
  private readonly queue = new Fifo<InFlightRequest>()
  /** Correlation ids of the latest requests that have no answer. */
  private readonly silent = new Fifo<number>()

  get length(): number {
    return this.queue.length
  }

  push(entry: InFlightRequest): void {
    this.queue.push(entry)
  }

  /** A request that no broker has to answer (Produce with acks 0). */
  pushSilent(correlationId: number): void {
    this.silent.push(correlationId)
    if (this.silent.length > SILENT_MAX) this.silent.shift()
  }

  /** Whether a response is to a request that has none: some servers answer all the same. */
  isToSilent(correlationId: number): boolean {
    if (this.silent.length === 0) return false
    // Answers come in the order of the requests, so older ones will have none.
    for (let id = this.silent.peek(); id !== undefined && id <= correlationId; id = this.silent.peek()) {
      this.silent.shift()
      if (id === correlationId) return true
    }
    return false
  }

  /** The request this response belongs to: the oldest, or the peer is not to be trusted. */
  complete(correlationId: number): InFlightRequest {
    const oldest = this.queue.peek()
    if (oldest === undefined) {
      throw new ProtocolError(`The broker sent a response (correlation id ${correlationId}) to no request`)
    }
    if (oldest.correlationId !== correlationId) {
      throw new ProtocolError(
        `The broker answered with correlation id ${correlationId}, expected was ${oldest.correlationId} ` +
          `(${oldest.request.api.name})`,
      )
    }
    this.queue.shift()
    return oldest
  }

  /** Time in which the broker had asked for quiet does not count towards the time-out. */
  postpone(ms: number): void {
    for (const entry of this.queue) entry.deadline += ms
  }

  earliestDeadline(): number {
    let earliest = Infinity
    for (const entry of this.queue) earliest = Math.min(earliest, entry.deadline)
    return earliest
  }

  drain(): InFlightRequest[] {
    return this.queue.drain()
  }
}
