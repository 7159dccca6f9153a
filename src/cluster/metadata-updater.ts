import type { Clock } from '../common/clock.js'
import type { ExponentialBackoff } from '../common/exponential-backoff.js'
import type { Logger } from '../common/logger.js'
import type { Observer } from '../common/observer.js'
import { KafkaError, NetworkError, ProtocolError, UnsupportedVersionError } from '../errors/index.js'
import { brokerError } from '../protocol/broker-error.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import { encodeRequest } from '../protocol/header.js'
import { Metadata, type MetadataRequest, type MetadataResponse } from '../protocol/metadata.js'
import { type Reader, TooManyElementsError } from '../protocol/reader.js'
import { ZERO_UUID } from '../protocol/uuid.js'
import { type ApiVersionTable, METADATA_VERSION_MIN } from './api-version-table.js'
import { DeadlineTimer } from './deadline-timer.js'
import type { MetadataCache } from './metadata-cache.js'
import type { NodeChoice } from './node-choice.js'
import type { NodeConnection } from './node-connection.js'
import { TrackedTopics } from './tracked-topics.js'

/** Topics that one request names at most. */
const TOPICS_PER_REQUEST_MAX = 500
/**
 * What a response of several topics may have: partitions, eight for each broker and topic, an eighth for each
 * replica; some 14,000 partitions. Each takes time up to the accumulator, so that more would block the event
 * loop for long. Where the topics asked for have more, fewer are asked for at a time.
 */
const ELEMENTS_MAX = 25_000
/** The same of a response of one topic, which cannot be divided: some 170,000 partitions with 3 replicas. */
const ELEMENTS_OF_ONE_TOPIC_MAX = 300_000

interface MetadataUpdaterOptions {
  cache: MetadataCache
  clientId: string
  clock: Clock
  logger: Logger
  observer: Observer
  backoff: ExponentialBackoff
  metadataMaxAgeMs: number
  metadataMaxIdleMs: number
  /** Longest time without an answer before going back to the bootstrap servers; Infinity: never go back. */
  rebootstrapTriggerMs: number
  /** Whether to go back to them at all (`metadata.recovery.strategy`). */
  rebootstraps: boolean
  /** When a topic was last in use, on the clock; Infinity while something of it is on its way. */
  lastUseOfTopicMs(name: string): number
  /** Whether brokers may create topics that are asked for. */
  allowAutoTopicCreation: boolean
  chooseNode(): NodeChoice
  /** Back to the bootstrap servers; `closing`: the known nodes are not to be used any more. */
  rebootstrap(closing: boolean): void
  onUpdate(): void
  onOtherCluster(clusterId: string): void
  onFailure(error: KafkaError): void
}

interface PendingUpdate {
  readonly node: NodeConnection
  readonly version: number
  readonly partial: boolean
  readonly requested: ReadonlySet<string>
  /** Topics of the same full update that further requests ask for. */
  readonly rest: ReadonlySet<string>
}

/**
 * Keeps the metadata cache up to date with one request in flight at a time.
 *
 * A full update asks for all tracked topics: when somebody wants one, and when the last is too old. A
 * partial update asks only for topics not heard of yet, and comes at once. Failures, and answers that told
 * nothing new, make the next full update wait longer and longer. Of very many topics several requests ask in
 * turn.
 */
export class MetadataUpdater {
  private readonly options: MetadataUpdaterOptions
  private readonly cache: MetadataCache
  private readonly clock: Clock
  private readonly topics: TrackedTopics
  private readonly timer: DeadlineTimer
  private needsFull = false
  /** There are topics that no request has named yet: they do not wait for any backoff. */
  private isUrgent = false
  private inFlight: PendingUpdate | null = null
  private isScheduled = false
  private isClosed = false
  /** Nothing is asked until somebody wants something again. */
  private isSuspended = false
  /** Clock time of the last answer or failure. */
  private lastRefreshAt = -Infinity
  /** Clock time of the last full update that succeeded. */
  private lastFullAt = -Infinity
  /** Clock time since which there was no success; NaN: nothing is being attempted. */
  private attemptingSince = Number.NaN
  private failures = 0
  private equivalentResponses = 0
  private backoffMs = 0
  private topicsPerRequest = TOPICS_PER_REQUEST_MAX
  /** What a full update has yet to ask for; null: none has begun. */
  private rest: ReadonlySet<string> | null = null

  constructor(options: MetadataUpdaterOptions) {
    this.options = options
    this.cache = options.cache
    this.clock = options.clock
    this.topics = new TrackedTopics(options.metadataMaxIdleMs)
    this.timer = new DeadlineTimer(options.clock, () => this.run())
    this.rollBackoff()
  }

  /**
   * Starts the topic's idle time again. True if it was not tracked: it is asked for at once, with all others
   * that are new in this turn.
   */
  track(name: string): boolean {
    if (!this.topics.track(name, this.clock.now())) return false
    this.isSuspended = false
    this.isUrgent = true
    this.equivalentResponses = 0
    this.schedule()
    return true
  }

  requestFull(): void {
    if (this.needsFull && !this.isSuspended) return
    this.isSuspended = false
    this.needsFull = true
    this.schedule()
  }

  /**
   * No broker lets this client in, and nobody waits: whoever asks next starts it again. To go on would be to
   * try refused credentials again and again, for which accounts get locked.
   */
  suspend(): void {
    if (this.inFlight !== null) return
    this.isSuspended = true
    this.isUrgent = false
    this.attemptingSince = Number.NaN
    this.timer.cancel()
  }

  /** A broker lets this client in. */
  resume(): void {
    this.isSuspended = false
    this.run()
  }

  get isAsleep(): boolean {
    return this.isSuspended
  }

  /** Milliseconds since the last full update; Infinity before the first. */
  get ageMs(): number {
    return this.clock.now() - this.lastFullAt
  }

  /** Something changed that may let a due update go: a node is usable, or a connection has ended. */
  run(): void {
    if (this.isClosed) return
    const now = this.clock.now()
    if (this.inFlight === null) {
      const dueAt = this.nextUpdateAt(now)
      if (dueAt > now) {
        this.timer.ensure(dueAt)
        return
      }
      if (Number.isNaN(this.attemptingSince)) this.attemptingSince = now
    }
    this.judgeTrigger(now)
    if (this.inFlight === null) this.proceed()
  }

  close(): void {
    this.isClosed = true
    this.timer.cancel()
  }

  private schedule(): void {
    if (this.isScheduled || this.isClosed) return
    this.isScheduled = true
    this.clock.setImmediate(() => {
      this.isScheduled = false
      this.run()
    })
  }

  private nextUpdateAt(now: number): number {
    if (this.isUrgent) return now
    if (this.isSuspended) return Infinity
    const wanted = this.needsFull || this.topics.hasFresh
    // Before the first update nothing is out of date: a client nobody has asked anything connects nowhere.
    if (!wanted && this.lastFullAt === -Infinity) return Infinity
    const expiresAt = this.lastFullAt + this.options.metadataMaxAgeMs
    return Math.max(wanted ? now : expiresAt, this.lastRefreshAt + this.backoffMs)
  }

  /**
   * Whoever was asked so far may be cut off from the cluster: after long enough, only the configuration
   * counts.
   */
  private judgeTrigger(now: number): void {
    const { rebootstraps, rebootstrapTriggerMs } = this.options
    if (!rebootstraps) return
    if (now >= this.attemptingSince + rebootstrapTriggerMs) {
      this.rebootstrap(true, `no metadata for ${rebootstrapTriggerMs} ms`)
    }
    this.timer.ensure(this.attemptingSince + rebootstrapTriggerMs)
  }

  /** Sends the update that is due, or sees to it that it can be sent. */
  private proceed(): void {
    let choice = this.options.chooseNode()
    if (
      choice.kind === 'none' &&
      !choice.connected &&
      this.options.rebootstraps &&
      !this.cache.bootstrapping
    ) {
      this.rebootstrap(false, 'no known broker can be reached')
      choice = this.options.chooseNode()
    }
    if (choice.kind === 'usable') this.send(choice.node)
    else if (choice.kind === 'connectable') choice.node.ensureConnected()
    else if (choice.kind === 'none') this.timer.ensure(choice.until)
  }

  private send(node: NodeConnection): void {
    const versions = node.versions as ApiVersionTable
    const version = versions.highest(Metadata, METADATA_VERSION_MIN)
    if (version < 0) {
      const theirs = versions.describe(Metadata)
      const reason =
        `Broker ${node.name} ${versions.tooOld}: it takes Metadata in versions ${theirs}, ` +
        `and ${METADATA_VERSION_MIN} is the lowest that will do`
      this.fail(new UnsupportedVersionError(reason, { broker: node.name }))
      return
    }
    const partial = !this.needsFull && this.lastFullAt + this.options.metadataMaxAgeMs > this.clock.now()
    const wanted = partial ? this.topics.allFresh() : (this.rest ?? this.topics.all())
    const [requested, rest] = splitAt(wanted, this.topicsPerRequest)
    const { clientId, allowAutoTopicCreation: creates } = this.options
    const pending: PendingUpdate = { node, version, partial, requested, rest }
    this.inFlight = pending
    this.isUrgent = false
    node.send({
      api: Metadata,
      version,
      expectsResponse: true,
      encode: id => [encodeRequest(Metadata, version, id, clientId, requestFor(requested, creates))],
      onWritten: () => {},
      onResponse: (error, body) => this.onResponse(pending, error, body),
    })
  }

  private onResponse(pending: PendingUpdate, error: KafkaError | null, body: Reader | null): void {
    if (this.isClosed || this.inFlight !== pending) return
    this.inFlight = null
    if (body === null) {
      this.fail(error as KafkaError)
      return
    }
    try {
      const limit = pending.requested.size > 1 ? ELEMENTS_MAX : ELEMENTS_OF_ONE_TOPIC_MAX
      this.take(pending, Metadata.readResponse(body.limitElements(limit), pending.version))
    } catch (cause) {
      this.fail(cause instanceof KafkaError ? cause : new ProtocolError(String(cause), { cause }))
      if (cause instanceof TooManyElementsError) {
        this.topicsPerRequest = Math.max(1, Math.min(this.topicsPerRequest, pending.requested.size) >> 1)
        // The frame was whole, so what is in flight beside it need not suffer.
        return
      }
      // Ends the connection: what sends this once will send it again.
      throw cause
    }
  }

  private take(pending: PendingUpdate, response: MetadataResponse): void {
    const { node, version, requested, rest } = pending
    // One of several requests of a full update says nothing of the topics of the others.
    const isWhole = !pending.partial && rest.size === 0 && this.rest === null
    const isLast = !pending.partial && rest.size === 0
    node.throttledBy(Metadata, version, response.throttleTimeMs)
    if (response.errorCode === ErrorCodes.REBOOTSTRAP_REQUIRED && this.options.rebootstraps) {
      this.rebootstrap(true, `broker ${node.name} asks for it`)
      this.fail(brokerError(response.errorCode, { broker: node.name }))
      return
    }
    if (response.errorCode !== ErrorCodes.NONE) {
      this.fail(brokerError(response.errorCode, { broker: node.name }))
      return
    }
    if (response.brokers.length === 0) {
      this.fail(
        new NetworkError(`Broker ${node.name} does not know of any broker yet`, { broker: node.name }),
      )
      return
    }
    this.topics.expire(this.clock.now(), this.options.lastUseOfTopicMs)
    const isTracked = (topic: string) => this.topics.has(topic)
    const applied = this.cache.apply(response, { version, partial: !isWhole, requested, isTracked })
    this.topics.answered(requested)
    if (!pending.partial) this.rest = rest.size === 0 ? null : rest
    this.succeed(!isLast, applied.progressed)
    if (applied.outdated) this.needsFull = true
    if (applied.isOtherCluster) this.options.onOtherCluster(response.clusterId as string)
    this.isUrgent ||= rest.size > 0
    this.options.observer.metadataUpdated(this.topics.size, this.cache.nodes().length, isLast)
    this.options.onUpdate()
    this.schedule()
  }

  private succeed(partial: boolean, progressed: boolean): void {
    const now = this.clock.now()
    this.lastRefreshAt = now
    this.attemptingSince = Number.NaN
    this.failures = 0
    this.equivalentResponses = progressed ? 0 : this.equivalentResponses + 1
    if (!partial) {
      this.needsFull = false
      this.lastFullAt = now
    }
    this.rollBackoff()
  }

  private fail(error: KafkaError): void {
    this.rest = null
    this.lastRefreshAt = this.clock.now()
    this.failures++
    this.equivalentResponses = 0
    this.rollBackoff()
    this.options.logger.debug('no metadata', { reason: error.message })
    this.options.observer.metadataFailed(error)
    this.options.onFailure(error)
    this.schedule()
  }

  /** Jitter is drawn once per answer, not each time somebody looks. */
  private rollBackoff(): void {
    this.backoffMs = this.options.backoff.delayMs(Math.max(this.failures, this.equivalentResponses, 1) - 1)
  }

  private rebootstrap(closing: boolean, reason: string): void {
    this.options.logger[closing ? 'warn' : 'info'](`going back to the bootstrap servers: ${reason}`)
    this.attemptingSince = this.clock.now()
    this.needsFull = true
    this.options.rebootstrap(closing)
  }
}

/** The first `count` of them, and the others. */
function splitAt(names: Set<string> | ReadonlySet<string>, count: number): [Set<string>, Set<string>] {
  const all = [...names]
  return [new Set(all.slice(0, count)), new Set(all.slice(count))]
}

/** Asked by name: ids of topics are learnt from the answer. */
function requestFor(topics: ReadonlySet<string>, allowAutoTopicCreation: boolean): MetadataRequest {
  return {
    topics: Array.from(topics, name => ({ topicId: ZERO_UUID, name })),
    allowAutoTopicCreation,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
}
