import type { Clock } from '../common/clock.js'
import type { Logger } from '../common/logger.js'
import type { RequestListener } from '../common/network-hooks.js'
import type { OutgoingRequest } from './outgoing-request.js'

/** What a report needs to know of a request. */
interface ReportedRequest {
  readonly request: OutgoingRequest
  readonly correlationId: number
  /** Clock time. */
  readonly sentAt: number
}

interface RequestReportsOptions {
  listener: RequestListener
  /** `host:port`. */
  broker: string
  clientId: string
  clock: Clock
  logger: Logger
}

/** Tells the application's listener of the requests of one connection. */
export class RequestReports {
  private readonly options: RequestReportsOptions

  constructor(options: RequestReportsOptions) {
    this.options = options
  }

  ended({ request, correlationId, sentAt }: ReportedRequest, responseBytes: number, timedOut = false): void {
    const { listener, broker, clientId, clock, logger } = this.options
    const durationMs = Math.max(0, clock.now() - sentAt)
    try {
      listener({
        broker,
        clientId,
        apiKey: request.api.key,
        apiName: request.api.name,
        apiVersion: request.version,
        correlationId,
        sentAtMs: Date.now() - durationMs,
        durationMs,
        responseBytes,
        timedOut,
      })
    } catch (error) {
      logger.error('the requestListener threw', { error })
    }
  }
}
