import type { Clock } from '../../common/clock.js'
import type {
  ObservedBatch,
  ObservedNode,
  ObservedRequest,
  ObservedTransactionCall,
} from '../../common/observer.js'
import type { KafkaError } from '../../errors/index.js'
import { Produce } from '../../protocol/produce.js'
import {
  NODE_GROUP,
  nodeSensors,
  PRODUCER_GROUP,
  producerSensors,
  TOPIC_GROUP,
  topicSensors,
} from './definitions.js'
import { BATCH_BYTES_BOUNDS, Histogram, LATENCY_BOUNDS_S } from './histogram.js'
import { type LoopTime, loopTime } from './loop-time.js'
import type { Gauges, MetricsRegistry } from './registry.js'
import type { Windows } from './sampled-stat.js'
import { SensorSet } from './sensor-set.js'

/** Bytes of a record batch before its records (format v2). */
const BATCH_HEADER_BYTES = 61
const NS_PER_MS = 1_000_000
const MS_PER_SECOND = 1000
/** The loop's times are asked for no more often than this, and when metrics are read. */
const LOOP_TIME_EVERY_MS = 1000

type ProducerSet = SensorSet<keyof typeof producerSensors>
type NodeSet = SensorSet<keyof typeof nodeSensors>
type TopicSet = SensorSet<keyof typeof topicSensors, 'retries' | 'errors'>

const CALL_SENSORS = {
  initTransactions: 'txnInit',
  beginTransaction: 'txnBegin',
  sendOffsetsToTransaction: 'txnSendOffsets',
  commitTransaction: 'txnCommit',
  abortTransaction: 'txnAbort',
} as const satisfies Record<ObservedTransactionCall, keyof typeof producerSensors>

/** The sensors of a topic, and how many of its records were stored. */
interface TopicMetrics {
  readonly set: TopicSet
  acknowledged: number
}

/** Gauges of the parts of a producer; `connection-count` is counted here. */
export type PartGauges = Omit<Gauges, 'connection-count'>

/**
 * Records what an observer sees into the sensors of a registry, as Java does at the same moments.
 *
 * The time of an event is that of the turn or of the bytes that it belongs to: the clock is read once for all
 * events of a turn.
 */
export class MetricsRecorder {
  /** Records by the code of the error that failed them. */
  readonly failures = new Map<string, number>()
  /** Seconds from the first record of a batch to its acknowledgement, once for each of its records. */
  readonly deliveryLatency = new Histogram(LATENCY_BOUNDS_S)
  /** Seconds from a Produce request to its answer. */
  readonly requestLatency = new Histogram(LATENCY_BOUNDS_S)
  readonly batchBytes = new Histogram(BATCH_BYTES_BOUNDS)
  private readonly clock: Clock
  private readonly registry: MetricsRegistry
  private readonly clientId: string
  private readonly windows: Windows
  private readonly producer: ProducerSet
  private readonly nodes = new Map<number, NodeSet>()
  private lastNodeId = Number.NaN
  private lastNode: NodeSet | null = null
  private readonly byTopic = new Map<string, TopicMetrics>()
  private lastTopic: ObservedBatch['partition']['topic'] | null = null
  private lastTopicMetrics: TopicMetrics | null = null
  private connections = 0
  /** Clock time, and whole milliseconds of it, of the event that is recorded. */
  preciseMs: number
  private nowMs: number
  private turns = 0
  private loopTimeAtMs: number
  private loopTimeBefore: LoopTime = loopTime()

  constructor(
    registry: MetricsRegistry,
    clock: Clock,
    clientId: string,
    windows: Windows,
    gauges: PartGauges,
  ) {
    this.registry = registry
    this.clock = clock
    this.clientId = clientId
    this.windows = windows
    this.preciseMs = clock.now()
    this.nowMs = Math.floor(this.preciseMs)
    this.loopTimeAtMs = this.nowMs
    const tags = { 'client-id': clientId }
    this.producer = new SensorSet({
      ...{ group: PRODUCER_GROUP, tags, rows: producerSensors, windows },
      sinceMs: clock.wallNow(),
    })
    registry.add(this.producer)
    registry.addGauges({ ...gauges, 'connection-count': () => this.connections })
  }

  get topics(): Iterable<TopicMetrics> {
    return this.byTopic.values()
  }

  // ---- records and batches ----

  recordsRefused(count: number, error: KafkaError): void {
    const nowMs = this.readClock()
    const { errors, bufferExhausted } = this.producer.sensors
    errors.record(count, nowMs)
    if (error.code === 'BUFFER_EXHAUSTED') bufferExhausted.record(count, nowMs)
    this.countFailures(count, error)
  }

  memoryWaited(durationMs: number): void {
    this.producer.sensors.bufferWait.record(durationMs * NS_PER_MS, this.readClock())
  }

  metadataWaited(durationMs: number): void {
    this.producer.sensors.metadataWait.record(durationMs * NS_PER_MS, this.readClock())
  }

  batchesSent(batches: readonly ObservedBatch[]): void {
    let records = 0
    for (let first = 0; first < batches.length; ) {
      const end = endOfTopic(batches, first)
      records += this.topicSent(batches, first, end)
      first = end
    }
    this.producer.sensors.recordsPerRequest.record(records, this.nowMs)
  }

  /** The batches of one topic in a request, told to each sensor together; how many records they hold. */
  private topicSent(batches: readonly ObservedBatch[], first: number, end: number): number {
    const { nowMs, preciseMs, batchBytes } = this
    let records = 0
    let mostRecords = 0
    let bytes = 0
    let mostBytes = 0
    let largest = 0
    let largestOfAll = 0
    let ratios = 0
    let worstRatio = 0
    let queuedMs = 0
    let longestMs = 0
    for (let at = first; at < end; at++) {
      const batch = batches[at] as ObservedBatch
      const ratio = ratioOf(batch.bytes, batch.uncompressedBytes)
      const inQueueMs = Math.max(0, Math.floor(preciseMs - batch.createdMs))
      records += batch.recordCount
      bytes += batch.bytes
      largest += batch.largestRecordBytes
      ratios += ratio
      queuedMs += inQueueMs
      if (batch.recordCount > mostRecords) mostRecords = batch.recordCount
      if (batch.bytes > mostBytes) mostBytes = batch.bytes
      if (batch.largestRecordBytes > largestOfAll) largestOfAll = batch.largestRecordBytes
      if (ratio > worstRatio) worstRatio = ratio
      if (inQueueMs > longestMs) longestMs = inQueueMs
      batchBytes.record(batch.bytes, 1)
    }
    const count = end - first
    const { batchSize, compression, queueTime, largestRecord } = this.producer.sensors
    batchSize.recordAll(count, bytes, mostBytes, nowMs)
    compression.recordAll(count, ratios, worstRatio, nowMs)
    queueTime.recordAll(count, queuedMs, longestMs, nowMs)
    largestRecord.recordAll(count, largest, largestOfAll, nowMs)
    const topic = this.topicOf(batches[first] as ObservedBatch).set.sensors
    topic.records.recordAll(count, records, mostRecords, nowMs)
    topic.bytes.recordAll(count, bytes, mostBytes, nowMs)
    topic.compression.recordAll(count, ratios, worstRatio, nowMs)
    return records
  }

  batchAcknowledged(batch: ObservedBatch): void {
    const { recordCount } = batch
    this.topicOf(batch).acknowledged += recordCount
    this.deliveryLatency.record(Math.max(0, this.preciseMs - batch.createdMs) / MS_PER_SECOND, recordCount)
  }

  batchRetried({ recordCount, partition }: ObservedBatch): void {
    const nowMs = this.readClock()
    this.producer.sensors.retries.record(recordCount, nowMs)
    this.byTopic.get(partition.topic.name)?.set.get('retries').record(recordCount, nowMs)
  }

  batchSplit(): void {
    this.producer.sensors.splits.record(1, this.readClock())
  }

  /** By an answer or by its time-out. */
  batchFailed(batch: ObservedBatch, error: KafkaError): void {
    const nowMs = this.readClock()
    const { recordCount, partition } = batch
    this.producer.sensors.errors.record(recordCount, nowMs)
    this.byTopic.get(partition.topic.name)?.set.get('errors').record(recordCount, nowMs)
    this.countFailures(recordCount, error)
  }

  /** Java counts what is given up with others as no error of the records. */
  batchAborted({ recordCount }: ObservedBatch, error: KafkaError): void {
    this.countFailures(recordCount, error)
  }

  // ---- connections and requests ----

  connectBegan(node: ObservedNode): void {
    this.connections++
    this.nodeOf(node.id)
  }

  connectionOpened(): void {
    this.producer.sensors.connectionsCreated.record(1, this.readClock())
  }

  authenticated(durationMs: number, isRenewal: boolean): void {
    const nowMs = this.readClock()
    const { sensors } = this.producer
    if (isRenewal) {
      sensors.reauthenticated.record(1, nowMs)
      sensors.reauthenticationLatency.record(Math.floor(durationMs), nowMs)
    } else {
      sensors.authenticated.record(1, nowMs)
      sensors.authenticatedNoReauth.record(1, nowMs)
    }
  }

  authenticationFailed(isRenewal: boolean): void {
    const { authenticationFailed, reauthenticationFailed } = this.producer.sensors
    const sensor = isRenewal ? reauthenticationFailed : authenticationFailed
    sensor.record(1, this.readClock())
  }

  connectionClosed(): void {
    this.connections--
    this.producer.sensors.connectionsClosed.record(1, this.readClock())
  }

  bytesReceived(node: ObservedNode, bytes: number, clockMs: number): void {
    this.preciseMs = clockMs
    const nowMs = Math.floor(clockMs)
    this.nowMs = nowMs
    const { incomingBytes, networkIo } = this.producer.sensors
    incomingBytes.record(bytes, nowMs)
    networkIo.record(1, nowMs)
    this.nodeOf(node.id).sensors.incomingBytes.record(bytes, nowMs)
  }

  requestSent(node: ObservedNode, bytes: number, clockMs: number): void {
    this.preciseMs = clockMs
    const nowMs = Math.floor(clockMs)
    this.nowMs = nowMs
    const { requests, networkIo } = this.producer.sensors
    requests.record(bytes, nowMs)
    networkIo.record(1, nowMs)
    this.nodeOf(node.id).sensors.requests.record(bytes, nowMs)
  }

  /** An answer has come. */
  requestAnswered(node: ObservedNode, request: ObservedRequest, latencyMs: number): void {
    const { nowMs } = this
    const { sensors } = this.nodeOf(node.id)
    this.producer.sensors.responses.record(1, nowMs)
    sensors.responses.record(1, nowMs)
    if (request.api.key !== Produce.key) return
    const wholeMs = Math.floor(latencyMs)
    this.producer.sensors.requestLatency.record(wholeMs, nowMs)
    sensors.latency.record(wholeMs, nowMs)
    this.requestLatency.record(latencyMs / MS_PER_SECOND, 1)
  }

  throttled(throttleMs: number): void {
    this.producer.sensors.throttle.record(throttleMs, this.nowMs)
  }

  // ---- calls and turns ----

  flushed(durationMs: number): void {
    this.producer.sensors.flush.record(durationMs * NS_PER_MS, this.readClock())
  }

  /** A call has succeeded. */
  transactionCallEnded(call: ObservedTransactionCall, durationMs: number): void {
    this.producer.sensors[CALL_SENSORS[call]].record(durationMs * NS_PER_MS, this.readClock())
  }

  loopTurn(clockMs: number): void {
    this.preciseMs = clockMs
    const nowMs = Math.floor(clockMs)
    this.nowMs = nowMs
    this.turns++
    if (nowMs - this.loopTimeAtMs >= LOOP_TIME_EVERY_MS) this.recordLoopTime()
  }

  /** Records what is recorded only now and then; before the metrics are read. */
  settle(): void {
    this.readClock()
    this.recordLoopTime()
  }

  private recordLoopTime(): void {
    const { turns, nowMs, loopTimeBefore } = this
    if (turns === 0) return
    const now = loopTime()
    const { polls, busy } = this.producer.sensors
    // Of single turns only the sum is known: their average counts as the longest.
    const idleNs = (now.idleMs - loopTimeBefore.idleMs) * NS_PER_MS
    const busyNs = (now.busyMs - loopTimeBefore.busyMs) * NS_PER_MS
    polls.recordAll(turns, idleNs, idleNs / turns, nowMs)
    busy.recordAll(turns, busyNs, busyNs / turns, nowMs)
    this.loopTimeBefore = now
    this.loopTimeAtMs = nowMs
    this.turns = 0
  }

  private readClock(): number {
    this.preciseMs = this.clock.now()
    this.nowMs = Math.floor(this.preciseMs)
    return this.nowMs
  }

  private countFailures(count: number, { code }: KafkaError): void {
    this.failures.set(code, (this.failures.get(code) ?? 0) + count)
  }

  private nodeOf(id: number): NodeSet {
    if (id === this.lastNodeId) return this.lastNode as NodeSet
    let node = this.nodes.get(id)
    if (node === undefined) {
      const tags = { 'client-id': this.clientId, 'node-id': `node-${id}` }
      node = new SensorSet({
        ...{ group: NODE_GROUP, tags, rows: nodeSensors, windows: this.windows },
        sinceMs: this.clock.wallNow(),
      })
      this.nodes.set(id, node)
      this.registry.add(node)
    }
    this.lastNodeId = id
    this.lastNode = node
    return node
  }

  /** Most batches of a turn have one topic. */
  private topicOf({ partition: { topic } }: ObservedBatch): TopicMetrics {
    if (topic === this.lastTopic) return this.lastTopicMetrics as TopicMetrics
    const { name } = topic
    let metrics = this.byTopic.get(name)
    if (metrics === undefined) {
      const tags = { 'client-id': this.clientId, topic: name }
      const set: TopicSet = new SensorSet({
        ...{ group: TOPIC_GROUP, tags, rows: topicSensors, windows: this.windows },
        sinceMs: this.clock.wallNow(),
        rare: ['retries', 'errors'],
      })
      metrics = { set, acknowledged: 0 }
      this.byTopic.set(name, metrics)
      this.registry.add(set)
    }
    this.lastTopic = topic
    this.lastTopicMetrics = metrics
    return metrics
  }
}

/** Where the batches of another topic than that at `first` begin. */
function endOfTopic(batches: readonly ObservedBatch[], first: number): number {
  const topic = batches[first]?.partition.topic
  let end = first + 1
  while (end < batches.length && batches[end]?.partition.topic === topic) end++
  return end
}

/** A batch's header is never compressed, and Java leaves it out of the ratio. */
function ratioOf(bytes: number, uncompressedBytes: number): number {
  if (bytes === uncompressedBytes || uncompressedBytes <= 0) return 1
  return (bytes - BATCH_HEADER_BYTES) / (uncompressedBytes - BATCH_HEADER_BYTES)
}
