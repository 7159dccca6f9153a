// The least loaded node, as rows of Java's NetworkClientTest have it, and features that go back.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FinalizedFeatures } from '../../dist/cluster/finalized-features.js'
import { chooseNode } from '../../dist/cluster/node-choice.js'
import { type NodeConnection, NodeState } from '../../dist/cluster/node-connection.js'

interface Shape {
  id: number
  state?: NodeState
  throttled?: boolean
  full?: boolean
  inFlight?: number
  lastAttemptAt?: number
  backoffUntil?: number
}

/** What the choice asks of a connection. */
function nodeOf(shape: Shape): NodeConnection {
  const { id, state = NodeState.Disconnected, throttled = false, backoffUntil = -Infinity } = shape
  return {
    id,
    state,
    inFlightCount: shape.inFlight ?? 0,
    isUsable: state === NodeState.Ready && !throttled,
    lastAttemptAt: shape.lastAttemptAt ?? -Infinity,
    backoffUntil,
    canConnect: (now: number) => state === NodeState.Disconnected && now >= backoffUntil,
  } as unknown as NodeConnection
}

/** The kind and the node chosen, for every start: the start must not matter where one node is the best. */
function choices(shapes: readonly Shape[], now = 1000): string[] {
  const nodes = shapes.map(nodeOf)
  const all = nodes.map((_, start) => {
    const choice = chooseNode(nodes, now, start)
    if (choice.kind !== 'none') return `${choice.kind} ${choice.node.id}`
    return `none until ${choice.until}${choice.connected ? ', connected' : ''}`
  })
  return [...new Set(all)].sort()
}

describe('the node for a request that any broker can answer', () => {
  const { Connecting, Negotiating, Ready } = NodeState

  it('is the usable one with the fewest requests in flight', () => {
    assert.deepEqual(
      choices([
        { id: 1, state: Ready, inFlight: 3 },
        { id: 2, state: Ready, inFlight: 1 },
        { id: 3, state: Ready, inFlight: 2 },
        { id: 4 },
      ]),
      ['usable 2'],
    )
  })

  it('is any of those that have equally many, so that clients spread', () => {
    const equal = [1, 2, 3].map(id => ({ id, state: Ready, inFlight: 2 }))
    assert.deepEqual(choices(equal), ['usable 1', 'usable 2', 'usable 3'])
  })

  it('is a busy one rather than one that would have to be connected to', () => {
    assert.deepEqual(choices([{ id: 1, state: Ready, inFlight: 100 }, { id: 2 }]), ['usable 1'])
  })

  it('is one that is connecting, rather than another connection', () => {
    for (const state of [Connecting, Negotiating]) {
      assert.deepEqual(choices([{ id: 1 }, { id: 2, state }, { id: 3 }]), ['connecting 2'])
    }
  })

  it('is the one whose last attempt is longest ago, and one that was never tried before all', () => {
    const tried = [
      { id: 1, lastAttemptAt: 900 },
      { id: 2, lastAttemptAt: 300 },
      { id: 3, lastAttemptAt: 500 },
    ]
    assert.deepEqual(choices(tried), ['connectable 2'])
    assert.deepEqual(choices([...tried, { id: 4 }]), ['connectable 4'])
  })

  it('is not one in backoff, up to the moment that its backoff is over', () => {
    const shapes = [
      { id: 1, lastAttemptAt: 1, backoffUntil: 2000 },
      { id: 2, lastAttemptAt: 900, backoffUntil: 1000 },
    ]
    assert.deepEqual(choices(shapes, 999), ['none until 1000'])
    assert.deepEqual(choices(shapes, 1000), ['connectable 2'])
    assert.deepEqual(choices(shapes, 2000), ['connectable 1'])
  })

  it('is none where all are throttled or in backoff, and says whether there are connections', () => {
    const backoff = { id: 1, backoffUntil: 5000 }
    assert.deepEqual(choices([backoff]), ['none until 5000'])
    assert.deepEqual(choices([backoff, { id: 2, state: Ready, throttled: true }]), [
      'none until 5000, connected',
    ])
    assert.deepEqual(chooseNode([], 0, 0), { kind: 'none', until: Infinity, connected: false })
  })

  it('is another one while the least loaded is throttled', () => {
    assert.deepEqual(
      choices([
        { id: 1, state: Ready, throttled: true },
        { id: 2, state: Ready, inFlight: 4 },
      ]),
      ['usable 2'],
    )
  })
})

describe('finalized features', () => {
  const told = (epoch: bigint, level: number | null) => ({
    finalizedFeaturesEpoch: epoch,
    finalizedFeatures:
      level === null ? [] : [{ name: 'transaction.version', maxVersionLevel: level, minVersionLevel: level }],
  })
  const levelAfter = (...all: ReturnType<typeof told>[]) => {
    const features = new FinalizedFeatures()
    for (const each of all) features.take(each)
    return features.level('transaction.version')
  }

  it('are those of the latest epoch, whichever broker speaks last', () => {
    assert.equal(levelAfter(told(5n, 1), told(6n, 2)), 2)
    assert.equal(levelAfter(told(6n, 2), told(5n, 1)), 2)
  })

  it('go back where a later epoch says so, and are gone where it has none', () => {
    assert.equal(levelAfter(told(5n, 2), told(6n, 1)), 1)
    assert.equal(levelAfter(told(5n, 2), told(6n, null)), 0)
  })

  it('are not taken from brokers that do not know the epoch, or know another story of the same one', () => {
    assert.equal(levelAfter(told(0n, 1), told(-1n, 2)), 1)
    assert.equal(levelAfter(told(-1n, 2)), 0)
    assert.equal(levelAfter(told(5n, 1), told(5n, 2)), 1)
  })
})
