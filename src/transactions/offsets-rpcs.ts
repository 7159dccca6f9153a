import type { ClusterClient } from '../cluster/cluster-client.js'
import type { KafkaError } from '../errors/index.js'
import { AddOffsetsToTxn, type AddOffsetsToTxnResponse } from '../protocol/add-offsets-to-txn.js'
import {
  TXN_OFFSET_COMMIT_ADDS_FROM,
  TxnOffsetCommit,
  type TxnOffsetCommitResponse,
} from '../protocol/txn-offset-commit.js'
import type { CheckedGroup, CheckedOffset } from './offsets.js'
import type { PendingCall } from './pending-call.js'
import { Priority, type Rpc, type RpcError, type RpcIdentity, type RpcTarget } from './rpc.js'

/** Makes a group's offsets part of the transaction, which `transaction.version` 1 needs before them. */
export class AddOffsetsRpc implements Rpc<AddOffsetsToTxnResponse> {
  readonly name = 'AddOffsetsToTxn'
  readonly priority = Priority.ADD
  readonly target: RpcTarget = { kind: 'transaction' }
  isUnsure = false
  private readonly groupId: string
  private readonly call: PendingCall
  private readonly added: () => void

  constructor(groupId: string, call: PendingCall, added: () => void) {
    this.groupId = groupId
    this.call = call
    this.added = added
  }

  ask(client: ClusterClient, nodeId: number | 'any', identity: RpcIdentity, timeoutMs: number) {
    return client.request(nodeId, AddOffsetsToTxn, { ...identity, groupId: this.groupId }, { timeoutMs })
  }

  errorsOf({ errorCode }: AddOffsetsToTxnResponse): readonly RpcError[] {
    return [{ errorCode }]
  }

  done(_response: AddOffsetsToTxnResponse): void {
    this.added()
  }

  failed(error: KafkaError): void {
    this.call.settle(error)
  }
}

/** Hands a group's offsets to its coordinator, until the transaction ends. Retries only what is missing. */
export class TxnOffsetCommitRpc implements Rpc<TxnOffsetCommitResponse> {
  readonly name = 'TxnOffsetCommit'
  readonly priority = Priority.ADD
  readonly target: RpcTarget
  isUnsure = false
  private readonly group: CheckedGroup
  private pending: readonly CheckedOffset[]
  private readonly call: PendingCall
  /** The transaction is one of `transaction.version` 2: the group's coordinator adds its partition itself. */
  private readonly addsItself: boolean

  constructor(
    group: CheckedGroup,
    offsets: readonly CheckedOffset[],
    call: PendingCall,
    addsItself: boolean,
  ) {
    this.group = group
    this.target = { kind: 'group', groupId: group.groupId }
    this.pending = offsets
    this.call = call
    this.addsItself = addsItself
  }

  ask(client: ClusterClient, nodeId: number | 'any', identity: RpcIdentity, timeoutMs: number) {
    const bounds = this.addsItself
      ? { minVersion: TXN_OFFSET_COMMIT_ADDS_FROM }
      : { maxVersion: TXN_OFFSET_COMMIT_ADDS_FROM - 1 }
    const body = { ...identity, ...this.group, topics: this.topics() }
    return client.request(nodeId, TxnOffsetCommit, body, { timeoutMs, ...bounds })
  }

  errorsOf({ topics }: TxnOffsetCommitResponse): readonly RpcError[] | null {
    const errors: RpcError[] = []
    const left: CheckedOffset[] = []
    let isComplete = true
    for (const offset of this.pending) {
      const { topic, partition } = offset
      const result = topics
        .filter(({ name }) => name === topic)
        .flatMap(({ partitions }) => partitions)
        .find(({ partitionIndex }) => partitionIndex === partition)
      if (result === undefined) isComplete = false
      else errors.push({ errorCode: result.errorCode, topic, partition })
      if (result?.errorCode !== 0) left.push(offset)
    }
    this.pending = left
    return isComplete ? errors : null
  }

  done(_response: TxnOffsetCommitResponse): void {
    this.call.settle(null)
  }

  failed(error: KafkaError): void {
    this.call.settle(error)
  }

  private topics() {
    const byTopic = new Map<string, CheckedOffset[]>()
    for (const offset of this.pending) {
      const others = byTopic.get(offset.topic)
      if (others === undefined) byTopic.set(offset.topic, [offset])
      else others.push(offset)
    }
    return Array.from(byTopic, ([name, offsets]) => ({
      name,
      partitions: offsets.map(({ partition, offset, leaderEpoch, metadata }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        committedMetadata: metadata,
      })),
    }))
  }
}
