// What errors of transactional calls say: their cause, whether the transaction can be aborted, what to do.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeouts } from '../helpers/timeouts.js'
import { GENERATIONS, GROUP, Ground, OFFSETS } from './support.js'

interface Told {
  code: string
  message: string
  errorName?: string
  abortable?: boolean
  cause?: Told
}

function rejectionOf(promise: Promise<unknown>): Promise<Told> {
  return promise.then(
    () => assert.fail('it was resolved'),
    (error: Told) => error,
  )
}

const record = { topic: 'out', partition: 0, value: 'v' }

/** What an offset commit may be refused for, and what its text must name. */
const refusals = {
  ILLEGAL_GENERATION: /rebalanced.*Abort the transaction.*group metadata/,
  UNKNOWN_MEMBER_ID: /no member.*Abort the transaction.*group metadata/,
  REBALANCE_IN_PROGRESS: /being rebalanced.*Abort the transaction/,
  FENCED_MEMBER_EPOCH: /removed from its group.*Abort the transaction/,
  STALE_MEMBER_EPOCH: /epoch of the member.*Abort the transaction/,
  FENCED_INSTANCE_ID: /group\.instance\.id.*Abort the transaction/,
  GROUP_AUTHORIZATION_FAILED: /group.*Grant/,
  GROUP_ID_NOT_FOUND: /no such consumer group.*groupId/,
  INVALID_GROUP_ID: /groupId/,
  OFFSET_METADATA_TOO_LARGE: /offset\.metadata\.max\.bytes/,
  INVALID_COMMIT_OFFSET_SIZE: /fewer partitions/,
  TOPIC_AUTHORIZATION_FAILED: /authorized/,
  TRANSACTION_ABORTABLE: /Abort it/,
} as const

for (const transactionVersion of GENERATIONS) {
  describe(`with transaction.version ${transactionVersion}`, () => {
    for (const [error, text] of Object.entries(refusals)) {
      it(`${error} of an offset commit says that the transaction can be aborted, in its own words`, async () => {
        await using ground = await Ground.start({ transactionVersion })
        const producer = await ground.ready()
        producer.beginTransaction()
        await producer.send(record)
        ground.broker.fail({ api: 'TxnOffsetCommit', error: error as 'ILLEGAL_GENERATION' })
        const told = await rejectionOf(producer.sendOffsetsToTransaction(OFFSETS, GROUP))
        assert.deepEqual([told.errorName, told.abortable], [error, true])
        assert.match(told.message, text)
        assert.doesNotMatch(told.message, /the broker refused the request/)
        const commit = await rejectionOf(producer.commitTransaction())
        assert.equal(commit.cause?.errorName, error)
        await producer.abortTransaction()
        await producer.transaction(() => producer.send(record))
        assert.deepEqual(ground.committed(), ['v'])
      })
    }

    it('a transaction that the coordinator has ended says to abort it, and that works', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready()
      producer.beginTransaction()
      await producer.send(record)
      for (const error of ['INVALID_PRODUCER_EPOCH', 'INVALID_TXN_STATE'] as const) {
        if (error === 'INVALID_TXN_STATE') producer.beginTransaction()
        ground.broker.fail({ api: 'Produce', error })
        const told = await rejectionOf(producer.send(record))
        assert.equal(told.errorName, error)
        assert.match(told.message, /transaction\.timeout\.ms.*[Aa]bort/)
        assert.doesNotMatch(told.message, /new producer/)
        await producer.abortTransaction()
      }
      await producer.transaction(() => producer.send(record))
      assert.deepEqual(ground.committed(), ['v'])
    })

    it('a commit that waits for records says what keeps them', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready({ retryBackoffMs: 5, retryBackoffMaxMs: 5 })
      producer.beginTransaction()
      await producer.send(record)
      ground.broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: Infinity })
      void producer.send(record).catch(() => {})
      setTimeouts(producer, { maxBlockMs: 1500 })
      const told = await rejectionOf(producer.commitTransaction())
      assert.deepEqual([told.code, told.cause?.errorName], ['TIMED_OUT', 'NOT_ENOUGH_REPLICAS'])
      assert.match(told.message, /because of: NOT_ENOUGH_REPLICAS/)
      assert.match(told.message, /call it again.*abortTransaction/)
    })

    it('a commit behind a record to a mistyped topic says what is mistyped', async () => {
      await using ground = await Ground.start({ transactionVersion, autoCreateTopics: false })
      const producer = await ground.ready({ maxBlockMs: 300 })
      producer.beginTransaction()
      void producer.send({ topic: 'outt', value: 'v' }).catch(() => {})
      const told = await rejectionOf(producer.commitTransaction())
      assert.match(told.message, /outt/)
      assert.match(told.message, /UNKNOWN_TOPIC_OR_PARTITION/)
      await producer.abortTransaction()
    })

    it('offsets of a mistyped topic say so', async () => {
      await using ground = await Ground.start({ transactionVersion })
      const producer = await ground.ready()
      producer.beginTransaction()
      const fault = { api: 'TxnOffsetCommit', error: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'inn' } as const
      ground.broker.fail({ ...fault, times: Infinity })
      setTimeouts(producer, { maxBlockMs: 1500 })
      const offsets = [{ topic: 'inn', partition: 0, offset: 1 }]
      const told = await rejectionOf(producer.sendOffsetsToTransaction(offsets, GROUP))
      assert.deepEqual([told.code, told.cause?.errorName], ['TIMED_OUT', 'UNKNOWN_TOPIC_OR_PARTITION'])
      assert.match(told.message, /for inn-0/)
      assert.doesNotMatch(told.message, /same call/)
    })
  })
}

describe('initTransactions that times out', () => {
  it('says that the coordinator is not available', async () => {
    await using ground = await Ground.start()
    const producer = ground.producer({ maxBlockMs: 1500 })
    ground.broker.fail({ api: 'FindCoordinator', error: 'COORDINATOR_NOT_AVAILABLE', times: Infinity })
    const told = await rejectionOf(producer.initTransactions())
    assert.deepEqual([told.code, told.cause?.errorName], ['TIMED_OUT', 'COORDINATOR_NOT_AVAILABLE'])
    assert.match(
      told.message,
      /initTransactions.*max\.block\.ms \(1500 ms\) because of: COORDINATOR_NOT_AVAILABLE/,
    )
  })

  it('says that no broker can be reached', async () => {
    await using ground = await Ground.start()
    const producer = ground.producer({ maxBlockMs: 1500 })
    await ground.broker.stopNode(1)
    const told = await rejectionOf(producer.initTransactions())
    assert.deepEqual([told.code, told.cause?.code], ['TIMED_OUT', 'NETWORK'])
    assert.match(told.message, /ECONNREFUSED/)
  })

  it('says that the answer does not come', async () => {
    await using ground = await Ground.start()
    const producer = ground.producer({ maxBlockMs: 400, requestTimeoutMs: 100, deliveryTimeoutMs: 10_000 })
    ground.broker.swallow({ api: 'InitProducerId', times: Infinity })
    const told = await rejectionOf(producer.initTransactions())
    assert.equal(told.code, 'TIMED_OUT')
    assert.match(told.message, /InitProducerId|within 100 ms/)
  })
})
