import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackoffSet } from '../../dist/accumulator/partition/backoff-set.js'
import { PartitionState } from '../../dist/accumulator/partition/partition-state.js'
import { TopicState } from '../../dist/accumulator/partition/topic-state.js'

function partitions(count: number): PartitionState[] {
  const topic = new TopicState('t', 0)
  return Array.from({ length: count }, (_, index) => new PartitionState(topic, index))
}

test('partitions are due when their time has come, and the earliest of the others is known', () => {
  const [first, second, third] = partitions(3) as [PartitionState, PartitionState, PartitionState]
  const backingOff = new BackoffSet()
  assert.equal(backingOff.earliestMs, Number.POSITIVE_INFINITY)
  backingOff.add(first, 30)
  backingOff.add(second, 10)
  backingOff.add(third, 20)
  assert.equal(backingOff.earliestMs, 10)
  assert.deepEqual(backingOff.due(9), [])
  assert.deepEqual(backingOff.due(20), [second, third])
  assert.equal(backingOff.earliestMs, 30)
  for (const partition of [second, third]) backingOff.remove(partition)
  assert.deepEqual([...backingOff], [first])
  assert.equal(second.backoffUntilMs, Number.NEGATIVE_INFINITY)
})

test('a backoff is made longer and never shorter', () => {
  const [partition] = partitions(1) as [PartitionState]
  const backingOff = new BackoffSet()
  backingOff.add(partition, 50)
  backingOff.add(partition, 40)
  assert.equal(partition.backoffUntilMs, 50)
  assert.deepEqual(backingOff.due(49), [])
  assert.deepEqual(backingOff.due(50), [partition])
})

test('while none is due a look does not go through them all', () => {
  const backingOff = new BackoffSet()
  for (const partition of partitions(1000)) backingOff.add(partition, 100)
  const set = (backingOff as unknown as { partitions: Set<PartitionState> }).partitions
  set[Symbol.iterator] = () => assert.fail('went through all')
  for (let now = 0; now < 100; now++) assert.deepEqual(backingOff.due(now), [])
})
