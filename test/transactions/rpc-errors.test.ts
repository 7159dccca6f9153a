// What each error in the answer to each request leads to: every cell, in every generation that sends it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Producer } from '../../dist/index.js'
import { ErrorCodes, isRetriable } from '../../dist/protocol/error-codes.js'
import type { ApiName } from '../../dist/testing/index.js'
import { gravest, type RpcName, rpcNames, treatmentOf } from '../../dist/transactions/rpc-errors.js'
import { GENERATIONS, GROUP, Ground, type Kind, OFFSETS, outcomeOf } from './support.js'

type ErrorName = keyof typeof ErrorCodes

/** How the call goes that needs the answer, and what the producer is good for afterwards. */
type Outcome =
  /** It succeeds, for the request is made again. */
  | 'retried'
  /** It succeeds without an answer. */
  | 'ignored'
  | 'abortable'
  | 'fatal'
  | 'fenced'
  /** It fails as not authorized, and `initTransactions` may be called again. */
  | 'uninitialized'

/** A situation in which a request is made, and by which call its errors come out. */
interface Site {
  readonly name: string
  readonly rpc: RpcName
  readonly api: ApiName
  readonly generations: readonly (1 | 2)[]
  /** Makes the request; the fault is in place. */
  run(producer: Producer): Promise<void>
  /** Before the fault is in place. Default: a transaction is opened. */
  prepare?(producer: Producer): Promise<void>
  /** What errors lead to that are not retriable, whatever the table has. */
  readonly otherwise?: Outcome
}

const open = async (producer: Producer) => {
  await producer.initTransactions()
  producer.beginTransaction()
}
const openAndSend = async (producer: Producer) => {
  await open(producer)
  await producer.send({ topic: 'out', partition: 0, value: 'v' })
}
const nothing = async () => {}

const sites: readonly Site[] = [
  {
    name: 'FindCoordinator of the transactional id',
    rpc: 'FindCoordinator',
    api: 'FindCoordinator',
    generations: [1, 2],
    prepare: nothing,
    run: producer => producer.initTransactions(),
  },
  {
    name: 'FindCoordinator of the group',
    rpc: 'FindCoordinator',
    api: 'FindCoordinator',
    generations: [1, 2],
    run: producer => producer.sendOffsetsToTransaction(OFFSETS, GROUP),
  },
  {
    name: 'InitProducerId',
    rpc: 'InitProducerId',
    api: 'InitProducerId',
    generations: [1, 2],
    prepare: nothing,
    run: producer => producer.initTransactions(),
  },
  {
    name: 'AddPartitionsToTxn',
    rpc: 'AddPartitionsToTxn',
    api: 'AddPartitionsToTxn',
    generations: [1],
    run: async producer => {
      void producer.send({ topic: 'out', partition: 0, value: 'v' }).catch(() => {})
      await producer.commitTransaction()
    },
  },
  {
    name: 'AddOffsetsToTxn',
    rpc: 'AddOffsetsToTxn',
    api: 'AddOffsetsToTxn',
    generations: [1],
    run: producer => producer.sendOffsetsToTransaction(OFFSETS, GROUP),
  },
  {
    name: 'TxnOffsetCommit',
    rpc: 'TxnOffsetCommit',
    api: 'TxnOffsetCommit',
    generations: [1, 2],
    run: producer => producer.sendOffsetsToTransaction(OFFSETS, GROUP),
  },
  {
    name: 'EndTxn that commits',
    rpc: 'EndTxn',
    api: 'EndTxn',
    generations: [1, 2],
    prepare: openAndSend,
    run: producer => producer.commitTransaction(),
  },
  {
    name: 'EndTxn that aborts',
    rpc: 'EndTxn',
    api: 'EndTxn',
    generations: [1, 2],
    prepare: openAndSend,
    run: producer => producer.abortTransaction(),
  },
  {
    name: 'DescribeTransactions',
    rpc: 'DescribeTransactions',
    api: 'DescribeTransactions',
    generations: [2],
    prepare: async producer => {
      await openAndSend(producer)
      await producer.commitTransaction()
      producer.beginTransaction()
    },
    run: async producer => {
      await producer.send({ topic: 'out', partition: 0, value: 'v' })
      await producer.commitTransaction()
    },
    otherwise: 'ignored',
  },
]

/**
 * By the order of `sites`. Of the errors that are not listed for a request those that are retriable are
 * retried, and the rest is fatal, abortable for AddPartitionsToTxn.
 */
const a = 'abortable'
const f = 'fatal'
const r = 'retried'
const x = 'fenced'
const u = 'uninitialized'
const table: { readonly [Name in ErrorName]?: readonly Outcome[] } = {
  INVALID_PRODUCER_EPOCH: [f, f, x, x, x, x, x, x],
  PRODUCER_FENCED: [f, f, x, x, x, x, x, x],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [u, f, u, f, f, f, f, f],
  CLUSTER_AUTHORIZATION_FAILED: [f, f, u, a, f, f, f, f],
  TOPIC_AUTHORIZATION_FAILED: [f, f, f, a, f, a, f, f],
  GROUP_AUTHORIZATION_FAILED: [a, a, f, a, a, a, f, f],
  INVALID_GROUP_ID: [a, a, f, a, a, a, f, f],
  GROUP_ID_NOT_FOUND: [f, f, f, a, f, a, f, f],
  INVALID_TXN_STATE: [f, f, f, f, f, f, f, f],
  INVALID_PRODUCER_ID_MAPPING: [f, f, f, f, f, f, f, f],
  UNKNOWN_PRODUCER_ID: [f, f, f, a, a, f, a, f],
  TRANSACTION_ABORTABLE: [a, a, a, a, a, a, a, f],
  CONCURRENT_TRANSACTIONS: [r, r, r, r, r, r, r, r],
  OPERATION_NOT_ATTEMPTED: [f, f, f, a, f, f, f, f],
  FENCED_INSTANCE_ID: [f, f, f, a, f, a, f, f],
  UNKNOWN_MEMBER_ID: [f, f, f, a, f, a, f, f],
  ILLEGAL_GENERATION: [f, f, f, a, f, a, f, f],
  REBALANCE_IN_PROGRESS: [f, f, f, a, f, a, f, f],
  FENCED_MEMBER_EPOCH: [f, f, f, a, f, a, f, f],
  STALE_MEMBER_EPOCH: [f, f, f, a, f, a, f, f],
  OFFSET_METADATA_TOO_LARGE: [f, f, f, a, f, a, f, f],
  INVALID_COMMIT_OFFSET_SIZE: [f, f, f, a, f, a, f, f],
  REQUEST_TIMED_OUT: [r, r, r, r, r, r, r, r],
  NOT_COORDINATOR: [r, r, r, r, r, r, r, r],
  COORDINATOR_NOT_AVAILABLE: [r, r, r, r, r, r, r, r],
  COORDINATOR_LOAD_IN_PROGRESS: [r, r, r, r, r, r, r, r],
  UNKNOWN_TOPIC_OR_PARTITION: [r, r, r, r, r, r, r, r],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [f, f, f, a, f, f, f, f],
  UNSUPPORTED_VERSION: [f, f, f, f, f, f, f, f],
  INVALID_TRANSACTION_TIMEOUT: [f, f, f, a, f, f, f, f],
  UNKNOWN_SERVER_ERROR: [f, f, f, a, f, f, f, f],
}

const kinds: Record<Outcome, Kind> = {
  retried: 'ok',
  ignored: 'ok',
  abortable: 'abortable',
  fatal: 'fatal',
  fenced: 'fenced',
  uninitialized: 'authorization',
}

/** What may be done next says more than the error that came. */
async function checkAfterwards(ground: Ground, producer: Producer, outcome: Outcome): Promise<void> {
  if (outcome === 'fatal' || outcome === 'fenced') {
    assert.equal(await outcomeOf(() => producer.abortTransaction()), outcome)
    assert.equal(await outcomeOf(() => producer.send({ topic: 'out', value: 'v' })), outcome)
    return
  }
  if (outcome === 'uninitialized') await producer.initTransactions()
  if (outcome === 'abortable') {
    assert.equal(await outcomeOf(() => producer.commitTransaction()), 'abortable')
    await producer.abortTransaction()
    assert.deepEqual(ground.committed(), [])
  }
  if (await isReady(producer)) return
  // Retried within a transaction: it can still be ended.
  await producer.commitTransaction()
}

/** Does a transaction, unless one is open. */
async function isReady(producer: Producer): Promise<boolean> {
  if ((await outcomeOf(() => producer.beginTransaction())) !== 'ok') return false
  await producer.send({ topic: 'out', value: 'next' })
  await producer.commitTransaction()
  return true
}

for (const transactionVersion of GENERATIONS) {
  describe(`with transaction.version ${transactionVersion}`, () => {
    for (const [name, outcomes] of Object.entries(table) as [ErrorName, readonly Outcome[]][]) {
      for (const [index, site] of sites.entries()) {
        if (!site.generations.includes(transactionVersion)) continue
        const isEndedByAnother =
          site.api === 'EndTxn' && name === 'INVALID_TXN_STATE' && transactionVersion === 2
        // So the coordinator answers a fenced producer while the younger one takes over.
        const listed = outcomes[index] ?? (isRetriable(ErrorCodes[name]) ? 'retried' : site.otherwise)
        const expected = isEndedByAnother ? 'fenced' : (listed as Outcome)
        it(`${name} from ${site.name} is ${expected}`, async () => {
          await using ground = await Ground.start({ transactionVersion })
          const producer = ground.producer()
          await (site.prepare ?? open)(producer)
          const seen = ground.watch()
          ground.broker.fail({ api: site.api, error: name })
          const outcome = await outcomeOf(() => site.run(producer))
          assert.ok(seen.includes(site.api))
          const isRaw = outcome === 'plain' || outcome === 'authorization'
          // Offsets are told the error itself, for it may be theirs alone to put right.
          if (site.run.toString().includes('sendOffsets') && expected === 'abortable' && isRaw) {
            assert.equal(await outcomeOf(() => producer.commitTransaction()), 'abortable')
          } else assert.equal(outcome, kinds[expected])
          await checkAfterwards(ground, producer, expected)
        })
      }
    }
  })
}

describe('errors that are not listed', () => {
  const otherwise = (rpc: RpcName) =>
    rpc === 'AddPartitionsToTxn' ? 'abort' : rpc === 'DescribeTransactions' ? 'ignore' : 'fatal'

  it('are retried if they are retriable; else fatal, abortable or ignored, as the request is', () => {
    const listed = new Set(Object.keys(table))
    for (const [name, code] of Object.entries(ErrorCodes)) {
      if (listed.has(name) || name === 'NONE') continue
      for (const rpc of rpcNames) {
        assert.equal(treatmentOf(rpc, code), isRetriable(code) ? 'retry' : otherwise(rpc), `${rpc} ${name}`)
      }
    }
    for (const rpc of rpcNames) {
      assert.equal(treatmentOf(rpc, 32_000), otherwise(rpc), `${rpc}, an unknown error`)
    }
  })
})

describe('of the errors of several partitions', () => {
  const decisive = (...names: ErrorName[]) => {
    const errors = names.map(name => ({ name, errorCode: ErrorCodes[name] }))
    return gravest('AddPartitionsToTxn', errors)?.name
  }

  it('the gravest decides, and one that only follows from another never does', () => {
    assert.equal(decisive('NONE', 'NONE'), undefined)
    assert.equal(decisive('NONE', 'UNKNOWN_TOPIC_OR_PARTITION'), 'UNKNOWN_TOPIC_OR_PARTITION')
    assert.equal(
      decisive('OPERATION_NOT_ATTEMPTED', 'UNKNOWN_TOPIC_OR_PARTITION'),
      'UNKNOWN_TOPIC_OR_PARTITION',
    )
    assert.equal(
      decisive('OPERATION_NOT_ATTEMPTED', 'TOPIC_AUTHORIZATION_FAILED'),
      'TOPIC_AUTHORIZATION_FAILED',
    )
    assert.equal(
      decisive('UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_AUTHORIZATION_FAILED'),
      'TOPIC_AUTHORIZATION_FAILED',
    )
    assert.equal(decisive('TOPIC_AUTHORIZATION_FAILED', 'INVALID_TXN_STATE'), 'INVALID_TXN_STATE')
    assert.equal(decisive('INVALID_TXN_STATE', 'PRODUCER_FENCED', 'NONE'), 'PRODUCER_FENCED')
    assert.equal(decisive('OPERATION_NOT_ATTEMPTED', 'NONE'), 'OPERATION_NOT_ATTEMPTED')
  })
})
