// Which record of a refused batch gets which error: rows of Java's SenderTest and ProducerBatchTest.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PartitionBatch } from '../../dist/accumulator/partition/partition-state.js'
import { Producer } from '../../dist/index.js'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import type { ProducePartitionResponse } from '../../dist/protocol/produce.js'
import { namedRecordErrors, withOthers } from '../../dist/sender/record-errors.js'
import { startBroker } from '../../dist/testing/index.js'

const INVALID_TIMESTAMP = ErrorCodes.INVALID_TIMESTAMP
const RECORDS = 4
const batch = {
  recordCount: RECORDS,
  partition: { topic: { name: 't' }, index: 2 },
} as unknown as PartitionBatch

type Named = [batchIndex: number, batchIndexErrorMessage: string | null]

function named(errors: readonly Named[], errorMessage: string | null = null) {
  const recordErrors = errors.map(([batchIndex, batchIndexErrorMessage]) => ({
    batchIndex,
    batchIndexErrorMessage,
  }))
  const answer = { recordErrors, errorMessage } as unknown as ProducePartitionResponse
  return namedRecordErrors(batch, INVALID_TIMESTAMP, answer)
}

const shown = (errors: ReadonlyMap<number, Error>) =>
  [...errors].map(([index, error]) => {
    const { errorName, retriable } = error as Error & { errorName: string; retriable: boolean }
    const [, reason = ''] = /t-2: (.*) \(/.exec(error.message) ?? []
    return [index, errorName, reason, retriable]
  })

describe('errors of records', () => {
  test('a record that is refused alone has the error of the batch', () => {
    assert.deepEqual(shown(named([[1, 'too old']])), [[1, 'INVALID_TIMESTAMP', 'too old', false]])
  })

  test('several have INVALID_RECORD, for the batch has one error only', () => {
    const errors = named([
      [0, 'too old'],
      [3, 'too new'],
    ])
    assert.deepEqual(shown(errors), [
      [0, 'INVALID_RECORD', 'too old', false],
      [3, 'INVALID_RECORD', 'too new', false],
    ])
  })

  test('the reason is the record’s, else the batch’s, else there is none', () => {
    assert.deepEqual(shown(named([[0, 'own']], 'the batch’s'))[0]?.[2], 'own')
    assert.deepEqual(shown(named([[0, null]], 'the batch’s'))[0]?.[2], 'the batch’s')
    assert.deepEqual(shown(named([[0, null]]))[0]?.[2], 'the broker gave no reason')
  })

  test('indexes that no record has are passed over', () => {
    assert.deepEqual(
      shown(
        named([
          [-1, 'x'],
          [RECORDS, 'x'],
          [2 ** 31 - 1, 'x'],
          [3, 'last'],
        ]),
      ).map(([index]) => index),
      [3],
    )
    assert.equal(withOthers(batch, INVALID_TIMESTAMP, named([[RECORDS, 'x']])), null)
    assert.equal(namedRecordErrors(batch, INVALID_TIMESTAMP, null).size, 0)
  })

  test('the others say that they were not at fault, and may be sent again', () => {
    const all = withOthers(batch, INVALID_TIMESTAMP, named([[1, 'too old']]))
    assert.equal(all?.size, RECORDS)
    const retriable = Array.from(all?.values() ?? [], error => error.retriable)
    assert.deepEqual(retriable, [true, false, true, true])
    assert.match(String(all?.get(0)?.message), /others of its batch were refused/)
  })
})

test('each record of a transaction’s batch gets its own error, in the order of the batch', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 1 })
  await using producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    transactionalId: 'tx',
    lingerMs: 10_000,
  })
  await producer.initTransactions()
  producer.beginTransaction()
  broker.fail({
    api: 'Produce',
    error: 'INVALID_TIMESTAMP',
    message: 'of the batch',
    recordErrors: [
      { batchIndex: 0, batchIndexErrorMessage: 'of its own' },
      { batchIndex: 2, batchIndexErrorMessage: null },
    ],
  })
  const sends = ['a', 'b', 'c'].map(value => producer.send({ topic: 't', partition: 0, value }))
  const settled = Promise.allSettled(sends)
  await assert.rejects(producer.commitTransaction(), { abortable: true })
  const reasons = (await settled).map(result => String((result as PromiseRejectedResult).reason.message))
  assert.match(String(reasons[0]), /refused the record for t-0: of its own \(INVALID_RECORD\)/)
  assert.match(String(reasons[1]), /others of its batch were refused/)
  assert.match(String(reasons[2]), /refused the record for t-0: of the batch \(INVALID_RECORD\)/)
  await producer.abortTransaction()
})
