import type { Logger } from '../common/logger.js'
import type { ProducerConfig, ProducerInterceptor } from '../config/index.js'
import type { KafkaError } from '../errors/index.js'
import type { Headers } from '../serialization/index.js'
import type { RecordReader } from './record/record-reader.js'
import type { RecordMetadata } from './record-metadata.js'
import type { DeliveryReport } from './send/delivery-report.js'
import type { ProducerRecord } from './types.js'

/** What is told of a record that has none. */
export const NO_HEADERS: Headers = Object.freeze([])

/** The chain of `interceptor.classes`. What one of them throws is logged and changes nothing. */
export class Interceptors {
  private readonly chain: readonly ProducerInterceptor<unknown, unknown>[]
  private readonly logger: Logger
  private readonly reader: RecordReader

  constructor({ interceptors, logger }: ProducerConfig, reader: RecordReader) {
    this.chain = interceptors
    this.logger = logger
    this.reader = reader
  }

  /** Whether serializers may add to the headers that interceptors have made. */
  get mayAddHeaders(): boolean {
    return this.reader.addsHeaders
  }

  /** As {@link RecordReader.keepHeaders}. */
  keepHeaders(headers: Headers, topic: string): Headers {
    return this.reader.keepHeaders(headers, topic)
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

  /** All outcomes of a `sendMany`, in input order, as are the headers. */
  onReport(
    report: DeliveryReport,
    errors: ReadonlyMap<number, KafkaError>,
    headers: readonly Headers[],
  ): void {
    let ordinal = 0
    for (const metadata of report) {
      this.onAcknowledgement(metadata, errors.get(ordinal) ?? null, headers[ordinal] ?? NO_HEADERS)
      ordinal++
    }
  }

  onAcknowledgement(metadata: RecordMetadata, error: KafkaError | null, headers: Headers): void {
    for (const interceptor of this.chain) {
      try {
        interceptor.onAcknowledgement?.(metadata, error, headers)
      } catch (thrown) {
        this.logger.warn('An interceptor threw in onAcknowledgement', { error: thrown })
      }
    }
  }
}
