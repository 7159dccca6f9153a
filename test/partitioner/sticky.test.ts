// KIP-794: which partition is next for records without a key, with exactly the weights it states.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseStickyPartition, type StickyOptions, type TopicLoad } from '../../dist/partitioner/sticky.js'

interface Load {
  queues: readonly number[]
  leaderless?: readonly number[]
  undrainable?: readonly number[]
}

function loadOf({ queues, leaderless = [] }: Load): TopicLoad {
  return {
    partitionCount: queues.length,
    available: queues.map((_, index) => index).filter(index => !leaderless.includes(index)),
    // Every partition has a leader of its own. The order is any.
    queued: queues
      .map((length, index) => ({ index, leaderId: 100 + index, queue: { length } }))
      .filter(({ queue }) => queue.length > 0)
      .reverse(),
  }
}

/** How often each partition is chosen when the random numbers are `shares` values at even distances. */
function countChoices(load: Load, shares: number, adaptive = true): number[] {
  const counts = new Array<number>(load.queues.length).fill(0)
  for (let share = 0; share < shares; share++) {
    const options: StickyOptions = {
      adaptive,
      random: () => (share + 0.5) / shares,
      isDrainable: leaderId => load.undrainable?.includes(leaderId - 100) !== true,
    }
    const partition = chooseStickyPartition(loadOf(load), options)
    counts[partition] = (counts[partition] as number) + 1
  }
  return counts
}

test('the example of the KIP: queues of 0, 3 and 1 batches weigh 4, 1 and 3', () => {
  assert.deepEqual(countChoices({ queues: [0, 3, 1] }, 8), [4, 1, 3])
})

test('the weight of a partition is the longest queue, plus one, minus its own: 500 random loads', () => {
  let seed = 12345
  const below = (limit: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return (seed >>> 8) % limit
  }
  for (let round = 0; round < 500; round++) {
    const queues = Array.from({ length: 2 + below(9) }, () => below(6))
    const leaderless = queues.map((_, index) => index).filter(index => index > 0 && below(5) === 0)
    const undrainable = queues.map((_, index) => index).filter(() => below(5) === 0)
    const isLeftOut = (index: number) => undrainable.includes(index) && (queues[index] as number) > 0
    const candidates = queues.map((_, index) => index).filter(i => !leaderless.includes(i) && !isLeftOut(i))
    const longest = Math.max(...candidates.map(index => queues[index] as number))
    const weights = queues.map((length, index) => (candidates.includes(index) ? longest + 1 - length : 0))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    if (total === 0) continue
    assert.deepEqual(
      countChoices({ queues, leaderless, undrainable }, total),
      weights,
      JSON.stringify({ queues }),
    )
  }
})

test('equal queues, and no adaptivity, give every partition that has a leader the same share', () => {
  assert.deepEqual(countChoices({ queues: [2, 2, 2, 2] }, 12), [3, 3, 3, 3])
  assert.deepEqual(countChoices({ queues: [2, 2, 2, 2], leaderless: [1] }, 12), [4, 0, 4, 4])
  assert.deepEqual(countChoices({ queues: [0, 9, 5, 2] }, 12, false), [3, 3, 3, 3])
  assert.deepEqual(countChoices({ queues: [7] }, 5), [5])
})

test('a leader that takes nothing gets nothing new, unless its partition has nothing queued', () => {
  assert.deepEqual(countChoices({ queues: [1, 1, 1], undrainable: [1] }, 10), [5, 0, 5])
  assert.deepEqual(countChoices({ queues: [1, 0, 1], undrainable: [1] }, 4), [1, 2, 1])
  // If nobody is left, load says nothing.
  assert.deepEqual(countChoices({ queues: [1, 3], undrainable: [0, 1] }, 10), [5, 5])
})

test('without any leader every partition is as good as another', () => {
  assert.deepEqual(countChoices({ queues: [0, 4, 1], leaderless: [0, 1, 2] }, 9), [3, 3, 3])
})

test('every random number in [0, 1) gives a partition', () => {
  for (const value of [0, Number.MIN_VALUE, 0.5, 1 - Number.EPSILON / 2]) {
    for (const adaptive of [true, false]) {
      const options = { adaptive, random: () => value, isDrainable: () => true }
      const partition = chooseStickyPartition(loadOf({ queues: [3, 0, 2] }), options)
      assert.ok(partition >= 0 && partition < 3)
    }
  }
})

test('the choice among 100,000 partitions looks only at those that have something queued', () => {
  const available = Array.from({ length: 100_000 }, (_, index) => index)
  let reads = 0
  const watched = new Proxy(available, {
    get(target, name) {
      if (typeof name === 'string' && /^\d+$/.test(name)) reads++
      return Reflect.get(target, name)
    },
  })
  const queued = [70, 5, 99_999].map(index => ({ index, leaderId: 1, queue: { length: 2 } }))
  const load = { partitionCount: available.length, available: watched, queued }
  const options = { adaptive: true, random: () => 0.5, isDrainable: () => true }
  const chosen = chooseStickyPartition(load, options)
  assert.ok(chosen >= 49_990 && chosen <= 50_010, `${chosen}`)
  assert.ok(reads < 100, `${reads} reads`)
})
