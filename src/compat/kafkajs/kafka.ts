import { logLevel as levels } from './enums.js'
import { IS_MILLRACE, installedKafkaJS } from './installed-kafkajs.js'
import { consoleLogCreator, createLogger } from './loggers.js'
import { createProducer } from './producer.js'
import type { KafkaConfig, Logger, Producer, ProducerConfig } from './types.js'
import type { Admin, AdminConfig } from './types-admin.js'
import type { Consumer, ConsumerConfig } from './types-consumer.js'

/** KafkaJS's client. Producers are millrace's; consumers and admin clients those of an installed kafkajs. */
export class Kafka {
  static readonly [IS_MILLRACE] = true
  readonly #config: KafkaConfig
  readonly #logger: Logger
  #installed: { consumer(config?: ConsumerConfig): Consumer; admin(config?: AdminConfig): Admin } | null =
    null

  constructor(config: KafkaConfig) {
    const { logLevel = levels.INFO, logCreator = consoleLogCreator } = config
    this.#config = config
    this.#logger = createLogger(logLevel, logCreator)
  }

  producer(config: ProducerConfig = {}): Producer {
    return createProducer(this.#config, config, this.#logger)
  }

  /** @throws KafkaJSNotImplemented if there is no kafkajs to do it */
  consumer(config: ConsumerConfig): Consumer {
    return this.#installedClient('consumer()').consumer(config)
  }

  /** @throws KafkaJSNotImplemented if there is no kafkajs to do it */
  admin(config?: AdminConfig): Admin {
    return this.#installedClient('admin()').admin(config)
  }

  logger(): Logger {
    return this.#logger
  }

  #installedClient(purpose: string) {
    if (this.#installed === null) {
      const module = installedKafkaJS(`Kafka.${purpose}`)
      this.#installed = new module.Kafka(this.#config)
    }
    return this.#installed
  }
}
