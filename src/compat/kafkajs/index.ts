/**
 * KafkaJS 2.2.4 by its names: change `from 'kafkajs'` to `from 'millrace/kafkajs'`. Producers are millrace's.
 * `docs/migrating-from-kafkajs.md` says what is different.
 */
import { CompressionCodecs } from './compression.js'
import * as enums from './enums.js'
import * as errors from './errors.js'
import { AssignerProtocol, PartitionAssigners } from './installed-kafkajs.js'
import { Kafka } from './kafka.js'
import { Partitioners } from './partitioners.js'

export { CompressionCodecs } from './compression.js'
export * from './enums.js'
export * from './errors.js'
export { AssignerProtocol, PartitionAssigners } from './installed-kafkajs.js'
export { Kafka } from './kafka.js'
export { Partitioners } from './partitioners.js'
export type * from './types.js'
export type * from './types-admin.js'
export type * from './types-consumer.js'

/** All names in one object that may be written to, as `require('kafkajs')` gives it. */
export default {
  Kafka,
  PartitionAssigners,
  AssignerProtocol,
  Partitioners,
  ...enums,
  CompressionCodecs,
  ...errors,
}
