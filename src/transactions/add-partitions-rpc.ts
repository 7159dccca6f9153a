import type { ClusterClient } from '../cluster/cluster-client.js'
import type { KafkaError } from '../errors/index.js'
import {
  ADD_PARTITIONS_CLIENT_VERSION_MAX,
  AddPartitionsToTxn,
  type AddPartitionsToTxnResponse,
} from '../protocol/add-partitions-to-txn.js'
import type { PartitionRef } from './partitions.js'
import { Priority, type Rpc, type RpcError, type RpcIdentity, type RpcTarget } from './rpc.js'

/** Makes partitions part of the transaction, which `transaction.version` 1 needs before their first batch. */
export class AddPartitionsRpc implements Rpc<AddPartitionsToTxnResponse> {
  readonly name = 'AddPartitionsToTxn'
  readonly priority = Priority.ADD
  readonly target: RpcTarget = { kind: 'transaction' }
  isUnsure = false
  private readonly byTopic = new Map<string, number[]>()
  private readonly added: () => void

  constructor(partitions: Iterable<PartitionRef>, added: () => void) {
    this.added = added
    for (const { topic, index } of partitions) {
      const indexes = this.byTopic.get(topic.name)
      if (indexes === undefined) this.byTopic.set(topic.name, [index])
      else indexes.push(index)
    }
  }

  ask(client: ClusterClient, nodeId: number | 'any', identity: RpcIdentity, timeoutMs: number) {
    const topics = Array.from(this.byTopic, ([name, partitions]) => ({ name, partitions }))
    const transaction = { ...identity, verifyOnly: false, topics }
    const maxVersion = ADD_PARTITIONS_CLIENT_VERSION_MAX
    return client.request(
      nodeId,
      AddPartitionsToTxn,
      { transactions: [transaction] },
      { timeoutMs, maxVersion },
    )
  }

  errorsOf({ resultsByTransaction }: AddPartitionsToTxnResponse): readonly RpcError[] | null {
    const errors: RpcError[] = []
    const results = resultsByTransaction[0]?.topicResults ?? []
    for (const [topic, indexes] of this.byTopic) {
      const partitions = results.filter(({ name }) => name === topic).flatMap(each => each.resultsByPartition)
      for (const partition of indexes) {
        const result = partitions.find(({ partitionIndex }) => partitionIndex === partition)
        if (result === undefined) return null
        errors.push({ errorCode: result.partitionErrorCode, topic, partition })
      }
    }
    return errors
  }

  done(_response: AddPartitionsToTxnResponse): void {
    this.added()
  }

  failed(_error: KafkaError): void {}
}
