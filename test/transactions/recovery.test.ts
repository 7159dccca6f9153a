// What goes wrong around a transaction, and that nothing of it ends up in another one.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Producer } from '../../dist/index.js'
import { EndTxn, type EndTxnRequest } from '../../dist/protocol/end-txn.js'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import type { InitProducerIdRequest } from '../../dist/protocol/init-producer-id.js'
import type { ApiName } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { setTimeouts } from '../helpers/timeouts.js'
import { RawClient } from '../testing/support.js'
import { GENERATIONS, GROUP, Ground, OFFSETS, outcomeOf, RACES } from './support.js'

const one = (producer: Producer, value: string, partition = 0) =>
  producer.transaction(async () => void (await producer.send({ topic: 'out', partition, value })))

/** The version of EndTxn that a generation speaks. */
const END_VERSION = { 1: 4, 2: 5 } as const

for (const transactionVersion of GENERATIONS) {
  describe(`with transaction.version ${transactionVersion}`, () => {
    it(`no late EndTxn touches a later transaction: its reply held for too long, ${RACES} times`, async () => {
      await using ground = await Ground.start({ transactionVersion, nodes: 2 })
      const { broker } = ground
      const producer = await ground.ready({ requestTimeoutMs: 60, deliveryTimeoutMs: 30_000 })
      const kept: string[] = []
      for (let n = 0; n < RACES; n++) {
        const sent: EndTxnRequest[] = []
        const initialized = new Set<number>()
        const stop = broker.onRequest(({ api, body }) => {
          if (api === 'EndTxn') sent.push({ ...(body as EndTxnRequest) })
          // A busy machine may answer too late what the broker does not hold: it is asked again.
          if (api === 'InitProducerId') initialized.add((body as InitProducerIdRequest).producerEpoch)
        })
        // In every other round the first EndTxn has not even been carried out when the time is over.
        broker.swallow({ api: 'EndTxn', processed: n % 2 === 0 })
        producer.beginTransaction()
        await producer.send({ topic: 'out', partition: 0, value: `${n}` })
        const committed = n % 3 !== 0
        if (committed) await producer.commitTransaction()
        else await producer.abortTransaction()
        if (committed) kept.push(`${n}`)
        stop()
        assert.ok(sent.length >= 2, 'EndTxn was asked again')
        assert.equal(initialized.size, 1, 'the producer was initialised again')
        // What follows is open when the late copies of EndTxn reach the coordinator.
        producer.beginTransaction()
        await producer.send({ topic: 'out', partition: 0, value: `${n} follows` })
        using late = await RawClient.connect(broker, 1)
        for (const copy of sent) {
          const { errorCode } = await late.request(EndTxn, END_VERSION[transactionVersion], copy)
          assert.equal(errorCode, ErrorCodes.PRODUCER_FENCED)
        }
        assert.equal(broker.transactionState('tx'), 'Ongoing')
        await producer.abortTransaction()
        assert.deepEqual(ground.committed(), kept)
      }
    })

    it(`of two producers that race for a transactional id the older is fenced, ${RACES} times`, async () => {
      await using ground = await Ground.start({ transactionVersion })
      const kept: string[] = []
      let old = await ground.ready()
      for (let n = 0; n < RACES; n++) {
        old.beginTransaction()
        const sends: Promise<unknown>[] = []
        const burst = () => {
          for (let i = 0; i < 5; i++) {
            sends.push(old.send({ topic: 'out', partition: i % 2, value: `old ${n}` }).catch(() => {}))
          }
        }
        burst()
        if (n % 2 === 0) await sends[0]
        const young = ground.producer()
        const initialized = young.initTransactions()
        if (n % 4 < 2) await initialized
        burst()
        const ended = outcomeOf(() => (n % 3 === 0 ? old.abortTransaction() : old.commitTransaction()))
        await initialized
        const outcome = await ended
        await Promise.all(sends)
        if (outcome === 'ok') {
          // The old one was first; whatever it does from now on comes too late.
          if (n % 3 !== 0) for (let i = 0; i < sends.length; i++) kept.push(`old ${n}`)
          assert.ok(n % 4 >= 2, 'it had been fenced before it ended its transaction')
          old.beginTransaction()
          void old.send({ topic: 'out', partition: 0, value: `late ${n}` }).catch(() => {})
        }
        const last = outcome === 'ok' ? await outcomeOf(() => old.commitTransaction()) : outcome
        if (last !== 'fenced') {
          assert.equal(last, 'abortable')
          assert.equal(await outcomeOf(() => old.abortTransaction()), 'fenced')
        }
        assert.equal(await outcomeOf(() => old.beginTransaction()), 'fenced')
        await one(young, `young ${n}`)
        kept.push(`young ${n}`)
        assert.deepEqual(ground.committed().toSorted(), kept.toSorted())
        await old.close()
        old = young
      }
    })

    it('a transaction that took too long is aborted, and its producer is fenced', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready()
      producer.beginTransaction()
      await producer.send({ topic: 'out', partition: 0, value: 'too late' })
      assert.equal(ground.broker.expireTransaction('tx'), true)
      assert.equal(await outcomeOf(() => producer.commitTransaction()), 'fenced')
      assert.deepEqual(ground.committed(), [])
    })

    it('the time-out itself reaches the coordinator', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready({ transactionTimeoutMs: 50 })
      producer.beginTransaction()
      const sent = producer.send({ topic: 'out', partition: 0, value: 'too late' })
      await eventually('the abort', () => ground.broker.transactionState('tx') === 'CompleteAbort')
      // On a busy machine the time is over before the record is stored.
      const isStored = await sent.then(
        () => true,
        () => false,
      )
      if (!isStored) {
        assert.equal(await outcomeOf(() => producer.commitTransaction()), 'abortable')
        assert.equal(await outcomeOf(() => producer.abortTransaction()), 'fenced')
      } else assert.equal(await outcomeOf(() => producer.commitTransaction()), 'fenced')
    })

    it('follows the coordinator when it moves, and when it is gone', async () => {
      await using ground = await Ground.start({ transactionVersion, nodes: 3 })
      const { broker } = ground
      broker.createTopic('led', { leaders: [3] })
      const producer = await ground.ready()
      const send = (value: string) => producer.send({ topic: 'led', value })
      broker.moveCoordinator(2)
      producer.beginTransaction()
      await send('a')
      await producer.sendOffsetsToTransaction(OFFSETS, GROUP)
      broker.moveCoordinator(3)
      await producer.commitTransaction()
      broker.moveCoordinator(2)
      producer.beginTransaction()
      await send('b')
      await producer.sendOffsetsToTransaction([{ ...OFFSETS[0], offset: 6 } as never], GROUP)
      await broker.stopNode(2)
      await producer.commitTransaction()
      await one(producer, 'c')
      assert.deepEqual(ground.committed('led'), ['a', 'b'])
      assert.deepEqual(ground.committed(), ['c'])
      assert.equal(broker.committedOffsets('group')[0]?.offset, 6n)
    })

    const answered: readonly ApiName[] =
      transactionVersion === 1
        ? ['InitProducerId', 'AddPartitionsToTxn', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn']
        : ['InitProducerId', 'TxnOffsetCommit', 'EndTxn']
    for (const api of [...answered, 'FindCoordinator', 'Produce'] as const) {
      for (const processed of [true, false]) {
        const carriedOut = processed ? 'was carried out' : 'was lost'
        it(`asks again when ${api} ${carriedOut} and its connection ends without an answer`, async () => {
          await using ground = await Ground.start({ transactionVersion, nodes: 2 })
          const { broker } = ground
          const producer = ground.producer()
          let cuts = 0
          broker.swallow({ api, processed })
          const stop = broker.onRequest(request => {
            if (request.api !== api || cuts > 0) return
            cuts++
            setImmediate(() => broker.disconnect())
          })
          await producer.initTransactions()
          producer.beginTransaction()
          void producer.send({ topic: 'out', partition: 0, value: 'a' })
          await producer.sendOffsetsToTransaction(OFFSETS, GROUP)
          await producer.commitTransaction()
          stop()
          await one(producer, 'b')
          assert.equal(cuts, 1)
          assert.deepEqual(ground.committed(), ['a', 'b'])
          assert.equal(broker.committedOffsets('group')[0]?.offset, 5n)
        })
      }
    }

    it('waits for the end of the transaction before it, and asks again until then', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready()
      const held = ground.broker.holdMarkers()
      await one(producer, 'a')
      const second = one(producer, 'b')
      await new Promise(resolve => setTimeout(resolve, 50))
      assert.deepEqual(ground.committed(), [])
      held.release()
      await second
      assert.deepEqual(ground.committed(), ['a', 'b'])
    })

    it('an abort waits for batches in flight and counts on nothing that is retried meanwhile', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready()
      producer.beginTransaction()
      const held = ground.broker.hold({ api: 'Produce' })
      const sent = outcomeOf(() => producer.send({ topic: 'out', partition: 0, value: 'in flight' }))
      await eventually('Produce', () => ground.broker.counters().requests.Produce === 1)
      const seen = ground.watch()
      const unsent = outcomeOf(() => producer.send({ topic: 'out', partition: 0, value: 'unsent' }))
      const aborted = producer.abortTransaction()
      assert.equal(await unsent, 'plain')
      assert.deepEqual(seen, [])
      held.release()
      assert.equal(await sent, 'ok')
      await aborted
      assert.deepEqual(seen, ['EndTxn'])
      await one(producer, 'kept')
      assert.deepEqual(ground.committed(), ['kept'])
    })

    it('a batch that expires makes the transaction abortable, and leaves no gap behind', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const { broker } = ground
      const producer = await ground.ready({ requestTimeoutMs: 100 })
      await one(producer, 'first')
      producer.beginTransaction()
      broker.swallow({ api: 'Produce', times: 50 })
      setTimeouts(producer, { deliveryTimeoutMs: 200 })
      assert.equal(
        await outcomeOf(() => producer.send({ topic: 'out', partition: 0, value: 'lost' })),
        'timeout',
      )
      setTimeouts(producer, { deliveryTimeoutMs: 120_000 })
      broker.clearFaults()
      assert.equal(await outcomeOf(() => producer.commitTransaction()), 'abortable')
      await producer.abortTransaction()
      for (const value of ['second', 'third']) await one(producer, value)
      assert.deepEqual(ground.committed(), ['first', 'second', 'third'])
    })

    it('recovers from every error of Produce that leaves the producer alive', async () => {
      const errors = [
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        'INVALID_TXN_STATE',
        'TRANSACTION_ABORTABLE',
        'INVALID_RECORD',
        'TOPIC_AUTHORIZATION_FAILED',
        'INVALID_PRODUCER_EPOCH',
      ] as const
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready()
      const kept: string[] = []
      for (const error of errors) {
        producer.beginTransaction()
        await producer.send({ topic: 'out', partition: 0, value: 'aborted' })
        ground.broker.fail({ api: 'Produce', error })
        await assert.rejects(producer.send({ topic: 'out', partition: 0, value: 'refused' }))
        assert.equal(await outcomeOf(() => producer.commitTransaction()), 'abortable', error)
        await producer.abortTransaction()
        await one(producer, error)
        kept.push(error)
      }
      ground.broker.fail({ api: 'Produce', error: 'CONCURRENT_TRANSACTIONS', times: 3 })
      await one(producer, 'retried')
      assert.deepEqual(ground.committed(), [...kept, 'retried'])
    })

    it('a commit during which a batch fails rejects, and so do calls after it, until the abort', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready()
      producer.beginTransaction()
      ground.broker.fail({ api: 'Produce', error: 'INVALID_RECORD' })
      const sent = outcomeOf(() => producer.send({ topic: 'out', partition: 0, value: 'refused' }))
      const error = await producer.commitTransaction().then(
        () => null,
        (thrown: Error & { cause?: Error }) => thrown,
      )
      assert.equal(await sent, 'plain')
      assert.match(error?.message ?? '', /INVALID_RECORD.*Call abortTransaction/)
      assert.equal((error?.cause as { errorName?: string })?.errorName, 'INVALID_RECORD')
      await producer.abortTransaction()
      await one(producer, 'kept')
      assert.deepEqual(ground.committed(), ['kept'])
    })

    it('close waits for a commit that is under way', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready()
      producer.beginTransaction()
      await producer.send({ topic: 'out', partition: 0, value: 'kept' })
      const held = ground.broker.hold({ api: 'EndTxn' })
      const committed = producer.commitTransaction()
      const closed = producer.close()
      held.release()
      await committed
      await closed
      assert.deepEqual(ground.committed(), ['kept'])
    })

    it('close gives up after its time-out, and who waits for the end hears of it', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready()
      producer.beginTransaction()
      await producer.send({ topic: 'out', partition: 0, value: 'unknown' })
      ground.broker.hold({ api: 'EndTxn' })
      const committed = producer.commitTransaction().catch((error: { code: string }) => error.code)
      await producer.close({ timeoutMs: 50 })
      assert.equal(await committed, 'PRODUCER_CLOSED')
      await assert.rejects(producer.initTransactions(), { code: 'PRODUCER_CLOSED' })
    })
  })
}

describe('when transaction.version changes', () => {
  it('a producer takes up the new generation with the next transaction, under a new epoch', async () => {
    await using ground = await Ground.start({ transactionVersion: 1 })
    const { broker } = ground
    const producer = await ground.ready()
    await one(producer, 'a')
    const seen = ground.watch()
    producer.beginTransaction()
    await producer.send({ topic: 'out', partition: 0, value: 'b' })
    broker.setTransactionVersion(2)
    // Clients learn of it as they connect.
    broker.disconnect()
    await producer.send({ topic: 'out', partition: 0, value: 'c' })
    await producer.commitTransaction()
    assert.deepEqual(
      seen.filter(api => api !== 'Produce' && api !== 'FindCoordinator'),
      ['AddPartitionsToTxn', 'EndTxn', 'InitProducerId'],
    )
    seen.length = 0
    await one(producer, 'd')
    assert.deepEqual(
      seen.filter(api => api !== 'FindCoordinator'),
      ['DescribeTransactions', 'Produce', 'EndTxn'],
    )
    assert.deepEqual(ground.committed(), ['a', 'b', 'c', 'd'])
  })

  it('a producer goes back to the older generation with the next transaction', async () => {
    await using ground = await Ground.start({ transactionVersion: 2 })
    const { broker } = ground
    const producer = await ground.ready()
    await one(producer, 'a')
    broker.setTransactionVersion(1)
    broker.disconnect()
    await producer.partitionsFor('another')
    // The end of this one is where the client looks.
    producer.beginTransaction()
    await producer.abortTransaction()
    const seen = ground.watch()
    await one(producer, 'b')
    const own = seen.filter(api => api !== 'FindCoordinator')
    assert.deepEqual(own, ['AddPartitionsToTxn', 'Produce', 'EndTxn'])
    assert.deepEqual(ground.committed(), ['a', 'b'])
  })
})

describe('with brokers that give no new epoch to a producer that has one', () => {
  const older = { transactionVersion: 1, apiVersions: { InitProducerId: [0, 2] } } as const

  it('what the broker has refused is aborted, and its sequences are given out again', async () => {
    await using ground = await Ground.start(older)
    const producer = await ground.ready()
    await one(producer, 'a')
    for (const value of ['b', 'c']) {
      producer.beginTransaction()
      await producer.send({ topic: 'out', partition: 0, value: 'aborted' })
      ground.broker.fail({ api: 'Produce', error: 'INVALID_RECORD' })
      await assert.rejects(producer.send({ topic: 'out', partition: 0, value: 'refused' }))
      assert.equal(await outcomeOf(() => producer.commitTransaction()), 'abortable')
      await producer.abortTransaction()
      await producer.transaction(() => producer.send({ topic: 'out', partition: 0, value }))
    }
    assert.deepEqual(ground.committed(), ['a', 'b', 'c'])
    const batches = [...ground.broker.records('out', 0)].map(({ epoch, sequence }) => [epoch, sequence])
    assert.deepEqual(
      batches,
      batches.map((_, sequence) => [0, sequence]),
    )
  })

  it('so are those of the batches behind it, which the broker refuses for the gap', async () => {
    await using ground = await Ground.start(older)
    const producer = await ground.ready({ batchSize: 1, lingerMs: 0 })
    await one(producer, 'a')
    const hold = ground.broker.hold({ api: 'Produce' })
    producer.beginTransaction()
    ground.broker.fail({ api: 'Produce', error: 'INVALID_RECORD' })
    const sends = Array.from({ length: 5 }, (_, i) =>
      producer.send({ topic: 'out', partition: 0, value: `refused ${i}` }),
    )
    const failures = Promise.allSettled(sends)
    hold.release()
    assert.ok((await failures).every(({ status }) => status === 'rejected'))
    assert.equal(await outcomeOf(() => producer.commitTransaction()), 'abortable')
    await producer.abortTransaction()
    await one(producer, 'b')
    assert.deepEqual(ground.committed(), ['a', 'b'])
  })

  it('a leader that has forgotten the producer with its records is given sequence 0', async () => {
    await using ground = await Ground.start(older)
    const producer = await ground.ready()
    await one(producer, 'gone')
    ground.broker.clear('out')
    for (const [isGone, sequence] of [
      [true, 0],
      [false, 1],
    ] as const) {
      producer.beginTransaction()
      const logStartOffset = ground.broker.partitions('out')[0]?.startOffset ?? 0n
      ground.broker.fail({ api: 'Produce', error: 'UNKNOWN_PRODUCER_ID', logStartOffset })
      await assert.rejects(producer.send({ topic: 'out', partition: 0, value: 'refused' }))
      await producer.abortTransaction()
      await producer.transaction(() => producer.send({ topic: 'out', partition: 0, value: `${isGone}` }))
      assert.equal([...ground.broker.records('out', 0)].at(-1)?.sequence, sequence)
    }
    assert.deepEqual(ground.committed(), ['true', 'false'])
  })

  for (const [what, fault] of [
    ['that may be stored', { error: 'REQUEST_TIMED_OUT', afterAppend: true, times: Infinity }],
    ['with an error that nobody knows', { error: 'UNKNOWN_SERVER_ERROR', afterAppend: true }],
  ] as const) {
    it(`a failed batch ${what} is fatal, for what follows might not fit on`, async () => {
      await using ground = await Ground.start(older)
      const producer = await ground.ready({ retries: 2 })
      producer.beginTransaction()
      ground.broker.fail({ api: 'Produce', ...fault })
      await assert.rejects(producer.send({ topic: 'out', value: 'unsure' }))
      assert.equal(await outcomeOf(() => producer.commitTransaction()), 'fatal')
      assert.equal(await outcomeOf(() => producer.abortTransaction()), 'fatal')
    })
  }

  it('transactions that only need the older requests work', async () => {
    await using ground = await Ground.start({
      transactionVersion: 1,
      apiVersions: {
        InitProducerId: [0, 1],
        AddPartitionsToTxn: [0, 0],
        EndTxn: [0, 1],
        FindCoordinator: [0, 2],
      },
    })
    const producer = await ground.ready()
    await one(producer, 'a')
    await one(producer, 'b')
    assert.deepEqual(ground.committed(), ['a', 'b'])
  })
})

describe('a producer with a wrong password', () => {
  it('hears so from initTransactions, which may be called again when it has been put right', async () => {
    const users: Record<string, string> = { ann: 'other' }
    await using ground = await Ground.start({ sasl: { users } })
    const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
    const producer = ground.producer({
      securityProtocol: 'SASL_PLAINTEXT',
      saslMechanism: 'PLAIN',
      saslJaasConfig: `${login} username="ann" password="hers";`,
    })
    for (let n = 0; n < 2; n++) {
      await assert.rejects(producer.initTransactions(), { code: 'AUTHENTICATION_FAILED' })
    }
    users.ann = 'hers'
    await producer.initTransactions()
    await one(producer, 'a')
    assert.deepEqual(ground.committed(), ['a'])
  })
})

describe('offsets', () => {
  it('of a group member are refused rather than sent without it to old brokers', async () => {
    await using ground = await Ground.start({
      transactionVersion: 1,
      apiVersions: { TxnOffsetCommit: [0, 2] },
    })
    const producer = await ground.ready()
    producer.beginTransaction()
    const member = { groupId: 'group', generationId: 1, memberId: 'm' }
    assert.equal(await outcomeOf(() => producer.sendOffsetsToTransaction(OFFSETS, member)), 'fatal')
  })

  it('are asked for again only where they were refused', async () => {
    await using ground = await Ground.start()
    const producer = await ground.ready()
    const asked: number[] = []
    ground.broker.onRequest(({ api, body }) => {
      if (api !== 'TxnOffsetCommit') return
      const { topics } = body as { topics: { partitions: unknown[] }[] }
      asked.push(topics.reduce((sum, { partitions }) => sum + partitions.length, 0))
    })
    ground.broker.fail({ api: 'TxnOffsetCommit', error: 'COORDINATOR_LOAD_IN_PROGRESS', partition: 1 })
    const offsets = [0, 1, 2].map(partition => ({ topic: 'in', partition, offset: 3 }))
    await producer.transaction(() => producer.sendOffsetsToTransaction(offsets, GROUP))
    assert.deepEqual(asked, [3, 1])
    assert.equal(ground.broker.committedOffsets('group').length, 3)
  })

  it('of a consumer that is in no group, whose memberId is null, are sent by the group alone', async () => {
    await using ground = await Ground.start()
    const producer = await ground.ready()
    let asked: { generationIdOrMemberEpoch?: number; memberId?: string } = {}
    ground.broker.onRequest(({ api, body }) => {
      if (api === 'TxnOffsetCommit') asked = body as typeof asked
    })
    const consumer = { groupId: 'group', memberId: null, groupInstanceId: null }
    await producer.transaction(() => producer.sendOffsetsToTransaction(OFFSETS, consumer))
    assert.equal(asked.memberId, '')
    assert.equal(ground.broker.committedOffsets('group').length, 1)
  })

  it('and groups that make no sense are refused before anything is asked', async () => {
    await using ground = await Ground.start()
    const producer = await ground.ready()
    producer.beginTransaction()
    const seen = ground.watch()
    const bad: readonly [offsets: unknown, group: unknown, message: RegExp][] = [
      [OFFSETS, null, /metadata of the consumer group/],
      [OFFSETS, {}, /groupId/],
      [OFFSETS, { groupId: '' }, /groupId/],
      [OFFSETS, { groupId: 'g', generationId: 1 }, /memberId/],
      [OFFSETS, { groupId: 'g', generationId: 1.5, memberId: 'm' }, /generationId/],
      [OFFSETS, { groupId: 'g', memberId: 7 }, /memberId/],
      [OFFSETS, { groupId: 'g', generationId: 1, memberId: null }, /memberId/],
      [OFFSETS, { groupId: 'g', groupInstanceId: 7 }, /groupInstanceId/],
      [null, GROUP, /iterable/],
      [[null], GROUP, /each offset/],
      [[{ topic: '', partition: 0, offset: 0 }], GROUP, /topic/],
      [[{ topic: 't', partition: -1, offset: 0 }], GROUP, /partition of topic t/],
      [[{ topic: 't', partition: 0, offset: -1 }], GROUP, /offset of t-0/],
      [[{ topic: 't', partition: 0, offset: 1.5 }], GROUP, /offset of t-0/],
      [[{ topic: 't', partition: 0, offset: '12x' }], GROUP, /offset of t-0/],
      [[{ topic: 't', partition: 0, offset: 2n ** 63n }], GROUP, /offset of t-0/],
      [[{ topic: 't', partition: 0, offset: 1, leaderEpoch: -2 }], GROUP, /leaderEpoch of t-0/],
      [[{ topic: 't', partition: 0, offset: 1, metadata: 7 }], GROUP, /metadata of t-0/],
    ]
    for (const [offsets, group, message] of bad) {
      await assert.rejects(
        producer.sendOffsetsToTransaction(offsets as never, group as never),
        (error: Error & { code: string }) => error.code === 'RECORD_INVALID' && message.test(error.message),
      )
    }
    await producer.sendOffsetsToTransaction([], GROUP)
    assert.deepEqual(seen, [])
    const given = [
      { topic: 't', partition: 0, offset: '12' },
      { topic: 't', partition: 0, offset: 13n },
    ]
    await producer.sendOffsetsToTransaction(new Set(given), { groupId: 'g', groupInstanceId: 'i' })
    const none = { groupId: 'g', generationId: null, memberId: null, groupInstanceId: null }
    await producer.sendOffsetsToTransaction(given.slice(1), none)
    await producer.commitTransaction()
    assert.deepEqual(
      ground.broker.committedOffsets('g').map(({ offset }) => offset),
      [13n],
    )
  })
})
