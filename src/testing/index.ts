/**
 * `millrace/testing`: a Kafka cluster inside the process, for development and tests. It speaks the real
 * protocol on loopback, keeps records in memory, checks every batch with a decoder of its own, and does wrong
 * on request. And a producer without any cluster, for unit tests.
 */

export type { ApiName } from './api-names.js'
export { type PartitionDescription, startBroker, TestBroker } from './broker.js'
export type { NewTopic } from './cluster.js'
export type { SeenRequest } from './connection.js'
export type { BrokerCounters } from './counters.js'
export type { CutOptions } from './faults/cut.js'
export type { DelayOptions } from './faults/delay.js'
export type { FailOptions } from './faults/fail.js'
export type { HoldOptions } from './faults/hold.js'
export type { ReplyMutator } from './faults/mutate.js'
export type { SwallowOptions } from './faults/swallow.js'
export type { CommittedOffset } from './group-offsets.js'
export { MockProducer, type MockProducerOptions } from './mock-producer.js'
export type { OffsetsByGroup } from './mock-transactions.js'
export type { BrokerOptions, Endpoint } from './options.js'
export type { IsolationLevel } from './partition-log.js'
export type { BrokerRecord } from './record-batch.js'
export type { SaslAnswer, SaslServerOptions } from './sasl.js'
export type { TelemetryPush, TelemetrySubscription } from './telemetry-store.js'
export type { TopicConfig } from './topic.js'
export type { TransactionState } from './transaction-coordinator.js'
