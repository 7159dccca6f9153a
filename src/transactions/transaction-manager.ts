import { noObserver, type ObservedTransactionCall, type Observer } from '../common/observer.js'
import { IllegalStateError, InternalError, type KafkaError } from '../errors/index.js'
import type { EndTxnResponse } from '../protocol/end-txn.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import { AddPartitionsRpc } from './add-partitions-rpc.js'
import { Completion } from './completion.js'
import { CompletionRpc } from './completion-rpc.js'
import { EndTxnRpc, endFault } from './end-txn-rpc.js'
import {
  abortableError,
  abortedError,
  closedError,
  fatalError,
  fencedError,
  givenUpError,
  isCallersMistake,
  otherCallError,
} from './failures.js'
import { observedCall, observedStep } from './observed-call.js'
import { type ConsumerGroupMetadata, checkGroup, checkOffsets, type TopicPartitionOffset } from './offsets.js'
import { AddOffsetsRpc, TxnOffsetCommitRpc } from './offsets-rpcs.js'
import { OpenTransaction, type SequenceGap } from './open-transaction.js'
import type { PartitionRef } from './partitions.js'
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
  private readonly open = new OpenTransaction()
  /** Of the transaction before. */
  private readonly completion: Completion
  /** Why the records that have not been sent are to be failed, in the sender's next turn. */
  private abortUnsentWith: KafkaError | null = null

  constructor(options: TransactionManagerOptions) {
    this.options = options
    this.observer = options.observer ?? noObserver
    const { clock, host } = options
    this.completion = new Completion(clock)
    this.runner = new RpcRunner({
      ...options,
      identity: () => this.identity.current,
      backoffMs: (rpc, errorCode) => this.backoffMs(rpc, errorCode),
      onDoubt: (rpc, isLate) => this.onDoubt(rpc, isLate),
      mayRetry: rpc => this.mayRetry(rpc),
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
    if (this.currentState !== 'FATAL_ERROR') return null
    return fatalError(this.lastError as KafkaError, this.transactionalId)
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
    observedStep(this.observer, this.options.clock, 'beginTransaction', () => {
      this.check('beginTransaction')
      this.transition('IN_TRANSACTION')
    })
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
    try {
      const checkedGroup = checkGroup(group)
      const checkedOffsets = checkOffsets(offsets)
      if (checkedOffsets.length === 0) return Promise.resolve()
      this.check('sendOffsetsToTransaction')
      const call = this.newCall('sendOffsetsToTransaction')
      const commit = new TxnOffsetCommitRpc(checkedGroup, checkedOffsets, call, this.identity.isV2)
      if (this.identity.isV2) {
        this.startV2()
        this.runner.add(commit)
      } else this.addOffsetsFirst(checkedGroup.groupId, call, commit)
      return call.wait()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  private addOffsetsFirst(groupId: string, call: PendingCall, commit: Rpc): void {
    const added = () => {
      this.open.begin()
      if (this.isFailing) commit.failed(this.abortReason())
      else this.runner.add(commit)
    }
    this.runner.add(new AddOffsetsRpc(groupId, call, added))
  }

  commitTransaction(): Promise<void> {
    return this.start('commitTransaction', () => {
      this.transition('COMMITTING_TRANSACTION')
      this.endWhenFlushed(true)
    })
  }

  /** Whether an open transaction, or one that has failed, can be aborted now. */
  get mayAbort(): boolean {
    return isCallable('abortTransaction', this.currentState) || this.mayGiveUpCommit
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
    if (this.mayGiveUpCommit) this.giveUpCommit()
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
  close(): void {
    const error = closedError()
    for (const rpc of this.runner.close()) rpc.failed(error)
    this.call?.settle(error)
  }

  // ---- what the sender asks and tells ----

  /** One turn, before batches are drained. False: none may be drained in this one. */
  step(): boolean {
    if (this.currentState === 'FATAL_ERROR') return false
    const reason = this.abortUnsentWith
    this.abortUnsentWith = null
    if (reason !== null) this.options.host.abortUnsent(reason)
    if (this.open.partitions.hasWanted && this.isOpen) this.addPartitions()
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
    else this.open.partitions.want(partition)
  }

  /** Whether a batch of the partition may be sent; `isNew`: it has never been. */
  mayDrain(partition: PartitionRef, isNew: boolean): boolean {
    if (this.isOpen) return this.identity.isV2 || this.open.partitions.isAdded(partition)
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

  /**
   * A record was refused by `send`. Where that was for a mistake of the caller's, it never was part of the
   * transaction (Java throws there).
   */
  onSendFailed(error: KafkaError): void {
    // In all other states it was refused for that.
    if (this.currentState === 'IN_TRANSACTION') this.onLateRefusal(error)
  }

  /** As {@link onSendFailed}, later. Once the end has been asked for, nobody would be told in time. */
  onLateRefusal(error: KafkaError): void {
    const isHarmless = isCallersMistake(error) && this.currentState === 'IN_TRANSACTION'
    if (!isHarmless) this.onRecordsFailed(error, 'none')
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
    if (name === 'abortTransaction' && this.mayGiveUpCommit) this.giveUpCommit()
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
    const { clock, maxBlockMs, client, host } = this.options
    const endsRecords = name === 'commitTransaction' || name === 'abortTransaction'
    const cause = () => this.runner.problem ?? (endsRecords ? host.undelivered() : null) ?? client.lastError
    return new PendingCall({ name, clock, maxBlockMs, cause, mayAbort: () => this.mayAbort })
  }

  /** Throws unless the call may begin something now. */
  private check(name: TransactionalCall): void {
    const { currentState, lastError, call } = this
    if (currentState === 'FATAL_ERROR') throw fatalError(lastError as KafkaError, this.transactionalId)
    const isOver = call === null || call.isOver || (call.hasFailed && name === 'abortTransaction')
    if (!isOver) throw otherCallError(name, call.name)
    if (currentState === 'ABORTABLE_ERROR' && name !== 'abortTransaction') {
      throw abortableError(lastError as KafkaError)
    }
    if (!isCallable(name, currentState)) throw new IllegalStateError(explain(name, currentState))
  }

  /** The commit has timed out for whoever called it, and waits for something that may never come. */
  private get mayGiveUpCommit(): boolean {
    const isWaiting = this.currentState === 'COMMITTING_TRANSACTION' && !this.open.isEndSent
    return isWaiting && this.call?.isAbandoned === true
  }

  private giveUpCommit(): void {
    this.failTransaction(givenUpError(this.runner.problem ?? this.options.host.undelivered()))
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
      const mayBeStarted = () => this.open.mayBeStarted
      const end = new EndTxnRpc(committed, this.identity.isV2, mayBeStarted, each => this.onEnded(each))
      this.runner.add(this.open.endBy(end))
    })
  }

  /** Null: there was nothing to end. */
  private onEnded(response: EndTxnResponse | null): void {
    this.open.clear()
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
    const { open } = this
    const wanted = open.partitions.takeWanted()
    const added = () => {
      open.partitions.markAdded(wanted)
      open.begin()
      this.options.host.resume()
    }
    this.runner.add(new AddPartitionsRpc(wanted, added))
  }

  /** The first records are there, and Produce will add their partitions. */
  private startV2(): void {
    if (this.open.mayBeStarted) return
    this.open.begin()
    if (this.completion.begins()) this.awaitCompletion()
  }

  /** Nothing else is asked nor sent until the last transaction is completed. */
  private awaitCompletion(): void {
    this.runner.add(new CompletionRpc(() => this.isFailing))
  }

  private backoffMs(rpc: Rpc, errorCode: number): number {
    const { retryBackoffMs } = this.options
    const isFirst =
      rpc instanceof CompletionRpc || (rpc instanceof AddPartitionsRpc && this.open.partitions.isEmpty)
    if (!isFirst || errorCode !== ErrorCodes.CONCURRENT_TRANSACTIONS) return retryBackoffMs
    return Math.min(this.completion.retryMs(), retryBackoffMs)
  }

  /**
   * A request of the transaction may have been carried out. Where it may be yet (`isLate`), the next
   * transaction has another epoch: under the same one it would take effect there.
   */
  private onDoubt(rpc: Rpc, isLate: boolean): void {
    const { priority } = rpc
    if (priority === Priority.ADD) this.open.doubt()
    if (isLate && (priority === Priority.ADD || priority === Priority.END)) this.identity.spend()
  }

  /** What can only be aborted needs nothing more, and what never succeeds must not keep it from its end. */
  private mayRetry(rpc: Rpc): boolean {
    if (rpc.priority !== Priority.ADD || !this.isFailing) return true
    rpc.failed(this.abortReason())
    return false
  }

  private onFailure(rpc: Rpc, failure: Failure, error: KafkaError): void {
    // What comes after the end of a transaction does not change how it has ended.
    if (this.currentState === 'INITIALIZING' && this.call?.name !== 'initTransactions')
      this.call?.settle(null)
    const fault = endFault(rpc, error, this.open.isDoubtful, this.identity.isV2)
    if (fault === 'nothing-to-end') {
      this.identity.spend()
      rpc.skipped?.()
      return
    }
    switch (fault ?? failure) {
      case 'fenced':
        this.fail(fencedError(this.transactionalId, error))
        break
      case 'fatal':
        this.fail(error)
        break
      case 'uninitialize':
        if (this.currentState === 'INITIALIZING') this.uninitialize(error)
        else this.fail(error)
        break
      case 'abort-and-bump':
      case 'abort':
        // Nothing is left to try if it is the abort itself that failed.
        if (rpc.name === 'EndTxn' && this.currentState === 'ABORTING_TRANSACTION') this.fail(error)
        else if (failure === 'abort') this.failTransaction(error)
        else this.onRecordsFailed(error, 'unsure')
        break
    }
    rpc.failed(this.fatal ?? error)
  }

  /** Credentials can be put right; an open transaction waits for that, while its time-outs allow. */
  private onLockedOut(error: KafkaError): boolean {
    if (this.currentState !== 'INITIALIZING' || this.call?.name !== 'initTransactions') return false
    this.uninitialize(error)
    return true
  }

  /** Initialising has failed and may be tried again. */
  private uninitialize(error: KafkaError): void {
    this.lastError = error
    this.transition('ABORTABLE_ERROR')
    this.transition('UNINITIALIZED')
    this.call?.settle(error)
    this.dropUnsent(error)
  }

  /** Requests that are of no use to a transaction that ends otherwise, or that no broker can have seen. */
  private dropUnsent(reason: KafkaError): void {
    this.open.partitions.forgetWanted()
    const isDropped = ({ name, priority, isUnsure }: Rpc) =>
      name === 'InitProducerId' || priority === Priority.ADD || (priority > Priority.ADD && !isUnsure)
    for (const rpc of this.runner.remove(isDropped)) rpc.failed(reason)
  }

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
    if (this.isFailing || !this.transition('ABORTABLE_ERROR')) return
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
