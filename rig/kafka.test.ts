import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kafkaSkip } from '../dist-test/kafka/java.js'
import { KafkaGround } from './kafka-ground.js'
import { cuts } from './lanes/cuts.js'
import { fencing } from './lanes/fencing.js'
import { heldEnd } from './lanes/held-end.js'
import { kills } from './lanes/kills.js'
import type { LaneOptions } from './lanes/lane.js'
import { restarts } from './lanes/restarts.js'
import { transactions } from './lanes/transactions.js'
import { unreachable } from './lanes/unreachable.js'
import { describeResult, type LaneResult } from './result.js'
import { NO_NEW_EPOCH, TRANSACTION_CONTROLS } from './transactions/controls.js'
import { describeTransactions, type TransactionResult } from './transactions/result.js'

const options: LaneOptions = {
  client: 'millrace',
  seed: 20261121,
  isSmall: true,
  isSerial: false,
  isService: false,
  records: undefined,
  seconds: undefined,
  faults: undefined,
  recordsPerSecond: undefined,
  say: line => console.log(line),
}

/** `npm run chaos -- transaction-controls` has them all. */
const CONTROLS_IN_SHORT = ['offsets outside the transaction', NO_NEW_EPOCH]

describe('three nodes of a real Kafka', { skip: kafkaSkip(), timeout: 600_000 }, () => {
  let ground: KafkaGround

  const assertPassed = (result: LaneResult) => {
    assert.ok(result.ok, describeResult(result))
    console.log(describeResult(result))
  }

  before(async () => {
    ground = await KafkaGround.start()
  })
  after(() => ground?.[Symbol.asyncDispose]())

  test('a million records over three kills of the leader: each stored once and in order', async () => {
    assertPassed(await kills(options, ground))
  })

  test('two hundred connections cut at random bytes: each record stored once and in order', async () => {
    assertPassed(await cuts(options, ground))
  })

  test('a rolling restart by SIGTERM: each record stored once and in order', async () => {
    assertPassed(await restarts(options, ground))
  })

  test('a broker that only the client cannot reach: each record stored once and in order', async () => {
    assertPassed(await unreachable(options, ground))
  })

  const assertAllPassed = (results: readonly TransactionResult[]) => {
    for (const result of results) assert.ok(result.ok, describeTransactions(result))
    console.log(results.map(describeTransactions).join('\n'))
  }
  const few = { seed: options.seed, isSmall: true, records: undefined, faults: undefined, say: options.say }

  // One run in each generation: the lane itself has every number of partitions in both.
  for (const [generation, partitions] of [
    [2, 1],
    [1, 4],
  ] as const) {
    test(`copies with their offsets are seen exactly once over kills of client and broker, transaction.version ${generation}`, async () => {
      const plan = { ...few, records: 2_000, faults: 2, generations: [generation], partitions: [partitions] }
      assertAllPassed(await transactions(plan, ground))
    })
  }

  test('an end of a transaction that comes late ends no other, in both generations', async () => {
    assertAllPassed(await heldEnd(few, ground))
  })

  test('of two producers with one transactional.id the older is fenced, in both generations', async () => {
    assertAllPassed(await fencing(few, ground))
  })

  for (const control of TRANSACTION_CONTROLS) {
    if (!CONTROLS_IN_SHORT.includes(control.name)) continue
    test(`what the lanes of transactions must catch is caught: ${control.name}`, async () => {
      const { isCaught, result } = await control.run(ground, options.seed)
      assert.ok(isCaught, describeTransactions(result))
    })
  }
})
