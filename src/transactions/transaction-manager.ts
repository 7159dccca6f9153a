import { noObserver, type ObservedTransactionCall, type Observer } from '../common/observer.js'
import { BrokerError, IllegalStateError, InternalError, type KafkaError } from '../errors/index.js'
import type { EndTxnResponse } from '../protocol/end-txn.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import { AddPartitionsRpc } from './add-partitions-rpc.js'
import { Completion } from './completion.js'
import { CompletionRpc } from './completion-rpc.js'
import { EndTxnRpc } from './end-txn-rpc.js'
import { abortableError, abortedError, fatalError, fencedError, otherCallError } from './failures.js'
import { observedCall } from './observed-call.js'
import { type ConsumerGroupMetadata, checkGroup, checkOffsets, type TopicPartitionOffset } from './offsets.js'
import { AddOffsetsRpc, TxnOffsetCommitRpc } from './offsets-rpcs.js'
import { type PartitionRef, TransactionPartitions } from './partitions.js'
import { PendingCall } from './pending-call.js'
import { Priority, type Rpc } from './rpc.js'
import { type Failure, RpcRunner } from './rpc-runner.js'
import {
  explain,
  isCallable,
  isLegalTransition,
  type TransactionalCall,
  type TransactionState,
} from './states.js'
import type { TransactionManagerOptions } from './transaction-host.js'
import { TransactionalIdentity } from './transactional-identity.js'

/** The highest Produce version that does not add partitions to the transaction itself. */
const PRODUCE_VERSION_MAX_V1 = 11

/**
 * What a failed batch leaves behind in the sequences of its partition: nothing; a gap whose sequences the
 * broker has certainly not stored; a gap of which nobody knows.
 */
type SequenceGap = 'none' | 'refused' | 'unsure'

/**
 * The transactions of one producer (Java: `TransactionManager`): where they stand, what may be called, and
 * what has to be asked of the coordinators. `step` is called in every turn of the sender.
 */
export class TransactionManager {
  private readonly options: TransactionManagerOptions
  private readonly observer: Observer
  private readonly runner: RpcRunner
  private currentState: TransactionState = 'UNINITIALIZED'
  /** Why the state is an error. */
  private lastError: KafkaError | null = null
  /** The call that has begun last of those that take time; over or not. */
  private call: PendingCall | null = null
  private readonly identity: TransactionalIdentity
  private readonly partitions = new TransactionPartitions()
  /** Of the transaction before. */
  private readonly completion: Completion
  /** The coordinator may know of the transaction. */
  private isStarted = false
  /** Why the records that have not been sent are to be failed, in the sender's next turn. */
  private abortUnsentWith: KafkaError | null = null

  constructor(options: TransactionManagerOptions) {
    this.options = options
    this.observer = options.observer ?? noObserver
    const { client, clock, logger, transactionalId, requestTimeoutMs, retryBackoffMs, host } = options
    this.completion = new Completion(clock)
    this.runner = new RpcRunner({
      client,
      clock,
      logger,
      transactionalId,
      requestTimeoutMs,
      retryBackoffMs,
      identity: () => this.identity.current,
      backoffMs: (rpc, errorCode) => this.backoffMs(rpc, errorCode),
      onUnsure: rpc => this.onUnsure(rpc),
      onFailure: (rpc, failure, error) => this.onFailure(rpc, failure, error),
      onLockedOut: error => this.onLockedOut(error),
      wakeup: () => host.wakeup(),
    })
    this.identity = new TransactionalIdentity(options, this.runner, {
      initialized: () => this.becomeReady(),
      failed: error => this.call?.settle(error),
    })
  }

  get state(): TransactionState {
    return this.currentState
  }

  /** What every call is refused with from now on; null while there is a way on. */
  get fatal(): KafkaError | null {
    const { currentState, lastError } = this
    return currentState === 'FATAL_ERROR' ? fatalError(lastError as KafkaError, this.transactionalId) : null
  }

  get transactionalId(): string {
    return this.options.transactionalId
  }

  // ---- what users call ----

  initTransactions(): Promise<void> {
    return this.start('initTransactions', () => {
      this.transition('INITIALIZING')
      this.identity.ask('first')
    })
  }

  /** Throws where it is not possible. */
  beginTransaction(): void {
    const { observer } = this
    const { clock } = this.options
    const beganAt = clock.now()
    observer.transactionCallBegan('beginTransaction')
    try {
      this.check('beginTransaction')
      this.transition('IN_TRANSACTION')
      observer.transactionCallEnded('beginTransaction', clock.now() - beganAt, null)
    } catch (error) {
      observer.transactionCallEnded('beginTransaction', clock.now() - beganAt, error as KafkaError)
      throw error
    }
  }

  /** Throws where no record may be sent. */
  checkSend(): void {
    if (this.currentState !== 'IN_TRANSACTION') this.check('send')
  }

  sendOffsets(offsets: Iterable<TopicPartitionOffset>, group: ConsumerGroupMetadata): Promise<void> {
    return observedCall(this.observer, this.options.clock, 'sendOffsetsToTransaction', () =>
      this.startOffsets(offsets, group),
    )
  }

  private startOffsets(offsets: Iterable<TopicPartitionOffset>, group: ConsumerGroupMetadata): Promise<void> {
    let call: PendingCall
    try {
      const checkedGroup = checkGroup(group)
      const checkedOffsets = checkOffsets(offsets)
      if (checkedOffsets.length === 0) return Promise.resolve()
      this.check('sendOffsetsToTransaction')
      call = this.newCall('sendOffsetsToTransaction')
      const commit = new TxnOffsetCommitRpc(checkedGroup, checkedOffsets, call, this.identity.isV2)
      if (this.identity.isV2) {
        this.startV2()
        this.runner.add(commit)
      } else {
        const added = () => {
          this.isStarted = true
          if (this.isFailing) commit.failed(this.abortReason())
          else this.runner.add(commit)
        }
        this.runner.add(new AddOffsetsRpc(checkedGroup.groupId, call, added))
      }
    } catch (error) {
      return Promise.reject(error)
    }
    return call.wait()
  }

  commitTransaction(): Promise<void> {
    return this.start('commitTransaction', () => {
      this.transition('COMMITTING_TRANSACTION')
      this.endWhenFlushed(true)
    })
  }

  /** Whether an open transaction, or one that has failed, can be aborted now. */
  get mayAbort(): boolean {
    return isCallable('abortTransaction', this.currentState)
  }

  /** Waits for an abort that has timed out. */
  async awaitAbort(): Promise<void> {
    const { call } = this
    if (call !== null && !call.isOver && call.name === 'abortTransaction') await call.wait()
  }

  abortTransaction(): Promise<void> {
    return this.start('abortTransaction', () => this.beginAbort())
  }

  /**
   * Aborts what is open and waits for what is being ended; for the close of the producer. Never rejects, and
   * takes as long as it takes.
   */
  async finish(): Promise<void> {
    const { currentState } = this
    if (currentState === 'IN_TRANSACTION' || currentState === 'ABORTABLE_ERROR') {
      this.call = this.newCall('abortTransaction')
      this.beginAbort()
    }
    const { call } = this
    if (call === null || call.name === 'initTransactions') return
    await call.wait(Number.POSITIVE_INFINITY).catch(() => {})
  }

  /** Fails what is still waited for; nothing is asked any more. */
  close(error: KafkaError): void {
    const left = this.runner.remove(() => true)
    this.runner.close()
    for (const rpc of left) rpc.failed(error)
    this.call?.settle(error)
  }

  // ---- what the sender asks and tells ----

  /** One turn, before batches are drained. False: none may be drained in this one. */
  step(): boolean {
    if (this.currentState === 'FATAL_ERROR') return false
    const reason = this.abortUnsentWith
    this.abortUnsentWith = null
    if (reason !== null) this.options.host.abortUnsent(reason)
    if (this.partitions.hasWanted && this.isOpen) this.addPartitions()
    return this.runner.step()
  }

  /** The highest version of Produce that the transaction allows. */
  get produceVersionMax(): number {
    return this.identity.isV2 ? Number.POSITIVE_INFINITY : PRODUCE_VERSION_MAX_V1
  }

  /** A batch was opened: its partition takes part in the transaction. */
  use(partition: PartitionRef): void {
    if (!this.isOpen) return
    if (this.identity.isV2) this.startV2()
    else this.partitions.want(partition)
  }

  /** Whether a batch of the partition may be sent; `isNew`: it has never been. */
  mayDrain(partition: PartitionRef, isNew: boolean): boolean {
    if (this.isOpen) return this.identity.isV2 || this.partitions.isAdded(partition)
    return this.isFailing && !isNew
  }

  /** A batch or a record on its way to one has failed, and with it the transaction. */
  onRecordsFailed(error: KafkaError, gap: SequenceGap): void {
    const { identity } = this
    const needsBump = gap !== 'none' && !identity.isV2
    if (needsBump) identity.spend()
    if (needsBump && gap === 'unsure' && !identity.canBump) this.fail(error)
    else if (this.isOpen) this.failTransaction(error)
  }

  /** A transaction is open under the epoch of the one before, and will be whatever happens. */
  get reusesEpoch(): boolean {
    return this.isOpen && !this.identity.isV2 && !this.identity.canBump
  }

  /** A record was refused by `send`. */
  onSendFailed(error: KafkaError): void {
    // In all other states it was refused for that.
    if (this.currentState === 'IN_TRANSACTION') this.onRecordsFailed(error, 'none')
  }

  /** A broker has refused the producer for good. */
  onProducerRefused(error: KafkaError, errorCode: number): void {
    this.fail(errorCode === ErrorCodes.PRODUCER_FENCED ? fencedError(this.transactionalId, error) : error)
  }

  /** No call and no record can succeed any more. */
  fail(error: KafkaError): void {
    if (this.currentState === 'FATAL_ERROR') return
    this.currentState = 'FATAL_ERROR'
    this.lastError = error
    const told = fatalError(error, this.transactionalId)
    for (const rpc of this.runner.remove(() => true)) rpc.failed(told)
    this.call?.settle(told)
    this.options.host.failForGood(told)
  }

  // ---- calls ----

  private start(name: ObservedTransactionCall, begin: () => void): Promise<void> {
    return observedCall(this.observer, this.options.clock, name, () => this.startCall(name, begin))
  }

  private startCall(name: TransactionalCall, begin: () => void): Promise<void> {
    const { call } = this
    if (call !== null && !call.isOver && call.name === name) return call.wait()
    try {
      this.check(name)
    } catch (error) {
      return Promise.reject(error)
    }
    const started = this.newCall(name)
    this.call = started
    begin()
    return started.wait()
  }

  private newCall(name: TransactionalCall): PendingCall {
    const { clock, maxBlockMs } = this.options
    return new PendingCall(name, clock, maxBlockMs)
  }

  /** Throws unless the call may begin something now. */
  private check(name: TransactionalCall): void {
    const { currentState, lastError, call } = this
    if (currentState === 'FATAL_ERROR') throw fatalError(lastError as KafkaError, this.transactionalId)
    if (call !== null && !call.isOver) throw otherCallError(name, call.name)
    if (currentState === 'ABORTABLE_ERROR' && name !== 'abortTransaction') {
      throw abortableError(lastError as KafkaError)
    }
    if (!isCallable(name, currentState)) throw new IllegalStateError(explain(name, currentState))
  }

  private beginAbort(): void {
    const reason = this.abortReason()
    this.transition('ABORTING_TRANSACTION')
    this.dropUnsent(reason)
    this.abortUnsentWith = reason
    this.endWhenFlushed(false)
  }

  /** Why records and offsets of a transaction that is aborted are not stored. */
  private abortReason(): KafkaError {
    return this.lastError === null ? abortedError() : abortableError(this.lastError)
  }

  // ---- the end of a transaction ----

  /** The broker must have answered for all records before it is told the end. */
  private endWhenFlushed(committed: boolean): void {
    const { currentState, call } = this
    void this.options.host.flush().then(() => {
      if (this.currentState !== currentState || this.call !== call) return
      const isStarted = () => this.isStarted
      this.runner.add(
        new EndTxnRpc(committed, this.identity.isV2, isStarted, response => this.onEnded(response)),
      )
    })
  }

  /** Null: there was nothing to end. */
  private onEnded(response: EndTxnResponse | null): void {
    this.partitions.clear()
    this.isStarted = false
    this.lastError = null
    if (response !== null && this.completion.ended() && this.identity.isV2) this.awaitCompletion()
    this.identity.ended(response)
    const { missing } = this.identity
    if (missing === null) this.becomeReady()
    else {
      this.transition('INITIALIZING')
      this.identity.ask(missing)
    }
  }

  private becomeReady(): void {
    this.transition('READY')
    this.call?.settle(null)
  }

  // ---- requests ----

  private addPartitions(): void {
    const { partitions } = this
    const wanted = partitions.takeWanted()
    const added = () => {
      partitions.markAdded(wanted)
      this.isStarted = true
      this.options.host.resume()
    }
    this.runner.add(new AddPartitionsRpc(wanted, added))
  }

  /** The first records are there, and Produce will add their partitions. */
  private startV2(): void {
    if (this.isStarted) return
    this.isStarted = true
    if (this.completion.begins()) this.awaitCompletion()
  }

  /** Nothing else is asked nor sent until the last transaction is completed. */
  private awaitCompletion(): void {
    this.runner.add(new CompletionRpc(() => this.isFailing))
  }

  private backoffMs(rpc: Rpc, errorCode: number): number {
    const { retryBackoffMs } = this.options
    const isFirst =
      rpc instanceof CompletionRpc || (rpc instanceof AddPartitionsRpc && this.partitions.isEmpty)
    if (!isFirst || errorCode !== ErrorCodes.CONCURRENT_TRANSACTIONS) return retryBackoffMs
    return Math.min(this.completion.retryMs(), retryBackoffMs)
  }

  /**
   * A request of the transaction may reach its coordinator at any time from now on. Under the next epoch it
   * will be refused; under the same one it would take effect in a later transaction.
   */
  private onUnsure(rpc: Rpc): void {
    if (rpc.priority === Priority.ADD || rpc.priority === Priority.END) this.identity.spend()
  }

  private onFailure(rpc: Rpc, failure: Failure, error: KafkaError): void {
    if (rpc.priority === Priority.BUMP_EPOCH) {
      // What the bump is for has been decided: the transaction has ended.
      if (this.currentState === 'INITIALIZING') this.call?.settle(null)
    }
    switch (this.isEndedByAnother(rpc, error) ? 'fenced' : failure) {
      case 'fenced':
        this.fail(fencedError(this.transactionalId, error))
        break
      case 'fatal':
        this.fail(error)
        break
      case 'uninitialize':
        if (this.currentState === 'INITIALIZING') this.uninitialize(error)
        break
      case 'abort-and-bump':
      case 'abort':
        // Nothing is left to try if it is the abort itself that failed.
        if (rpc.name === 'EndTxn' && this.currentState === 'ABORTING_TRANSACTION') this.fail(error)
        else if (failure === 'abort') this.failTransaction(error)
        else this.onRecordsFailed(error, 'unsure')
        break
    }
    const { lastError } = this
    rpc.failed(
      this.currentState === 'FATAL_ERROR' ? fatalError(lastError ?? error, this.transactionalId) : error,
    )
  }

  /** Credentials can be put right; an open transaction waits for that, while its time-outs allow. */
  private onLockedOut(error: KafkaError): boolean {
    if (this.currentState !== 'INITIALIZING' || this.call?.name !== 'initTransactions') return false
    this.uninitialize(error)
    this.dropUnsent(error)
    return true
  }

  /** Initialising has failed and may be tried again. */
  private uninitialize(error: KafkaError): void {
    this.lastError = error
    this.transition('ABORTABLE_ERROR')
    this.transition('UNINITIALIZED')
    this.call?.settle(error)
  }

  /**
   * A younger producer has ended the transaction, or the coordinator when it took too long. While that is
   * being completed `transaction.version` 2 takes the end by the older epoch for a repeated one that
   * contradicts the first. To ask for a new epoch instead could be granted, amid the younger's taking over.
   */
  private isEndedByAnother(rpc: Rpc, error: KafkaError): boolean {
    const isWrongState = error instanceof BrokerError && error.errorCode === ErrorCodes.INVALID_TXN_STATE
    return rpc.name === 'EndTxn' && isWrongState && this.identity.isV2
  }

  /** Requests that the broker cannot have seen are not made any more. */
  private dropUnsent(reason: KafkaError): void {
    this.partitions.forgetWanted()
    const isDropped = (rpc: Rpc) =>
      rpc.name === 'InitProducerId' || (rpc.priority >= Priority.ADD && !rpc.isUnsure)
    for (const rpc of this.runner.remove(isDropped)) rpc.failed(reason)
  }

  // ---- states ----

  /** Records are accepted, or have been and are being sent. */
  private get isOpen(): boolean {
    return this.currentState === 'IN_TRANSACTION' || this.currentState === 'COMMITTING_TRANSACTION'
  }

  /** The transaction is being aborted or can only be aborted. */
  private get isFailing(): boolean {
    return this.currentState === 'ABORTABLE_ERROR' || this.currentState === 'ABORTING_TRANSACTION'
  }

  /** The transaction can only be aborted from now on; if it is being, nothing changes. */
  private failTransaction(error: KafkaError): void {
    if (this.isFailing) return
    if (!this.transition('ABORTABLE_ERROR')) return
    this.lastError = error
    const told = abortableError(error)
    this.dropUnsent(told)
    this.call?.settle(told)
    this.abortUnsentWith = told
    this.options.host.wakeup()
  }

  /** A transition that the table does not have is a mistake of this library: the producer must not go on. */
  private transition(to: TransactionState): boolean {
    const from = this.currentState
    const isLegal = isLegalTransition(from, to)
    if (isLegal) this.currentState = to
    else this.fail(new InternalError(`A transactional producer cannot go from ${from} to ${to}.`))
    return isLegal
  }
}
