import type { Logger } from '../common/logger.js'
import type { ProducerInterceptor } from '../config/index.js'
import type { KafkaError } from '../errors/index.js'
import type { RecordMetadata } from './record-metadata.js'
import type { DeliveryReport } from './send/delivery-report.js'
import type { ProducerRecord } from './types.js'

/** The chain of `interceptor.classes`. What one of them throws is logged and changes nothing. */
export class Interceptors {
  private readonly chain: readonly ProducerInterceptor<unknown, unknown>[]
  private readonly logger: Logger

  constructor(chain: readonly ProducerInterceptor<unknown, unknown>[], logger: Logger) {
    this.chain = chain
    this.logger = logger
  }

  /** What one interceptor returns is what the next one sees; one that throws is passed over. */
  onSend<Record extends ProducerRecord<unknown, unknown>>(record: Record): Record {
    let current = record
    for (const interceptor of this.chain) {
      try {
        const next = interceptor.onSend?.(current as never)
        if (next !== undefined && next !== null) current = next as Record
      } catch (error) {
        this.logger.warn('An interceptor threw in onSend; the record goes on as it was', { error })
      }
    }
    return current
  }

  /** All outcomes of a `sendMany`, in input order. */
  onReport(report: DeliveryReport, errors: ReadonlyMap<number, KafkaError>): void {
    let ordinal = 0
    for (const metadata of report) this.onAcknowledgement(metadata, errors.get(ordinal++) ?? null)
  }

  onAcknowledgement(metadata: RecordMetadata, error: KafkaError | null): void {
    for (const interceptor of this.chain) {
      try {
        interceptor.onAcknowledgement?.(metadata, error)
      } catch (thrown) {
        this.logger.warn('An interceptor threw in onAcknowledgement', { error: thrown })
      }
    }
  }
}
