// Which call is possible in which state: every cell, in both generations.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Producer } from '../../dist/index.js'
import {
  isLegalTransition,
  type TransactionState,
  transactionStates,
} from '../../dist/transactions/states.js'
import { eventually } from '../helpers/eventually.js'
import { setTimeouts } from '../helpers/timeouts.js'
import { GENERATIONS, GROUP, Ground, type Kind, OFFSETS, outcomeOf } from './support.js'

const calls = {
  initTransactions: (producer: Producer) => producer.initTransactions(),
  beginTransaction: (producer: Producer) => producer.beginTransaction(),
  send: (producer: Producer) => producer.send({ topic: 'out', value: 'v' }),
  sendOffsetsToTransaction: (producer: Producer) => producer.sendOffsetsToTransaction(OFFSETS, GROUP),
  commitTransaction: (producer: Producer) => producer.commitTransaction(),
  abortTransaction: (producer: Producer) => producer.abortTransaction(),
}
type Call = keyof typeof calls

/** Brings a producer into a state; answers what lets it go on from there. */
const ways: Record<TransactionState, (ground: Ground, producer: Producer) => Promise<() => void>> = {
  async UNINITIALIZED() {
    return () => {}
  },
  async INITIALIZING({ broker }, producer) {
    const held = broker.hold({ api: 'InitProducerId' })
    void producer.initTransactions().catch(() => {})
    return () => held.release()
  },
  async READY(_ground, producer) {
    await producer.initTransactions()
    return () => {}
  },
  async IN_TRANSACTION(_ground, producer) {
    await producer.initTransactions()
    producer.beginTransaction()
    await producer.send({ topic: 'out', value: 'first' })
    return () => {}
  },
  async COMMITTING_TRANSACTION(ground, producer) {
    await ways.IN_TRANSACTION(ground, producer)
    const held = ground.broker.hold({ api: 'EndTxn' })
    void producer.commitTransaction().catch(() => {})
    return () => held.release()
  },
  async ABORTING_TRANSACTION(ground, producer) {
    await ways.IN_TRANSACTION(ground, producer)
    const held = ground.broker.hold({ api: 'EndTxn' })
    void producer.abortTransaction().catch(() => {})
    return () => held.release()
  },
  async ABORTABLE_ERROR(ground, producer) {
    await ways.IN_TRANSACTION(ground, producer)
    ground.broker.fail({ api: 'Produce', error: 'INVALID_TXN_STATE' })
    await assert.rejects(producer.send({ topic: 'out', value: 'refused' }))
    return () => {}
  },
  async FATAL_ERROR(ground, producer) {
    await ways.IN_TRANSACTION(ground, producer)
    ground.broker.fail({ api: 'Produce', error: 'CLUSTER_AUTHORIZATION_FAILED' })
    await assert.rejects(producer.send({ topic: 'out', value: 'refused' }))
    return () => {}
  },
}

type Row = Record<Call, Kind>
const all = (kind: Kind): Row => ({
  initTransactions: kind,
  beginTransaction: kind,
  send: kind,
  sendOffsetsToTransaction: kind,
  commitTransaction: kind,
  abortTransaction: kind,
})

/** `ok` where the call does its work, or waits for what the same call has begun. */
const cells: Record<TransactionState, Row> = {
  UNINITIALIZED: { ...all('illegal'), initTransactions: 'ok' },
  INITIALIZING: { ...all('illegal'), initTransactions: 'ok' },
  READY: { ...all('illegal'), beginTransaction: 'ok' },
  IN_TRANSACTION: { ...all('ok'), initTransactions: 'illegal', beginTransaction: 'illegal' },
  COMMITTING_TRANSACTION: { ...all('illegal'), commitTransaction: 'ok' },
  ABORTING_TRANSACTION: { ...all('illegal'), abortTransaction: 'ok' },
  ABORTABLE_ERROR: { ...all('abortable'), abortTransaction: 'ok' },
  FATAL_ERROR: all('fatal'),
}

for (const transactionVersion of GENERATIONS) {
  describe(`with transaction.version ${transactionVersion}`, () => {
    for (const [state, row] of Object.entries(cells) as [TransactionState, Row][]) {
      for (const [call, expected] of Object.entries(row) as [Call, Kind][]) {
        it(`in ${state}, ${call} is ${expected}`, async () => {
          await using ground = await Ground.start({ transactionVersion })
          const producer = ground.producer()
          const goOn = await ways[state](ground, producer)
          const outcome = outcomeOf(() => calls[call](producer))
          if (expected === 'ok') goOn()
          assert.equal(await outcome, expected)
        })
      }
    }

    for (const [before, same, api, state] of [
      ['UNINITIALIZED', 'initTransactions', 'InitProducerId', 'INITIALIZING'],
      ['IN_TRANSACTION', 'commitTransaction', 'EndTxn', 'COMMITTING_TRANSACTION'],
      ['IN_TRANSACTION', 'abortTransaction', 'EndTxn', 'ABORTING_TRANSACTION'],
    ] as const) {
      it(`after ${same} has timed out, only ${same} again is possible, and has the outcome`, async () => {
        await using ground = await Ground.start({ transactionVersion })
        const producer = ground.producer()
        await ways[before](ground, producer)
        const held = ground.broker.hold({ api })
        setTimeouts(producer, { maxBlockMs: 100 })
        const outcomes = [1, 2].map(() => outcomeOf(() => calls[same](producer)))
        assert.deepEqual(await Promise.all(outcomes), ['timeout', 'timeout'])
        setTimeouts(producer, { maxBlockMs: 60_000 })
        assert.equal(stateOf(producer), state)
        for (const call of Object.keys(calls) as Call[]) {
          if (call !== same) assert.equal(await outcomeOf(() => calls[call](producer)), 'illegal', call)
        }
        held.release()
        await eventually('the end in the background', () => stateOf(producer) === 'READY')
        assert.equal(await outcomeOf(() => producer.beginTransaction()), 'illegal')
        assert.equal(await outcomeOf(() => calls[same](producer)), 'ok')
        producer.beginTransaction()
        await producer.send({ topic: 'out', value: 'next' })
        await producer.commitTransaction()
        assert.ok(ground.committed().includes('next'))
      })
    }

    it('after a call has timed out and failed for good, every call says so', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = ground.producer()
      await ways.IN_TRANSACTION(ground, producer)
      const held = ground.broker.hold({ api: 'EndTxn' })
      setTimeouts(producer, { maxBlockMs: 100 })
      assert.equal(await outcomeOf(() => producer.commitTransaction()), 'timeout')
      ground.broker.disconnect()
      ground.broker.fail({ api: 'EndTxn', error: 'PRODUCER_FENCED' })
      held.release()
      await eventually('the fatal error', () => stateOf(producer) === 'FATAL_ERROR')
      for (const call of Object.keys(calls) as Call[]) {
        assert.equal(await outcomeOf(() => calls[call](producer)), 'fenced', call)
      }
    })
  })
}

function stateOf(producer: Producer): string {
  return (producer as unknown as { transactions: { state: string } }).transactions.state
}

describe('a transition that the table does not have', () => {
  it('makes the producer useless rather than go on from a state that cannot be', async () => {
    await using ground = await Ground.start()
    const producer = ground.producer()
    const goOn = await ways.COMMITTING_TRANSACTION(ground, producer)
    const forged = (producer as unknown as { transactions: { currentState: TransactionState } }).transactions
    await eventually('EndTxn', () => ground.broker.counters().requests.EndTxn === 1)
    forged.currentState = 'READY'
    const outcome = outcomeOf(() => producer.commitTransaction())
    goOn()
    assert.equal(await outcome, 'fatal')
    await assert.rejects(producer.initTransactions(), /cannot go from READY to READY/)
  })
})

describe('a producer without transactional.id', () => {
  it('refuses every transactional call and says what is missing', async () => {
    await using ground = await Ground.start()
    const producer = ground.producer({ transactionalId: undefined as unknown as string })
    for (const call of Object.keys(calls) as Call[]) {
      if (call === 'send') continue
      await assert.rejects(
        async () => calls[call](producer),
        (error: Error & { code: string }) =>
          error.code === 'ILLEGAL_STATE' && /transactional\.id/.test(error.message),
      )
    }
    await assert.rejects(
      producer.transaction(async () => {}),
      { code: 'ILLEGAL_STATE' },
    )
  })
})

describe('the states', () => {
  /** Legal predecessors, as Kafka's client has them; everything may become FATAL_ERROR. */
  const legal: Partial<Record<TransactionState, TransactionState[]>> = {
    UNINITIALIZED: ['READY', 'ABORTABLE_ERROR'],
    INITIALIZING: ['UNINITIALIZED', 'COMMITTING_TRANSACTION', 'ABORTING_TRANSACTION'],
    READY: ['INITIALIZING', 'COMMITTING_TRANSACTION', 'ABORTING_TRANSACTION'],
    IN_TRANSACTION: ['READY'],
    COMMITTING_TRANSACTION: ['IN_TRANSACTION'],
    ABORTING_TRANSACTION: ['IN_TRANSACTION', 'ABORTABLE_ERROR'],
    ABORTABLE_ERROR: ['IN_TRANSACTION', 'COMMITTING_TRANSACTION', 'ABORTABLE_ERROR', 'INITIALIZING'],
  }

  it('follow each other only as the table says', () => {
    assert.equal(transactionStates.length, 8)
    for (const from of transactionStates) {
      for (const to of transactionStates) {
        const expected = to === 'FATAL_ERROR' ? from !== 'FATAL_ERROR' : (legal[to]?.includes(from) ?? false)
        assert.equal(isLegalTransition(from, to), expected, `${from} to ${to}`)
      }
    }
  })
})
