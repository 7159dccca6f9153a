import { Global, Inject, Logger, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common'
import { type KafkaError, type KafkaProducer, Producer } from 'millrace'

/** What services inject: `@Inject(KAFKA_PRODUCER) producer: KafkaProducer`. Tests provide a `MockProducer`. */
export const KAFKA_PRODUCER = Symbol('KAFKA_PRODUCER')

const CLOSE_TIMEOUT_MS = 5000

const logger = new Logger('Kafka')

function createProducer(): Producer {
  return new Producer({
    bootstrapServers: process.env.KAFKA_BROKERS ?? 'localhost:9092',
    clientId: 'nestjs',
    lingerMs: 0,
    requestTimeoutMs: 8000,
    deliveryTimeoutMs: 25_000,
    maxBlockMs: 5000,
    // Nest's logger takes a context after the message, where ours gives fields.
    logger: {
      debug: message => logger.debug(message),
      info: message => logger.log(message),
      warn: message => logger.warn(message),
      error: message => logger.error(message),
    },
  })
}

@Global()
@Module({
  providers: [{ provide: KAFKA_PRODUCER, useFactory: createProducer }],
  exports: [KAFKA_PRODUCER],
})
export class KafkaModule implements OnModuleInit, OnApplicationShutdown {
  constructor(@Inject(KAFKA_PRODUCER) private readonly producer: KafkaProducer) {}

  /** Begins to connect and does not wait: the application starts, and is not ready, while no broker is there. */
  onModuleInit(): void {
    this.producer.connect().catch((error: KafkaError) => logger.error(error.message))
  }

  /** Nest calls it when the HTTP server is closed, so nothing is sent any more. */
  async onApplicationShutdown(): Promise<void> {
    await this.producer.close({ timeoutMs: CLOSE_TIMEOUT_MS })
  }
}
