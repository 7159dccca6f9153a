import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Completion } from '../../dist/transactions/completion.js'
import { eventually } from '../helpers/eventually.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { Ground } from './support.js'

describe('whether the transaction before is completed', () => {
  it('is asked when records follow soon, and not when they come later', () => {
    const clock = new FakeClock()
    const completion = new Completion(clock)
    assert.equal(completion.begins(), false, 'there was none')
    completion.ended()
    clock.advance(99)
    assert.equal(completion.begins(), true)
    completion.ended()
    clock.advance(100)
    assert.equal(completion.begins(), false)
  })

  it('is asked once, and at the end already where the last transaction was in a hurry', () => {
    const clock = new FakeClock()
    const completion = new Completion(clock)
    assert.equal(completion.ended(), false)
    assert.equal(completion.begins(), true)
    assert.equal(completion.ended(), true)
    assert.equal(completion.begins(), false)
    assert.equal(completion.ended(), true)
    clock.advance(100)
    assert.equal(completion.begins(), false)
    assert.equal(completion.ended(), false, 'the last one was not')
  })

  it('is asked again at once a few times, then after times that double, up to what Java waits', () => {
    const completion = new Completion(new FakeClock())
    const waits = () => Array.from({ length: 11 }, () => completion.retryMs())
    const expected = [0, 0, 0, 0, 1, 2, 4, 8, 16, 20, 20]
    assert.deepEqual(waits(), expected)
    completion.ended()
    assert.deepEqual(waits(), expected)
  })
})

describe('records of transaction.version 2', () => {
  it('stay in the client until the transaction before is completed', async () => {
    await using ground = await Ground.start({ transactionVersion: 2 })
    const producer = await ground.ready()
    for (const value of ['a', 'b', 'c']) {
      const held = ground.broker.holdMarkers()
      const seen = ground.watch()
      await producer.transaction(async () => void producer.send({ topic: 'out', partition: 0, value }))
      assert.equal(ground.broker.transactionState('tx'), 'PrepareCommit')
      seen.length = 0
      producer.beginTransaction()
      const sent = producer.send({ topic: 'out', partition: 0, value: `after ${value}` })
      await eventually('a few questions', () => seen.length >= 6)
      assert.deepEqual(new Set(seen), new Set(['DescribeTransactions']))
      held.release()
      await sent
      await producer.commitTransaction()
    }
    assert.deepEqual(ground.committed('out', 0), ['a', 'after a', 'b', 'after b', 'c', 'after c'])
  })

  it('are aborted without waiting for the answer', async () => {
    await using ground = await Ground.start({ transactionVersion: 2 })
    const producer = await ground.ready()
    await producer.transaction(async () => void producer.send({ topic: 'out', value: 'a' }))
    const held = ground.broker.hold({ api: 'DescribeTransactions' })
    producer.beginTransaction()
    const refused = assert.rejects(producer.send({ topic: 'out', value: 'b' }))
    const aborted = producer.abortTransaction()
    await refused
    held.release()
    await aborted
    await producer.transaction(async () => void producer.send({ topic: 'out', value: 'c' }))
    assert.deepEqual(ground.committed().sort(), ['a', 'c'])
  })

  it('go without an answer where the broker does not know the question', async () => {
    await using ground = await Ground.start({
      transactionVersion: 2,
      apiVersions: { DescribeTransactions: null },
    })
    const producer = await ground.ready()
    const seen = ground.watch()
    for (const value of ['a', 'b', 'c']) {
      await producer.transaction(async () => void producer.send({ topic: 'out', partition: 0, value }))
    }
    assert.deepEqual(ground.committed('out', 0), ['a', 'b', 'c'])
    assert.ok(!seen.includes('DescribeTransactions'))
  })
})
