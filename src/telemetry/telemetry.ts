import type { Clock } from '../common/clock.js'
import type { Logger } from '../common/logger.js'
import type {
  ObservedBatch,
  ObservedNode,
  ObservedRequest,
  ObservedSend,
  ObservedTransactionCall,
  Observer,
} from '../common/observer.js'
import type { KafkaError } from '../errors/index.js'
import { Diagnostics, type SendContext } from './diagnostics.js'
import type { Metric } from './metrics/metric.js'
import { MetricsRecorder, type PartGauges } from './metrics/recorder.js'
import { MetricsRegistry } from './metrics/registry.js'
import type { MetricsReporter } from './metrics/reporter.js'
import type { Windows } from './metrics/sampled-stat.js'
import { SlowRetries } from './slow-retries.js'

export interface TelemetryOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly clientId: string
  readonly windows: Windows
  readonly reporters: readonly MetricsReporter[]
  /** What the metrics ask of the parts of the producer when they are read. */
  readonly gauges: PartGauges
}

/** Everything that watches one producer: metrics, diagnostics channels, and what is said of slow retries. */
export class Telemetry implements Observer {
  readonly clientId: string
  readonly recorder: MetricsRecorder
  readonly registry: MetricsRegistry
  /** A broker can be asked for the first time, or again. Set by the owner. */
  onBrokerReady: () => void = () => {}
  private readonly clock: Clock
  private readonly diagnostics: Diagnostics
  private readonly slowRetries: SlowRetries

  constructor(options: TelemetryOptions) {
    const { clock, logger, clientId, windows, reporters, gauges } = options
    this.clientId = clientId
    this.clock = clock
    this.registry = new MetricsRegistry(clock, logger, clientId, reporters)
    this.recorder = new MetricsRecorder(this.registry, clock, clientId, windows, gauges)
    this.diagnostics = new Diagnostics(clientId)
    this.slowRetries = new SlowRetries(logger)
    this.registry.startReporters()
  }

  /** Every metric with its present value. */
  metrics(): readonly Metric[] {
    this.recorder.settle()
    return this.registry.metrics()
  }

  /** The metrics go away. */
  close(): void {
    this.registry.close()
  }

  get watchesSends(): boolean {
    return this.diagnostics.watchesSends
  }

  sendBegan(call: ObservedSend, input: unknown): SendContext {
    return this.diagnostics.sendBegan(call, input)
  }

  sendReturned(context: unknown): void {
    this.diagnostics.sendReturned(context as SendContext)
  }

  sendEnded(context: unknown, error: Error | null, result: unknown): void {
    this.diagnostics.sendEnded(context as SendContext, error, result)
  }

  recordsRefused(_topic: string, count: number, error: KafkaError): void {
    this.recorder.recordsRefused(count, error)
  }

  memoryWaitBegan(): void {}

  memoryWaited(durationMs: number, _isOver: boolean): void {
    this.recorder.memoryWaited(durationMs)
  }

  metadataWaited(_topic: string, durationMs: number): void {
    this.recorder.metadataWaited(durationMs)
  }

  batchOpened(_batch: ObservedBatch): void {}

  batchesSent(batches: readonly ObservedBatch[], nodeId: number): void {
    this.recorder.batchesSent(batches)
    this.diagnostics.batchesSent(batches, nodeId)
  }

  batchAcknowledged(batch: ObservedBatch, _nodeId: number): void {
    this.recorder.batchAcknowledged(batch)
    this.slowRetries.acknowledged(batch, this.recorder.preciseMs)
  }

  batchRetried(batch: ObservedBatch, nodeId: number, error: KafkaError, delayMs: number): void {
    this.recorder.batchRetried(batch)
    this.diagnostics.batchRetried(batch, nodeId, error, delayMs)
    this.slowRetries.retried(batch, error, this.clock.now())
  }

  batchSplit(_batch: ObservedBatch, _nodeId: number, _parts: number): void {
    this.recorder.batchSplit()
  }

  batchFailed(batch: ObservedBatch, error: KafkaError): void {
    this.recorder.batchFailed(batch, error)
    this.slowRetries.failed(batch)
  }

  batchExpired(batch: ObservedBatch, error: KafkaError): void {
    this.batchFailed(batch, error)
  }

  batchAborted(batch: ObservedBatch, error: KafkaError): void {
    this.recorder.batchAborted(batch, error)
    this.slowRetries.failed(batch)
  }

  connectBegan(node: ObservedNode): void {
    this.recorder.connectBegan(node)
    this.diagnostics.connectBegan(node)
  }

  connectFailed(node: ObservedNode, error: KafkaError): void {
    this.diagnostics.connectEnded(node, error)
  }

  connectionOpened(_node: ObservedNode): void {
    this.recorder.connectionOpened()
  }

  authenticated(_node: ObservedNode, durationMs: number, isRenewal: boolean): void {
    this.recorder.authenticated(durationMs, isRenewal)
  }

  authenticationFailed(_node: ObservedNode, _error: KafkaError, isRenewal: boolean): void {
    this.recorder.authenticationFailed(isRenewal)
  }

  connectionReady(node: ObservedNode): void {
    this.diagnostics.connectEnded(node, null)
    this.onBrokerReady()
  }

  connectionClosed(_node: ObservedNode, _error: KafkaError | null): void {
    this.recorder.connectionClosed()
  }

  bytesReceived(node: ObservedNode, bytes: number, nowMs: number): void {
    this.recorder.bytesReceived(node, bytes, nowMs)
  }

  requestSent(node: ObservedNode, request: ObservedRequest, bytes: number, nowMs: number): void {
    this.recorder.requestSent(node, bytes, nowMs)
    this.diagnostics.requestSent(node, request, bytes)
  }

  requestAnswered(
    node: ObservedNode,
    request: ObservedRequest,
    latencyMs: number,
    error: KafkaError | null,
  ): void {
    if (error === null) this.recorder.requestAnswered(node, request, latencyMs)
    this.diagnostics.requestAnswered(request, latencyMs, error)
  }

  throttled(nodeId: number, throttleMs: number): void {
    this.recorder.throttled(throttleMs)
    if (throttleMs > 0) this.diagnostics.throttled(nodeId, throttleMs)
  }

  metadataUpdated(topicCount: number, nodeCount: number, isFull: boolean): void {
    this.diagnostics.metadataUpdated(topicCount, nodeCount, isFull, null)
  }

  metadataFailed(error: KafkaError): void {
    this.diagnostics.metadataUpdated(0, 0, false, error)
  }

  flushed(durationMs: number): void {
    this.recorder.flushed(durationMs)
  }

  transactionCallBegan(call: ObservedTransactionCall): void {
    this.diagnostics.transactionCallBegan(call)
  }

  transactionCallEnded(call: ObservedTransactionCall, durationMs: number, error: KafkaError | null): void {
    if (error === null) this.recorder.transactionCallEnded(call, durationMs)
    this.diagnostics.transactionCallEnded(call, error)
  }

  loopTurn(nowMs: number): void {
    this.recorder.loopTurn(nowMs)
  }
}
