import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KafkaProducer, SendManyError, TimeoutError } from '../../dist/index.js'
import { MockProducer } from '../../dist/testing/index.js'

/** What an application may do with a producer that it is given. */
async function order(producer: KafkaProducer, id: string): Promise<string> {
  try {
    const { offset } = await producer.send({ topic: 'orders', key: id, value: JSON.stringify({ id }) })
    return `stored at ${offset}`
  } catch (error) {
    if (error instanceof TimeoutError) return 'try again'
    throw error
  }
}

test('code that takes a KafkaProducer is tested without a broker', async () => {
  const mock = new MockProducer({ autoComplete: false })
  const first = order(mock, '1')
  const second = order(mock, '2')
  assert.ok(mock.completeNext() && mock.errorNext(new TimeoutError('late')))
  assert.deepEqual(await Promise.all([first, second]), ['stored at 0', 'try again'])
  assert.deepEqual(mock.history()[0], { topic: 'orders', key: '1', value: '{"id":"1"}' })
})

test('callbacks, arrays and transactions of a mock', async () => {
  const mock = new MockProducer({ topics: { t: 3 } })
  const error = await new Promise(resolve => {
    assert.equal(mock.send({ topic: 't', key: 'k', value: 'v' }, resolve), true)
  })
  assert.equal(error, null)
  const some = mock.sendMany([{ topic: 't', value: 'v' }, { topic: 't', value: undefined } as never])
  await assert.rejects(some, (thrown: unknown) => thrown instanceof SendManyError && thrown.errors.size === 1)
  await mock.initTransactions()
  await mock.transaction(async tx => {
    await tx.send({ topic: 't', value: 'committed' })
    assert.equal(mock.uncommittedRecords().length, 1)
  })
  assert.equal(mock.commitCount, 1)
  assert.equal(mock.history().length, 3)
  await mock.flush()
  await mock.close()
  assert.ok(mock.flushed && mock.closed)
})
