import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UnsupportedVersionError } from '../../dist/errors/index.js'
import { AddPartitionsToTxn } from '../../dist/protocol/add-partitions-to-txn.js'
import { Fetch } from '../../dist/protocol/fetch.js'
import { FindCoordinator } from '../../dist/protocol/find-coordinator.js'
import { InitProducerId } from '../../dist/protocol/init-producer-id.js'
import { ListOffsets } from '../../dist/protocol/list-offsets.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { TxnOffsetCommit } from '../../dist/protocol/txn-offset-commit.js'
import { ZERO_UUID } from '../../dist/protocol/uuid.js'
import { Writer } from '../../dist/protocol/writer.js'

function refused(write: (w: Writer) => void, what: RegExp): void {
  assert.throws(
    () => write(new Writer()),
    (error: unknown) => error instanceof UnsupportedVersionError && what.test(error.message),
  )
}

describe('what a version cannot say', () => {
  const metadata = {
    topics: [{ topicId: ZERO_UUID, name: 'orders' }],
    allowAutoTopicCreation: true,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
  const fetch = {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1n },
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: 1000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [],
    forgottenTopicsData: [],
    rackId: '',
  }

  it('in Metadata is refused and not dropped', () => {
    const write = (version: number, change: object) => (w: Writer) =>
      Metadata.writeRequest(w, version, { ...metadata, ...change })
    refused(write(3, { allowAutoTopicCreation: false }), /Metadata version 3.*allowAutoTopicCreation/)
    refused(write(7, { includeTopicAuthorizedOperations: true }), /includeTopicAuthorizedOperations/)
    refused(write(7, { includeClusterAuthorizedOperations: true }), /includeClusterAuthorizedOperations/)
    refused(write(11, { includeClusterAuthorizedOperations: true }), /includeClusterAuthorizedOperations/)
    refused(write(9, { topics: [{ topicId: ZERO_UUID, name: null }] }), /a topic without a name/)
    refused(write(0, { topics: [] }), /an empty list of topics/)
  })

  it('in the other requests is refused and not dropped', () => {
    const init = { transactionalId: 't', transactionTimeoutMs: 1, producerId: 5n, producerEpoch: 0 }
    refused(w => InitProducerId.writeRequest(w, 2, init), /producerId and producerEpoch/)
    refused(w => FindCoordinator.writeRequest(w, 0, { keyType: 1, coordinatorKeys: ['t'] }), /keyType/)
    refused(w => FindCoordinator.writeRequest(w, 3, { keyType: 1, coordinatorKeys: ['t', 'u'] }), /2 keys/)
    refused(w => FindCoordinator.writeRequest(w, 3, { keyType: 1, coordinatorKeys: [] }), /0 keys/)
    const list = { replicaId: -1, isolationLevel: 1, topics: [], timeoutMs: 0 }
    refused(w => ListOffsets.writeRequest(w, 1, list), /isolationLevel/)
    refused(w => Fetch.writeRequest(w, 15, { ...fetch, replicaId: 4 }), /replicaId/)
    const replicaState = { replicaId: 4, replicaEpoch: 1n }
    refused(w => Fetch.writeRequest(w, 14, { ...fetch, replicaState }), /replicaState/)
    const forgottenTopicsData = [{ topic: 't', topicId: ZERO_UUID, partitions: [0] }]
    refused(w => Fetch.writeRequest(w, 6, { ...fetch, forgottenTopicsData }), /forgottenTopicsData/)
  })

  it('in the requests of transactions is refused and not dropped', () => {
    const ids = { transactionalId: 't', producerId: 5n, producerEpoch: 0 }
    const one = { ...ids, verifyOnly: false, topics: [] }
    const add = (transactions: (typeof one)[]) => (w: Writer) =>
      AddPartitionsToTxn.writeRequest(w, 3, { transactions })
    refused(add([]), /AddPartitionsToTxn version 3.*0 transactions/)
    refused(add([one, one]), /2 transactions/)
    refused(add([{ ...one, verifyOnly: true }]), /verifyOnly/)
    const commit = { ...ids, groupId: 'g', generationId: -1, memberId: '', groupInstanceId: null, topics: [] }
    for (const change of [{ generationId: 1 }, { memberId: 'm' }, { groupInstanceId: 'i' }]) {
      refused(w => TxnOffsetCommit.writeRequest(w, 2, { ...commit, ...change }), /generationId, memberId/)
    }
  })

  it('in responses is refused where it cannot be dropped', () => {
    const results = { throttleTimeMs: 0, errorCode: 0, resultsByTransaction: [] }
    refused(w => AddPartitionsToTxn.writeResponse(w, 3, results), /0 results/)
    const none = { throttleTimeMs: 0, coordinators: [] }
    refused(w => FindCoordinator.writeResponse(w, 3, none), /0 coordinators/)
    const session = { throttleTimeMs: 0, errorCode: 0, sessionId: 3, responses: [], nodeEndpoints: [] }
    refused(w => Fetch.writeResponse(w, 6, session), /sessionId/)
  })
})
