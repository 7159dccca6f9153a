// A transaction that cannot end as it should can be aborted, and a producer can be closed, whatever waits.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Producer } from '../../dist/index.js'
import type { ApiName } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { setTimeouts } from '../helpers/timeouts.js'
import { GENERATIONS, GROUP, Ground, OFFSETS, outcomeOf } from './support.js'

const record = (value: string) => ({ topic: 'out', partition: 0, value })
const one = (producer: Producer, value: string) =>
  producer.transaction(async () => void (await producer.send(record(value))))

interface Told {
  code: string
  message: string
  abortable?: boolean
  cause?: { errorName?: string }
}

function rejectionOf(promise: Promise<unknown>): Promise<Told> {
  return promise.then(
    () => assert.fail('it was resolved'),
    (error: Told) => error,
  )
}

/** What keeps an offset commit for ever. */
const obstacles: readonly [name: string, place: (ground: Ground) => void, errorName: string | null][] = [
  [
    'whose coordinator is never available',
    ({ broker }) =>
      broker.fail({ api: 'TxnOffsetCommit', error: 'COORDINATOR_NOT_AVAILABLE', times: Infinity }),
    'COORDINATOR_NOT_AVAILABLE',
  ],
  [
    'whose coordinator is never found',
    ({ broker }) =>
      broker.fail({ api: 'FindCoordinator', error: 'COORDINATOR_NOT_AVAILABLE', times: Infinity }),
    'COORDINATOR_NOT_AVAILABLE',
  ],
  [
    'for a topic that is not there',
    ({ broker }) =>
      broker.fail({ api: 'TxnOffsetCommit', error: 'UNKNOWN_TOPIC_OR_PARTITION', times: Infinity }),
    'UNKNOWN_TOPIC_OR_PARTITION',
  ],
  [
    'that is never answered',
    ({ broker }) => broker.swallow({ api: 'TxnOffsetCommit', times: Infinity }),
    null,
  ],
]

for (const transactionVersion of GENERATIONS) {
  describe(`with transaction.version ${transactionVersion}`, () => {
    for (const [name, place, errorName] of obstacles) {
      it(`behind an offset commit ${name} the transaction can be aborted`, async () => {
        await using ground = await Ground.start({ transactionVersion })
        const producer = await ground.ready({ requestTimeoutMs: 100, deliveryTimeoutMs: 30_000 })
        producer.beginTransaction()
        await producer.send(record('aborted'))
        place(ground)
        setTimeouts(producer, { maxBlockMs: 250 })
        const told = await rejectionOf(producer.sendOffsetsToTransaction(OFFSETS, GROUP))
        assert.deepEqual([told.code, told.abortable], ['TIMED_OUT', true])
        assert.match(told.message, /commitTransaction waits for it, and abortTransaction gives it up/)
        if (errorName !== null) assert.equal(told.cause?.errorName, errorName)
        const again = await rejectionOf(producer.commitTransaction())
        assert.deepEqual([again.code, again.abortable], ['TIMED_OUT', true])
        if (errorName !== null) assert.equal(again.cause?.errorName, errorName)
        setTimeouts(producer, { maxBlockMs: 60_000 })
        if (name.includes('found')) ground.broker.clearFaults()
        await producer.abortTransaction()
        ground.broker.clearFaults()
        await one(producer, 'kept')
        assert.deepEqual(ground.committed(), ['kept'])
        assert.deepEqual(ground.broker.committedOffsets('group'), [])
      })
    }

    it('an offset commit that has timed out can be given up without trying to commit', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready()
      producer.beginTransaction()
      await producer.send(record('aborted'))
      ground.broker.fail({ api: 'TxnOffsetCommit', error: 'COORDINATOR_LOAD_IN_PROGRESS', times: Infinity })
      const offsets = outcomeOf(() => producer.sendOffsetsToTransaction(OFFSETS, GROUP))
      await eventually('the commit', () => (ground.broker.counters().requests.TxnOffsetCommit ?? 0) > 2)
      await producer.abortTransaction()
      assert.notEqual(await offsets, 'ok')
      await one(producer, 'kept')
      assert.deepEqual(ground.committed(), ['kept'])
    })

    it('a commit that was asked for cannot be given up, for it may have been carried out', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready()
      producer.beginTransaction()
      await producer.send(record('kept'))
      const held = ground.broker.hold({ api: 'EndTxn' })
      setTimeouts(producer, { maxBlockMs: 100 })
      const told = await rejectionOf(producer.commitTransaction())
      assert.deepEqual([told.code, told.abortable], ['TIMED_OUT', undefined])
      assert.match(told.message, /call it again to wait for its outcome, or close the producer/)
      assert.equal(await outcomeOf(() => producer.abortTransaction()), 'illegal')
      setTimeouts(producer, { maxBlockMs: 60_000 })
      held.release()
      await producer.commitTransaction()
      assert.deepEqual(ground.committed(), ['kept'])
    })
  })
}

describe('an abort while the request that begins the transaction is retried', () => {
  const faults: readonly [name: string, place: (ground: Ground) => void, ends: boolean][] = [
    [
      'was carried out and not answered',
      ({ broker }) => broker.swallow({ api: 'AddPartitionsToTxn', processed: true, times: Infinity }),
      true,
    ],
    [
      'was lost',
      ({ broker }) => broker.swallow({ api: 'AddPartitionsToTxn', processed: false, times: Infinity }),
      true,
    ],
    [
      'was refused for now',
      ({ broker }) =>
        broker.fail({ api: 'AddPartitionsToTxn', error: 'CONCURRENT_TRANSACTIONS', times: Infinity }),
      false,
    ],
  ]
  for (const [name, place, ends] of faults) {
    it(`${ends ? 'asks for the end' : 'has nothing to end'} if it ${name}`, async () => {
      await using ground = await Ground.start({ transactionVersion: 1 })
      const producer = await ground.ready({ requestTimeoutMs: 100, deliveryTimeoutMs: 30_000 })
      place(ground)
      producer.beginTransaction()
      const sent = outcomeOf(() => producer.send(record('aborted')))
      const requests = () => ground.broker.counters().requests
      await eventually('two attempts', () => (requests().AddPartitionsToTxn ?? 0) >= 2)
      await producer.abortTransaction()
      assert.notEqual(await sent, 'ok')
      assert.equal((requests().EndTxn ?? 0) > 0, ends)
      assert.notEqual(ground.broker.transactionState('tx'), 'Ongoing')
      ground.broker.clearFaults()
      await one(producer, 'kept')
      assert.deepEqual(ground.committed(), ['kept'])
    })
  }
})

/** Far more than a close takes, far less than any time-out of the calls that wait. */
const CLOSES_WITHIN_MS = 5_000

describe('close', () => {
  const silent = (api: ApiName) => (ground: Ground) => ground.broker.hold({ api })
  const begin = async (ground: Ground) => {
    const producer = await ground.ready()
    producer.beginTransaction()
    return producer
  }
  const situations: Record<string, (ground: Ground) => Promise<[Producer, Promise<unknown>[]]>> = {
    async 'initTransactions without an answer'(ground) {
      const producer = ground.producer()
      silent('InitProducerId')(ground)
      return [producer, [producer.initTransactions()]]
    },
    async 'initTransactions without a coordinator'(ground) {
      const producer = ground.producer()
      ground.broker.fail({ api: 'FindCoordinator', error: 'COORDINATOR_NOT_AVAILABLE', times: Infinity })
      return [producer, [producer.initTransactions()]]
    },
    async 'offsets that are retried'(ground) {
      const producer = await begin(ground)
      ground.broker.fail({ api: 'TxnOffsetCommit', error: 'COORDINATOR_NOT_AVAILABLE', times: Infinity })
      return [producer, [producer.sendOffsetsToTransaction(OFFSETS, GROUP)]]
    },
    async 'offsets without an answer'(ground) {
      const producer = await begin(ground)
      silent('TxnOffsetCommit')(ground)
      return [producer, [producer.sendOffsetsToTransaction(OFFSETS, GROUP)]]
    },
    async 'records and offsets behind a group that is not found'(ground) {
      const producer = await begin(ground)
      ground.broker.fail({ api: 'FindCoordinator', error: 'COORDINATOR_NOT_AVAILABLE', times: Infinity })
      const offsets = producer.sendOffsetsToTransaction(OFFSETS, GROUP)
      return [producer, [offsets, producer.send(record('aborted'))]]
    },
    async 'records without an answer'(ground) {
      const producer = await begin(ground)
      silent('Produce')(ground)
      return [producer, [producer.send(record('in flight'))]]
    },
    async 'a commit without an answer'(ground) {
      const producer = await begin(ground)
      await producer.send(record('unknown'))
      silent('EndTxn')(ground)
      return [producer, [producer.commitTransaction()]]
    },
    async 'an abort without an answer'(ground) {
      const producer = await begin(ground)
      await producer.send(record('aborted'))
      silent('EndTxn')(ground)
      return [producer, [producer.abortTransaction()]]
    },
    async 'a commit behind records without an answer'(ground) {
      const producer = await begin(ground)
      silent('Produce')(ground)
      return [producer, [producer.send(record('unknown')), producer.commitTransaction()]]
    },
    async 'a broker that is gone'(ground) {
      const producer = await begin(ground)
      await producer.send(record('unknown'))
      await ground.broker.stopNode(1)
      return [producer, [producer.send(record('lost')), producer.sendOffsetsToTransaction(OFFSETS, GROUP)]]
    },
  }
  for (const transactionVersion of GENERATIONS) {
    for (const [name, arrange] of Object.entries(situations)) {
      it(`ends in its time with transaction.version ${transactionVersion} and ${name}`, async () => {
        await using ground = await Ground.start({ transactionVersion })
        const [producer, calls] = await arrange(ground)
        const outcomes = Promise.allSettled(calls)
        // The requests are on their way.
        await new Promise(resolve => setTimeout(resolve, 50))
        const beganAt = performance.now()
        await producer.close({ timeoutMs: 100 })
        for (const outcome of await outcomes) assert.equal(outcome.status, 'rejected')
        assert.ok(performance.now() - beganAt < CLOSES_WITHIN_MS)
      })
    }
  }
})

describe('a mistake of the caller’s', () => {
  const mistakes: Record<string, (producer: Producer) => Promise<unknown>> = {
    'a record without a value': producer => producer.send({ topic: 'out' } as never),
    'a partition that is no number': producer =>
      producer.send({ topic: 'out', value: 'v', partition: 'x' } as never),
    'a value that cannot be serialized': producer =>
      producer.send({ topic: 'out', value: { a: 1 } as never, partition: 0 }),
    'headers that are none': producer => producer.send({ topic: 'out', value: 'v', headers: 'x' } as never),
    'one such record among others': producer =>
      producer.sendMany([record('also kept'), { topic: 'out' } as never]),
  }
  for (const transactionVersion of GENERATIONS) {
    for (const [name, make] of Object.entries(mistakes)) {
      it(`leaves the transaction alive with transaction.version ${transactionVersion}: ${name}`, async () => {
        await using ground = await Ground.start({ transactionVersion })
        const producer = await ground.ready()
        producer.beginTransaction()
        await assert.rejects(make(producer))
        await producer.send(record('kept'))
        await producer.commitTransaction()
        const also = name.includes('among') ? ['also kept'] : []
        assert.deepEqual(ground.committed(), [...also, 'kept'])
        assert.equal(ground.broker.transactionState('tx'), 'CompleteCommit')
      })
    }

    it(`leaves it alive with transaction.version ${transactionVersion}: what plug-ins throw`, async () => {
      await using ground = await Ground.start({ transactionVersion })
      let isBroken = true
      const throwing = () => {
        if (isBroken) throw new Error('not now')
      }
      const producer = await ground.ready({
        valueSerializer: (_topic: string, value: string) => {
          if (value === 'unserializable') throwing()
          return Buffer.from(value)
        },
        partitioner: () => {
          throwing()
          return 0
        },
      } as never)
      producer.beginTransaction()
      await assert.rejects(producer.send({ topic: 'out', value: 'unserializable' }), /not now/)
      await assert.rejects(producer.send({ topic: 'out', value: 'v' }), /partitioner threw/)
      isBroken = false
      await producer.send({ topic: 'out', value: 'kept' })
      await producer.commitTransaction()
      assert.deepEqual(ground.committed(), ['kept'])
    })
  }
})
