import type { ClusterClient } from '../cluster/cluster-client.js'
import type { Clock, TimerHandle } from '../common/clock.js'
import type { Logger } from '../common/logger.js'
import { AuthenticationError, KafkaError, ProtocolError, UnsupportedVersionError } from '../errors/index.js'
import { brokerError } from '../protocol/broker-error.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import { FindCoordinatorRpc } from './find-coordinator-rpc.js'
import { type Rpc, type RpcError, type RpcIdentity, RpcQueue, type RpcTarget } from './rpc.js'
import { gravest, type Treatment, treatmentOf } from './rpc-errors.js'

/** Treatments that the runner does not see to itself. */
export type Failure = Exclude<Treatment, 'retry' | 'find' | 'ignore'>

interface RpcRunnerOptions {
  client: ClusterClient
  clock: Clock
  logger: Logger
  transactionalId: string
  requestTimeoutMs: number
  retryBackoffMs: number
  /** Under what the next request goes. */
  identity: () => RpcIdentity
  /** How long to wait before a request is retried after an error code. */
  backoffMs: (rpc: Rpc, errorCode: number) => number
  /**
   * An attempt may have been carried out, and nobody knows. `isLate`: there was no answer, so it may also be
   * carried out later.
   */
  onDoubt: (rpc: Rpc, isLate: boolean) => void
  /** Whether to make a request again; if not, its caller has been told. */
  mayRetry: (rpc: Rpc) => boolean
  onFailure: (rpc: Rpc, failure: Failure, error: KafkaError) => void
  /** No broker lets this client in. True: the request is given up, else it is made again. */
  onLockedOut: (error: AuthenticationError) => boolean
  /** There may be something to do. */
  wakeup: () => void
}

/**
 * Errors that a coordinator also answers after it has written to its log: it could not make sure that the
 * replicas have it (Java: `TransactionStateManager.appendTransactionToLog`).
 */
const AFTER_APPEND: ReadonlySet<number> = new Set([
  ErrorCodes.COORDINATOR_NOT_AVAILABLE,
  ErrorCodes.NOT_COORDINATOR,
])

/**
 * Sends the requests of transactions, one at a time and by priority, and asks again until an answer decides:
 * coordinators move, connections end, brokers are busy. Which of that is the caller's matter is told.
 */
export class RpcRunner {
  private readonly options: RpcRunnerOptions
  private readonly queue = new RpcQueue()
  private inFlight: Rpc | null = null
  /** Nothing is sent. */
  private isBackingOff = false
  private timer: TimerHandle | undefined
  private transactionCoordinator: number | null = null
  private readonly groupCoordinators = new Map<string, number>()
  private isClosed = false
  private lastProblem: KafkaError | null = null

  constructor(options: RpcRunnerOptions) {
    this.options = options
  }

  /** Node id of the coordinator of the transactional id; null while it is not known. */
  get coordinator(): number | null {
    return this.transactionCoordinator
  }

  /** Why the request that is to be done next has not been done yet; null where nothing has gone wrong. */
  get problem(): KafkaError | null {
    return this.lastProblem
  }

  add(rpc: Rpc): void {
    this.queue.add(rpc)
    this.options.wakeup()
  }

  /** Takes out requests that are not in flight and match. */
  remove(predicate: (rpc: Rpc) => boolean): Rpc[] {
    return this.queue.remove(predicate)
  }

  /** Sends the next request if it may go. False while there is one to be waited for. */
  step(): boolean {
    for (;;) {
      if (this.isClosed || this.inFlight !== null) return false
      const rpc = this.queue.peek()
      if (rpc === undefined) return true
      if (this.isBackingOff) return false
      if (rpc.isMoot?.()) {
        this.queue.take()
        rpc.skipped?.()
        continue
      }
      const nodeId = this.nodeFor(rpc.target)
      if (nodeId === undefined) return false
      // A look-up of the coordinator has been put before the request.
      if (nodeId === null) continue
      this.queue.take()
      void this.send(rpc, nodeId)
      return false
    }
  }

  /** Nothing is asked any more. What has no outcome yet: all requests, one in flight included. */
  close(): Rpc[] {
    this.isClosed = true
    this.stopTimer()
    const left = this.queue.remove(() => true)
    return this.inFlight === null ? left : [this.inFlight, ...left]
  }

  /** Null: it is being looked for now. Undefined: it has to be waited for. */
  private nodeFor(target: RpcTarget): number | 'any' | null | undefined {
    if (target.kind === 'any') return 'any'
    const nodeId = this.coordinatorOf(target)
    if (nodeId === undefined) {
      this.lookUp(target)
      return null
    }
    const { client, retryBackoffMs } = this.options
    switch (client.reach(nodeId)) {
      case 'usable':
        return nodeId
      case 'connecting':
        return undefined
      case 'failed':
        this.lastProblem = client.errorOf(nodeId) ?? this.lastProblem
        // Waiting for a broker that cannot be reached would be in vain if another coordinates by now.
        this.forget(target)
        this.backOff(retryBackoffMs)
        return undefined
      case 'unknown':
        // Metadata are on their way; if they do not name the node in time, perhaps it is gone.
        if (this.timer === undefined) this.startTimer(retryBackoffMs, () => this.forget(target))
        return undefined
    }
  }

  private coordinatorOf(target: RpcTarget): number | undefined {
    if (target.kind === 'group') return this.groupCoordinators.get(target.groupId)
    return this.transactionCoordinator ?? undefined
  }

  private forget(target: RpcTarget): void {
    if (target.kind === 'group') this.groupCoordinators.delete(target.groupId)
    else if (target.kind === 'transaction') this.transactionCoordinator = null
  }

  private lookUp(target: RpcTarget): void {
    if (this.queue.has(rpc => rpc instanceof FindCoordinatorRpc && rpc.finds(target))) return
    const isGroup = target.kind === 'group'
    const key = isGroup ? target.groupId : this.options.transactionalId
    const found = (nodeId: number) => {
      if (isGroup) this.groupCoordinators.set(key, nodeId)
      else this.transactionCoordinator = nodeId
    }
    this.queue.add(new FindCoordinatorRpc(isGroup, key, found))
  }

  private async send(rpc: Rpc, nodeId: number | 'any'): Promise<void> {
    const { client, identity, requestTimeoutMs } = this.options
    this.inFlight = rpc
    this.stopTimer()
    let response: unknown
    try {
      response = await rpc.ask(client, nodeId, identity(), requestTimeoutMs)
    } catch (error) {
      this.inFlight = null
      if (!this.isClosed) this.unanswered(rpc, error)
      return
    }
    this.inFlight = null
    if (this.isClosed) return
    const errors = rpc.errorsOf(response)
    if (errors === null) {
      this.unanswered(
        rpc,
        new ProtocolError(`${client.brokerName(Number(nodeId))} answered ${rpc.name} with nonsense.`),
      )
      return
    }
    const decisive = gravest(rpc.name, errors)
    const treatment = decisive === undefined ? 'ignore' : treatmentOf(rpc.name, decisive.errorCode)
    if (decisive === undefined || treatment === 'ignore') {
      // A coordinator that is found has not done anything yet.
      if (!(rpc instanceof FindCoordinatorRpc)) this.lastProblem = null
      rpc.done(response)
      this.options.wakeup()
    } else this.treat(rpc, decisive, treatment, nodeId)
  }

  /** No answer, or none that makes sense: the request may have been carried out. */
  private unanswered(rpc: Rpc, error: unknown): void {
    if (error instanceof UnsupportedVersionError) {
      this.options.onFailure(rpc, 'fatal', error)
      this.options.wakeup()
      return
    }
    if (error instanceof AuthenticationError && this.options.onLockedOut(error)) return
    const reason = error instanceof KafkaError ? error.message : String(error)
    this.options.logger.debug(`No answer to ${rpc.name}: ${reason}`)
    this.lastProblem = error instanceof KafkaError ? error : this.lastProblem
    this.doubt(rpc)
    this.forget(rpc.target)
    this.again(rpc, this.options.retryBackoffMs)
  }

  private treat(
    rpc: Rpc,
    error: RpcError,
    treatment: Exclude<Treatment, 'ignore'>,
    nodeId: number | 'any',
  ): void {
    const { errorCode } = error
    if (errorCode === ErrorCodes.REQUEST_TIMED_OUT) this.doubt(rpc)
    else if (AFTER_APPEND.has(errorCode)) this.options.onDoubt(rpc, false)
    if (treatment === 'retry' || treatment === 'find') {
      if (treatment === 'find') this.forget(rpc.target)
      this.lastProblem = this.errorFor(error, nodeId, false)
      this.again(rpc, this.options.backoffMs(rpc, errorCode))
      return
    }
    const isAbortable = treatment === 'abort' || treatment === 'abort-and-bump'
    this.options.onFailure(rpc, treatment, this.errorFor(error, nodeId, isAbortable))
    this.options.wakeup()
  }

  private errorFor(error: RpcError, nodeId: number | 'any', abortable: boolean): KafkaError {
    const { errorCode, ...context } = error
    const broker = nodeId === 'any' ? {} : { broker: this.options.client.brokerName(nodeId) }
    return brokerError(errorCode, { ...context, ...broker, abortable })
  }

  private doubt(rpc: Rpc): void {
    rpc.isUnsure = true
    this.options.onDoubt(rpc, true)
  }

  private again(rpc: Rpc, delayMs: number): void {
    if (!this.options.mayRetry(rpc)) {
      this.options.wakeup()
      return
    }
    this.queue.putBack(rpc)
    if (delayMs > 0) this.backOff(delayMs)
    else this.options.wakeup()
  }

  private backOff(delayMs: number): void {
    this.isBackingOff = true
    this.startTimer(delayMs, () => {
      this.isBackingOff = false
    })
  }

  private startTimer(delayMs: number, onDue: () => void): void {
    this.stopTimer()
    this.timer = this.options.clock.setTimeout(() => {
      this.timer = undefined
      onDue()
      this.options.wakeup()
    }, delayMs)
  }

  private stopTimer(): void {
    if (this.timer !== undefined) this.options.clock.clearTimeout(this.timer)
    this.timer = undefined
  }
}
