import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AddOffsetsToTxn } from '../../dist/protocol/add-offsets-to-txn.js'
import { AddPartitionsToTxn } from '../../dist/protocol/add-partitions-to-txn.js'
import {
  DescribeTransactions,
  type TransactionDescription,
} from '../../dist/protocol/describe-transactions.js'
import { EndTxn } from '../../dist/protocol/end-txn.js'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { Fetch } from '../../dist/protocol/fetch.js'
import { InitProducerId } from '../../dist/protocol/init-producer-id.js'
import { ListOffsets, OffsetSpec } from '../../dist/protocol/list-offsets.js'
import { Produce } from '../../dist/protocol/produce.js'
import { TxnOffsetCommit } from '../../dist/protocol/txn-offset-commit.js'
import { ZERO_UUID } from '../../dist/protocol/uuid.js'
import { GroupOffsets } from '../../dist/testing/group-offsets.js'
import type { BrokerOptions, TestBroker } from '../../dist/testing/index.js'
import { TransactionCoordinator } from '../../dist/testing/transaction-coordinator.js'
import { encodeBatch, numbered, produceRequest, quietBroker, RawClient } from './support.js'

const {
  NONE,
  CONCURRENT_TRANSACTIONS,
  INVALID_PRODUCER_EPOCH,
  INVALID_PRODUCER_ID_MAPPING,
  INVALID_TXN_STATE,
  NOT_COORDINATOR,
  PRODUCER_FENCED,
  TRANSACTION_ABORTABLE,
  UNSUPPORTED_VERSION,
} = ErrorCodes

interface Identity {
  producerId: bigint
  producerEpoch: number
}

/** A transactional producer that does what its test says and nothing else. */
class RawProducer implements Disposable {
  readonly client: RawClient
  readonly transactionalId: string
  readonly bumps: boolean
  identity: Identity = { producerId: -1n, producerEpoch: -1 }
  private sequence = 0

  constructor(client: RawClient, transactionalId: string, bumps: boolean) {
    this.client = client
    this.transactionalId = transactionalId
    this.bumps = bumps
  }

  async init(
    expected: Identity = { producerId: -1n, producerEpoch: -1 },
    version = 5,
    timeoutMs = 60_000,
  ): Promise<number> {
    const { errorCode, ...identity } = await this.client.request(InitProducerId, version, {
      transactionalId: this.transactionalId,
      transactionTimeoutMs: timeoutMs,
      producerId: expected.producerId,
      producerEpoch: expected.producerEpoch,
    })
    if (errorCode === NONE) {
      const { producerId, producerEpoch } = identity
      this.take({ producerId, producerEpoch })
    }
    return errorCode
  }

  take(identity: Identity): void {
    this.identity = identity
    this.sequence = 0
  }

  async add(topic: string, partitions: number[], version = 3): Promise<number[]> {
    const body = {
      transactionalId: this.transactionalId,
      ...this.identity,
      verifyOnly: false,
      topics: [{ name: topic, partitions }],
    }
    const response = await this.client.request(AddPartitionsToTxn, version, { transactions: [body] })
    const results = response.resultsByTransaction[0]?.topicResults[0]?.resultsByPartition ?? []
    return results.map(result => result.partitionErrorCode)
  }

  async produce(
    topic: string,
    count: number,
    partition = 0,
    version = this.bumps ? 12 : 11,
  ): Promise<number> {
    const batch = encodeBatch(numbered(count, this.sequence), {
      ...this.identity,
      baseSequence: this.sequence,
      attributes: 0x10,
    })
    const request = { ...produceRequest(topic, partition, batch), transactionalId: this.transactionalId }
    const response = await this.client.request(Produce, version, request)
    const errorCode = response.responses[0]?.partitionResponses[0]?.errorCode as number
    if (errorCode === NONE) this.sequence += count
    return errorCode
  }

  async end(committed: boolean, identity = this.identity, version = this.bumps ? 5 : 4): Promise<number> {
    const response = await this.client.request(EndTxn, version, {
      transactionalId: this.transactionalId,
      ...identity,
      committed,
    })
    const { errorCode, producerId, producerEpoch } = response
    if (errorCode === NONE && producerId >= 0n) this.take({ producerId, producerEpoch })
    return errorCode
  }

  async describe(): Promise<TransactionDescription | undefined> {
    const body = { transactionalIds: [this.transactionalId] }
    return (await this.client.request(DescribeTransactions, 0, body)).transactionStates[0]
  }

  async commitOffset(offset: bigint, version = this.bumps ? 5 : 4): Promise<number | undefined> {
    const response = await this.client.request(TxnOffsetCommit, version, {
      transactionalId: this.transactionalId,
      groupId: 'group',
      ...this.identity,
      generationId: 3,
      memberId: 'member',
      groupInstanceId: null,
      topics: [
        {
          name: 'in',
          partitions: [
            { partitionIndex: 2, committedOffset: offset, committedLeaderEpoch: 7, committedMetadata: 'm' },
          ],
        },
      ],
    })
    return response.topics[0]?.partitions[0]?.errorCode
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]()
  }
}

async function withBroker(
  transactionVersion: number,
  work: (broker: TestBroker, connect: (transactionalId?: string) => Promise<RawProducer>) => Promise<void>,
  options: BrokerOptions = {},
): Promise<void> {
  await using broker = await quietBroker({ transactionVersion, partitions: 2, ...options })
  broker.createTopic('out')
  const producers: RawProducer[] = []
  try {
    await work(broker, async (transactionalId = 'tx') => {
      const producer = new RawProducer(
        await RawClient.connect(broker),
        transactionalId,
        transactionVersion === 2,
      )
      producers.push(producer)
      return producer
    })
  } finally {
    for (const producer of producers) producer[Symbol.dispose]()
  }
}

function values(
  broker: TestBroker,
  isolation: 'read_committed' | 'read_uncommitted',
  partition = 0,
): string[] {
  return Array.from(broker.records('out', partition, { isolation }), ({ value }) =>
    Buffer.from(value ?? []).toString(),
  )
}

const fetchOut = (client: RawClient, isolationLevel: number, fetchOffset = 0n) =>
  client
    .request(Fetch, 12, {
      clusterId: null,
      replicaId: -1,
      replicaState: { replicaId: -1, replicaEpoch: -1n },
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1_000_000,
      isolationLevel,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        {
          topic: 'out',
          topicId: ZERO_UUID,
          partitions: [
            {
              partition: 0,
              currentLeaderEpoch: -1,
              fetchOffset,
              lastFetchedEpoch: -1,
              logStartOffset: -1n,
              partitionMaxBytes: 1_000_000,
              replicaDirectoryId: ZERO_UUID,
              highWatermark: 0x7fffffffffffffffn,
            },
          ],
        },
      ],
      forgottenTopicsData: [],
      rackId: '',
    })
    .then(response => response.responses[0]?.partitions[0])

for (const transactionVersion of [1, 2]) {
  const bumps = transactionVersion === 2
  describe(`transactions of the in-process broker, transaction.version ${transactionVersion}`, () => {
    it('shows records to read_committed once they are committed, and those of aborted ones never', () =>
      withBroker(transactionVersion, async (broker, connect) => {
        const producer = await connect()
        assert.equal(await producer.init(), NONE)
        if (!bumps) assert.deepEqual(await producer.add('out', [0]), [NONE])
        assert.equal(await producer.produce('out', 2), NONE)
        assert.deepEqual(values(broker, 'read_committed'), [])
        assert.deepEqual(values(broker, 'read_uncommitted'), ['0', '1'])
        assert.equal(broker.transactionState('tx'), 'Ongoing')
        const open = await fetchOut(producer.client, 1)
        assert.deepEqual([open?.lastStableOffset, open?.records?.length], [0n, 0])
        assert.equal(await producer.end(true), NONE)
        assert.equal(broker.transactionState('tx'), 'CompleteCommit')
        assert.deepEqual(values(broker, 'read_committed'), ['0', '1'])

        if (!bumps) assert.deepEqual(await producer.add('out', [0]), [NONE])
        assert.equal(await producer.produce('out', 1), NONE)
        assert.equal(await producer.end(false), NONE)
        assert.deepEqual(values(broker, 'read_committed'), ['0', '1'])
        assert.equal(values(broker, 'read_uncommitted').length, 3)
        const all = await fetchOut(producer.client, 1)
        // Two records and a marker, one record and a marker.
        assert.deepEqual([all?.lastStableOffset, all?.highWatermark], [5n, 5n])
        assert.deepEqual(all?.abortedTransactions, [
          { producerId: producer.identity.producerId, firstOffset: 3n },
        ])
        assert.equal((await fetchOut(producer.client, 0))?.abortedTransactions, null)
        assert.deepEqual((await fetchOut(producer.client, 1, 5n))?.abortedTransactions, [])
      }))

    it('tells read_committed the last stable offset as the latest', () =>
      withBroker(transactionVersion, async (_broker, connect) => {
        const producer = await connect()
        await producer.init()
        if (!bumps) await producer.add('out', [0])
        await producer.produce('out', 3)
        const latest = async (isolationLevel: number) => {
          const topics = [
            {
              name: 'out',
              partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: OffsetSpec.LATEST }],
            },
          ]
          const body = { replicaId: -1, isolationLevel, topics, timeoutMs: 0 }
          const response = await producer.client.request(ListOffsets, 7, body)
          return response.topics[0]?.partitions[0]?.offset
        }
        assert.deepEqual([await latest(0), await latest(1)], [3n, 0n])
        await producer.end(true)
        assert.deepEqual([await latest(0), await latest(1)], [4n, 4n])
      }))

    it('fences the older producer in every request, and aborts what it had open', () =>
      withBroker(transactionVersion, async (broker, connect) => {
        const [old, young] = [await connect(), await connect()]
        await old.init()
        if (!bumps) await old.add('out', [0])
        await old.produce('out', 1)
        assert.equal(await young.init(), CONCURRENT_TRANSACTIONS)
        assert.equal(await young.init(), NONE)
        assert.equal(broker.transactionState('tx'), 'Empty')
        assert.ok(young.identity.producerEpoch > old.identity.producerEpoch)
        assert.equal(await old.produce('out', 1), INVALID_PRODUCER_EPOCH)
        assert.equal(await old.produce('out', 1, 1), INVALID_PRODUCER_EPOCH)
        assert.deepEqual(await old.add('out', [1]), [PRODUCER_FENCED])
        assert.deepEqual(await old.add('out', [1], 1), [INVALID_PRODUCER_EPOCH])
        assert.equal(await old.commitOffset(1n), INVALID_PRODUCER_EPOCH)
        assert.equal(await old.end(true), PRODUCER_FENCED)
        assert.equal(await old.init(old.identity), PRODUCER_FENCED)
        assert.equal(await old.init(old.identity, 3), INVALID_PRODUCER_EPOCH)
        assert.deepEqual(values(broker, 'read_committed'), [])
      }))

    it('commits offsets with the transaction, and drops those of an aborted one', () =>
      withBroker(transactionVersion, async (broker, connect) => {
        const producer = await connect()
        await producer.init()
        const addGroup = () =>
          producer.client.request(AddOffsetsToTxn, 3, {
            transactionalId: 'tx',
            ...producer.identity,
            groupId: 'group',
          })
        if (!bumps) {
          assert.equal(await producer.commitOffset(5n), INVALID_TXN_STATE)
          assert.equal((await addGroup()).errorCode, NONE)
        }
        assert.equal(await producer.commitOffset(5n), NONE)
        assert.deepEqual(broker.committedOffsets('group'), [])
        assert.equal(await producer.end(true), NONE)
        const committed = { topic: 'in', partition: 2, offset: 5n, leaderEpoch: 7, metadata: 'm' }
        assert.deepEqual(broker.committedOffsets('group'), [committed])
        if (!bumps) await addGroup()
        assert.equal(await producer.commitOffset(9n), NONE)
        assert.equal(await producer.end(false), NONE)
        assert.deepEqual(broker.committedOffsets('group'), [committed])
      }))

    it('answers CONCURRENT_TRANSACTIONS while markers are held, and shows nothing of the outcome', () =>
      withBroker(transactionVersion, async (broker, connect) => {
        const producer = await connect()
        await producer.init()
        if (!bumps) await producer.add('out', [0])
        await producer.produce('out', 1)
        const before = producer.identity
        const held = broker.holdMarkers()
        assert.equal(await producer.end(true), NONE)
        assert.equal(broker.transactionState('tx'), 'PrepareCommit')
        const described = await producer.describe()
        assert.equal(described?.transactionState, 'PrepareCommit')
        assert.deepEqual(described?.topics, [{ topic: 'out', partitions: [0] }])
        assert.equal(await producer.end(true, before), CONCURRENT_TRANSACTIONS)
        assert.equal(await producer.end(false, before), INVALID_TXN_STATE)
        assert.equal(await producer.init(), CONCURRENT_TRANSACTIONS)
        assert.deepEqual(await producer.add('out', [0]), [CONCURRENT_TRANSACTIONS])
        if (bumps) assert.equal(await producer.produce('out', 1), CONCURRENT_TRANSACTIONS)
        assert.deepEqual(values(broker, 'read_committed'), [])
        held.release()
        assert.equal(broker.transactionState('tx'), 'CompleteCommit')
        assert.equal((await producer.describe())?.transactionState, 'CompleteCommit')
        assert.deepEqual((await producer.describe())?.topics, [])
        assert.deepEqual(values(broker, 'read_committed'), ['0'])
      }))

    it('aborts a transaction that is open for too long, and fences its producer', () =>
      withBroker(transactionVersion, async (broker, connect) => {
        const producer = await connect()
        assert.equal(broker.expireTransaction('tx'), false)
        await producer.init()
        if (!bumps) await producer.add('out', [0])
        await producer.produce('out', 1)
        assert.equal(broker.expireTransaction('tx'), true)
        assert.equal(broker.transactionState('tx'), 'CompleteAbort')
        assert.equal(await producer.produce('out', 1), INVALID_PRODUCER_EPOCH)
        assert.equal(await producer.init(producer.identity), PRODUCER_FENCED)
        // A repeated end of the new generation looks like that of the epoch before.
        assert.equal(await producer.end(true), bumps ? INVALID_TXN_STATE : PRODUCER_FENCED)
        assert.deepEqual(values(broker, 'read_committed'), [])
      }))

    it('answers a repeated InitProducerId with what it answered before, and another epoch with an error', () =>
      withBroker(transactionVersion, async (_broker, connect) => {
        const producer = await connect()
        await producer.init()
        const { producerId, producerEpoch } = producer.identity
        assert.equal(await producer.init({ producerId, producerEpoch }), NONE)
        assert.deepEqual(producer.identity, { producerId, producerEpoch: producerEpoch + 1 })
        assert.equal(await producer.init({ producerId, producerEpoch }), NONE)
        assert.deepEqual(producer.identity, { producerId, producerEpoch: producerEpoch + 1 })
        assert.equal(await producer.init({ producerId, producerEpoch: producerEpoch + 9 }), PRODUCER_FENCED)
        assert.equal(await producer.init({ producerId: 999n, producerEpoch }), PRODUCER_FENCED)
      }))

    it('refuses what its transactional ids do not fit', () =>
      withBroker(transactionVersion, async (broker, connect) => {
        const producer = await connect()
        assert.equal(await producer.end(true), INVALID_PRODUCER_ID_MAPPING)
        assert.deepEqual(await producer.add('out', [0]), [INVALID_PRODUCER_ID_MAPPING])
        await producer.init()
        const stranger = { producerId: 999n, producerEpoch: 0 }
        assert.equal(await producer.end(true, stranger), INVALID_PRODUCER_ID_MAPPING)
        assert.equal(await producer.end(true), INVALID_TXN_STATE)
        for (const timeoutMs of [0, -1, 900_001]) {
          assert.equal(await producer.init(undefined, 5, timeoutMs), ErrorCodes.INVALID_TRANSACTION_TIMEOUT)
        }
        const nameless = await connect('')
        assert.equal(await nameless.init(), ErrorCodes.INVALID_REQUEST)
        assert.equal(await nameless.end(true), ErrorCodes.INVALID_REQUEST)
        assert.equal(broker.transactionState('nobody'), undefined)
      }))
  })
}

describe('transactions of the in-process broker', () => {
  it('repeat an end of transaction.version 1 with the same outcome, and refuse the other', () =>
    withBroker(1, async (_broker, connect) => {
      const producer = await connect()
      await producer.init()
      await producer.add('out', [0])
      assert.equal(await producer.end(true), NONE)
      assert.equal(await producer.end(true), NONE)
      assert.equal(await producer.end(false), INVALID_TXN_STATE)
    }))

  it('repeat an end of transaction.version 2 only under the epoch before', () =>
    withBroker(2, async (_broker, connect) => {
      const producer = await connect()
      await producer.init()
      await producer.produce('out', 1)
      const before = producer.identity
      assert.equal(await producer.end(true), NONE)
      const after = producer.identity
      assert.deepEqual(after, { ...before, producerEpoch: before.producerEpoch + 1 })
      assert.equal(await producer.end(true, before), NONE)
      assert.deepEqual(producer.identity, after)
      assert.equal(await producer.end(false, before), INVALID_TXN_STATE)
      assert.equal(await producer.end(true, after), INVALID_TXN_STATE)
      assert.equal(await producer.end(false, after), NONE)
      assert.deepEqual(producer.identity, { ...after, producerEpoch: after.producerEpoch + 1 })
    }))

  it('take a late end of transaction.version 1 for that of the next transaction, as Kafka does', () =>
    withBroker(1, async (broker, connect) => {
      const producer = await connect()
      await producer.init()
      await producer.add('out', [0])
      await producer.end(true)
      await producer.add('out', [0])
      await producer.produce('out', 1)
      assert.equal(await producer.end(true), NONE)
      assert.deepEqual(values(broker, 'read_committed'), ['0'])
    }))

  it('refuse a partition that was not added, and by the version tell how', () =>
    withBroker(1, async (_broker, connect) => {
      const producer = await connect()
      await producer.init()
      assert.equal(await producer.produce('out', 1, 0, 11), TRANSACTION_ABORTABLE)
      assert.equal(await producer.produce('out', 1, 0, 10), INVALID_TXN_STATE)
      await producer.add('out', [0])
      assert.equal(await producer.produce('out', 1, 1), TRANSACTION_ABORTABLE)
      assert.equal(await producer.produce('out', 1, 0), NONE)
    }))

  it('refuse the new generation of requests where transaction.version is 1', () =>
    withBroker(1, async (broker, connect) => {
      const producer = await connect()
      await producer.init()
      assert.equal(await producer.produce('out', 1, 0, 12), UNSUPPORTED_VERSION)
      assert.equal(await producer.end(true, producer.identity, 5), UNSUPPORTED_VERSION)
      assert.equal(await producer.commitOffset(1n, 5), UNSUPPORTED_VERSION)
      broker.setTransactionVersion(2)
      assert.equal(await producer.produce('out', 1, 0, 12), NONE)
    }))

  it('answer NOT_COORDINATOR from nodes that are not', () =>
    withBroker(
      2,
      async (broker, connect) => {
        const producer = await connect()
        broker.moveCoordinator(2)
        assert.equal(await producer.init(), NOT_COORDINATOR)
        assert.deepEqual(await producer.add('out', [0]), [NOT_COORDINATOR])
        assert.equal(await producer.end(true), NOT_COORDINATOR)
        assert.equal(await producer.commitOffset(1n), NOT_COORDINATOR)
        await broker.stopNode(2)
        assert.equal(await producer.init(), NONE)
      },
      { nodes: 2 },
    ))

  it('add all partitions of a request or none', () =>
    withBroker(1, async (_broker, connect) => {
      const producer = await connect()
      await producer.init()
      assert.deepEqual(await producer.add('out', [0, 7]), [
        ErrorCodes.OPERATION_NOT_ATTEMPTED,
        ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
      ])
      assert.equal(await producer.produce('out', 1), TRANSACTION_ABORTABLE)
    }))

  it('keep a batch without transaction out of an open one of the same producer', () =>
    withBroker(2, async (_broker, connect) => {
      const producer = await connect()
      await producer.init()
      await producer.produce('out', 1)
      const batch = encodeBatch(numbered(1), { ...producer.identity, baseSequence: 1 })
      assert.equal((await producer.client.produce('out', 0, batch, 9)).errorCode, INVALID_TXN_STATE)
    }))

  it('take planned errors, per partition where there are some', () =>
    withBroker(1, async (broker, connect) => {
      const producer = await connect()
      broker.fail({ api: 'InitProducerId', error: 'COORDINATOR_LOAD_IN_PROGRESS' })
      assert.equal(await producer.init(), ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS)
      await producer.init()
      broker.fail({ api: 'AddPartitionsToTxn', error: 'TOPIC_AUTHORIZATION_FAILED', partition: 1 })
      assert.deepEqual(await producer.add('out', [0, 1]), [
        ErrorCodes.OPERATION_NOT_ATTEMPTED,
        ErrorCodes.TOPIC_AUTHORIZATION_FAILED,
      ])
      broker.fail({ api: 'TxnOffsetCommit', error: 'ILLEGAL_GENERATION' })
      assert.equal(await producer.commitOffset(1n), ErrorCodes.ILLEGAL_GENERATION)
      broker.fail({ api: 'EndTxn', error: 'TRANSACTION_ABORTABLE' })
      assert.equal(await producer.end(true), TRANSACTION_ABORTABLE)
    }))
})

describe('TransactionCoordinator', () => {
  it('gives out a new producer id when the epochs of one are used up, and knows a repeated request', () => {
    let lastId = 0n
    const coordinator = new TransactionCoordinator(
      new GroupOffsets(),
      () => ++lastId,
      () => {},
    )
    let identity = coordinator.init('tx', 1000, null)
    for (let i = 0; i < 32766; i++) identity = coordinator.init('tx', 1000, identity)
    assert.deepEqual(identity, { errorCode: NONE, producerId: 1n, producerEpoch: 32766 })
    const renumbered = coordinator.init('tx', 1000, identity)
    assert.deepEqual(renumbered, { errorCode: NONE, producerId: 2n, producerEpoch: 0 })
    assert.deepEqual(coordinator.init('tx', 1000, identity), renumbered)
  })

  it('goes on under a new producer id after the last epoch of transaction.version 2', () => {
    let lastId = 0n
    const coordinator = new TransactionCoordinator(
      new GroupOffsets(),
      () => ++lastId,
      () => {},
    )
    let identity = coordinator.init('tx', 1000, null)
    for (let i = 0; i < 32766; i++) identity = coordinator.end('tx', identity, false, true)
    assert.deepEqual(identity, { errorCode: NONE, producerId: 1n, producerEpoch: 32766 })
    assert.equal(coordinator.add('tx', identity, []), NONE)
    const next = coordinator.end('tx', identity, true, true)
    assert.deepEqual(next, { errorCode: NONE, producerId: 2n, producerEpoch: 0 })
    assert.deepEqual(coordinator.end('tx', identity, true, true), next)
    coordinator.close()
  })
})
