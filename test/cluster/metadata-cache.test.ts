import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MetadataCache } from '../../dist/cluster/metadata-cache.js'
import { ProtocolError } from '../../dist/errors/index.js'
import type { MetadataPartition, MetadataResponse } from '../../dist/protocol/metadata.js'
import { uuidKey } from '../../dist/protocol/uuid.js'
import { type MetadataShape, metadataResponse } from '../helpers/scripted-broker.js'

const BROKERS = [
  { id: 1, host: 'one', port: 9092 },
  { id: 2, host: 'two', port: 9092 },
]
const FIRST_ID = new Uint8Array(16).fill(1)
const SECOND_ID = new Uint8Array(16).fill(2)

interface Applying {
  partial?: boolean
  version?: number
  requested?: readonly string[]
  tracked?: readonly string[]
}

function apply(cache: MetadataCache, response: MetadataResponse, options: Applying = {}) {
  const requested = options.requested ?? response.topics.map(topic => topic.name ?? '')
  const tracked = options.tracked
  return cache.apply(response, {
    version: options.version ?? 13,
    partial: options.partial ?? false,
    requested: new Set(requested),
    isTracked: topic => tracked === undefined || tracked.includes(topic),
  })
}

function topics(shape: MetadataShape['topics']): MetadataResponse {
  return metadataResponse({ brokers: BROKERS, topics: shape ?? {} })
}

function leaders(cache: MetadataCache, topic: string): [number, number][] | undefined {
  return cache.topic(topic)?.partitions.map(({ leaderId, leaderEpoch }) => [leaderId, leaderEpoch])
}

function partition(partitionIndex: number, overrides: Partial<MetadataPartition> = {}): MetadataPartition {
  const base = {
    errorCode: 0,
    leaderId: 1,
    leaderEpoch: 0,
    replicaNodes: [1],
    isrNodes: [1],
    offlineReplicas: [],
  }
  return { ...base, partitionIndex, ...overrides }
}

function withPartitions(partitions: readonly MetadataPartition[], name = 't'): MetadataResponse {
  const response = topics({ [name]: {} })
  return { ...response, topics: response.topics.map(topic => ({ ...topic, partitions })) }
}

describe('MetadataCache', () => {
  it('knows nothing but the bootstrap servers, under negative ids, before the first response', () => {
    const cache = new MetadataCache()
    cache.bootstrap([
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ])
    assert.deepEqual(cache.nodes(), [
      { id: -1, host: 'a', port: 1, rack: null },
      { id: -2, host: 'b', port: 2, rack: null },
    ])
    assert.equal(cache.bootstrapping, true)
    assert.equal(cache.version, 0)
  })

  it('takes nodes, cluster id, controller and topics from a response and counts versions', () => {
    const cache = new MetadataCache()
    cache.bootstrap([{ host: 'a', port: 1 }])
    apply(cache, { ...topics({ t: { leaders: [1, 2], epoch: 4, id: FIRST_ID } }), controllerId: 2 })
    assert.equal(cache.version, 1)
    assert.equal(cache.bootstrapping, false)
    assert.equal(cache.clusterId, 'test-cluster')
    assert.equal(cache.controllerId, 2)
    assert.equal(cache.node(-1), undefined)
    assert.deepEqual(cache.node(2), { id: 2, host: 'two', port: 9092, rack: null })
    assert.deepEqual(leaders(cache, 't'), [
      [1, 4],
      [2, 4],
    ])
    assert.equal(cache.topicById(uuidKey(FIRST_ID)), cache.topic('t'))
    apply(cache, topics({ t: { leaders: [1, 2], epoch: 4, id: FIRST_ID } }))
    assert.equal(cache.version, 2)
  })

  it('ignores a leader of an older epoch than the one seen, and takes one of the same or a newer epoch', () => {
    const cache = new MetadataCache()
    apply(cache, topics({ t: { leaders: [1], epoch: 5 } }))
    apply(cache, topics({ t: { leaders: [2], epoch: 4 } }))
    assert.deepEqual(leaders(cache, 't'), [[1, 5]])
    apply(cache, topics({ t: { leaders: [2], epoch: 5 } }))
    assert.deepEqual(leaders(cache, 't'), [[2, 5]])
    apply(cache, topics({ t: { leaders: [1], epoch: 6 } }))
    assert.deepEqual(leaders(cache, 't'), [[1, 6]])
  })

  it('takes an older epoch from a topic that was made again under a new id', () => {
    const cache = new MetadataCache()
    apply(cache, topics({ t: { leaders: [1, 1], epoch: 5, id: FIRST_ID } }))
    apply(cache, topics({ t: { leaders: [2], epoch: 0, id: SECOND_ID } }))
    assert.deepEqual(leaders(cache, 't'), [[2, 0]])
    assert.equal(cache.topicById(uuidKey(FIRST_ID)), undefined)
    assert.equal(cache.topicById(uuidKey(SECOND_ID))?.name, 't')
  })

  it('keeps the id of a topic when a response does not carry ids', () => {
    const cache = new MetadataCache()
    apply(cache, topics({ t: { leaders: [1], epoch: 5, id: FIRST_ID } }))
    apply(cache, topics({ t: { leaders: [2], epoch: 4 } }), { version: 9 })
    assert.deepEqual(leaders(cache, 't'), [[1, 5]])
    assert.deepEqual(cache.topic('t')?.id, FIRST_ID)
  })

  it('does not rely on the epochs of responses below version 9', () => {
    const cache = new MetadataCache()
    apply(cache, topics({ t: { leaders: [1], epoch: 5 } }), { version: 8 })
    assert.deepEqual(leaders(cache, 't'), [[1, -1]])
    apply(cache, topics({ t: { leaders: [2], epoch: 4 } }), { version: 8 })
    assert.deepEqual(leaders(cache, 't'), [[2, -1]])
  })

  it('remembers the epochs of a tracked topic while it is gone from the metadata', () => {
    const cache = new MetadataCache()
    apply(cache, topics({ t: { leaders: [1], epoch: 5 } }))
    apply(cache, topics({ t: { errorCode: 3 } }))
    assert.equal(cache.topic('t'), undefined)
    apply(cache, topics({ t: { leaders: [2], epoch: 3 } }))
    assert.deepEqual(leaders(cache, 't'), [[-1, 5]])
    apply(cache, topics({ t: { leaders: [2], epoch: 5 } }))
    assert.deepEqual(leaders(cache, 't'), [[2, 5]])
  })

  it('forgets everything of a topic that is no longer tracked', () => {
    const cache = new MetadataCache()
    apply(cache, topics({ t: { leaders: [1], epoch: 5, id: FIRST_ID }, u: { errorCode: 17 } }))
    apply(cache, topics({}), { tracked: [] })
    assert.equal(cache.topic('t'), undefined)
    assert.equal(cache.topicError('u'), 0)
    assert.equal(cache.topicById(uuidKey(FIRST_ID)), undefined)
    apply(cache, topics({ t: { leaders: [2], epoch: 3 } }))
    assert.deepEqual(leaders(cache, 't'), [[2, 3]])
  })

  it('gives partitions without leader the id -1: not available, or a broker that is not in the response', () => {
    const cache = new MetadataCache()
    const reply = withPartitions([
      partition(0, { errorCode: 5, leaderId: 1 }),
      partition(1, { leaderId: 99 }),
      partition(2, { errorCode: 9, leaderId: 2 }),
    ])
    const applied = apply(cache, reply)
    assert.deepEqual(leaders(cache, 't'), [
      [-1, 0],
      [-1, 0],
      [2, 0],
    ])
    assert.equal(applied.outdated, true)
  })

  it('fills in partitions that a response leaves out', () => {
    const cache = new MetadataCache()
    apply(cache, withPartitions([partition(3), partition(1)]))
    const { partitions } = cache.topic('t') ?? { partitions: [] }
    assert.deepEqual(
      partitions.map(({ index, leaderId }) => [index, leaderId]),
      [
        [0, -1],
        [1, 1],
        [2, -1],
        [3, 1],
      ],
    )
  })

  it('takes fewer partitions for news only if the topic was made again, or topics have no ids', () => {
    const cache = new MetadataCache()
    apply(cache, topics({ t: { leaders: [1, 2, 1, 2], epoch: 3, id: FIRST_ID } }))
    const stale = apply(cache, topics({ t: { leaders: [1, 2], epoch: 3, id: FIRST_ID } }))
    assert.equal(stale.outdated, true, 'partitions of a topic never go, so it is worth asking again')
    assert.deepEqual(leaders(cache, 't'), [
      [1, 3],
      [2, 3],
      [-1, 3],
      [-1, 3],
    ])
    apply(cache, topics({ t: { leaders: [2], epoch: 0, id: SECOND_ID } }))
    assert.deepEqual(leaders(cache, 't'), [[2, 0]])
    apply(cache, topics({ old: { leaders: [1, 1], epoch: 1 } }), { version: 9 })
    apply(cache, topics({ old: { leaders: [1], epoch: 1 } }), { version: 9 })
    assert.deepEqual(leaders(cache, 'old'), [[1, 1]])
  })

  it('refuses impossible responses whole and stays as it was', () => {
    const cache = new MetadataCache()
    apply(cache, topics({ t: { leaders: [1], epoch: 5 } }))
    const twice = topics({ t: { leaders: [2], epoch: 6 } })
    const impossible: [MetadataResponse, RegExp][] = [
      [withPartitions([partition(-1)]), /partition -1/],
      [withPartitions([partition(10_001)]), /partition 10001 of topic t, of which it names 1/],
      [withPartitions([partition(1_000_000)]), /partition 1000000/],
      [withPartitions([partition(2147483647)]), /partition 2147483647/],
      [withPartitions([partition(0, { leaderId: 2 }), partition(0)]), /t-0 twice/],
      [{ ...twice, topics: [...twice.topics, ...twice.topics] }, /topic t twice/],
      [{ ...twice, brokers: [...twice.brokers, ...twice.brokers] }, /broker 1 twice/],
      [metadataResponse({ brokers: [{ id: 1, host: '', port: 9092 }] }), /no broker/],
      [metadataResponse({ brokers: [{ id: 1, host: 'a', port: 70_000 }] }), /no broker/],
    ]
    for (const [response, expected] of impossible) {
      assert.throws(
        () => apply(cache, response),
        (error: unknown) => error instanceof ProtocolError && expected.test(error.message),
        String(expected),
      )
      assert.deepEqual(leaders(cache, 't'), [[1, 5]])
      assert.equal(cache.version, 1)
    }
  })

  it('refuses a million partitions in all before making any', () => {
    const cache = new MetadataCache()
    const partitions = Array.from({ length: 500_001 }, (_, index) => partition(index))
    const many = [0, 1].flatMap(at => withPartitions(partitions, `t${at}`).topics)
    assert.throws(() => apply(cache, { ...topics({}), topics: many }), /more than 1000000 partitions/)
    assert.equal(cache.version, 0)
  })

  it('leaves out brokers that cannot be connected to, and what they lead has no leader', () => {
    const cache = new MetadataCache()
    const bad = { id: 2, host: 'two', port: 0 }
    apply(cache, metadataResponse({ brokers: [BROKERS[0] ?? bad, bad], topics: { t: { leaders: [1, 2] } } }))
    assert.equal(cache.node(2), undefined)
    assert.deepEqual(leaders(cache, 't'), [
      [1, 0],
      [-1, 0],
    ])
  })

  it('does not look at topics that were not asked for', () => {
    const cache = new MetadataCache()
    apply(cache, topics({ t: { leaders: [1] }, intruder: { leaders: [1] } }), { requested: ['t'] })
    assert.equal(cache.topic('intruder'), undefined)
  })

  it('keeps topics that a partial response was not asked for and drops those a full one does not know', () => {
    const cache = new MetadataCache()
    apply(cache, topics({ old: { leaders: [1] } }))
    apply(cache, topics({ fresh: { leaders: [2] } }), { partial: true })
    assert.ok(cache.topic('old'))
    assert.ok(cache.topic('fresh'))
    apply(cache, topics({ old: { errorCode: 3 }, fresh: { leaders: [2] } }))
    assert.equal(cache.topic('old'), undefined)
    assert.equal(cache.topicError('old'), 3)
    assert.ok(cache.topic('fresh'))
  })

  it('reports the last error of a topic until a response has it without one', () => {
    const cache = new MetadataCache()
    assert.equal(cache.topicError('t'), 0)
    const denied = apply(cache, topics({ t: { errorCode: 29 } }))
    assert.equal(cache.topicError('t'), 29)
    assert.equal(denied.outdated, false)
    const unknown = apply(cache, topics({ t: { errorCode: 3 } }))
    assert.equal(unknown.outdated, true)
    apply(cache, topics({ t: { leaders: [1] } }))
    assert.equal(cache.topicError('t'), 0)
  })

  it('takes a topic that was asked for and is not in the response for unknown', () => {
    const cache = new MetadataCache()
    const applied = apply(cache, topics({}), { requested: ['t'] })
    assert.equal(cache.topicError('t'), 3)
    assert.equal(applied.outdated, true)
  })

  it('tells whether a response brought news', () => {
    const cache = new MetadataCache()
    assert.equal(apply(cache, topics({ t: { leaders: [1], epoch: 1 } })).progressed, true)
    assert.equal(apply(cache, topics({ t: { leaders: [1], epoch: 1 } })).progressed, false)
    assert.equal(apply(cache, topics({ t: { leaders: [1], epoch: 2 } })).progressed, true)
    assert.equal(apply(cache, topics({ t: { leaders: [1, 1], epoch: 2 } })).progressed, true)
    assert.equal(apply(cache, topics({ t: { errorCode: 3 } })).progressed, false)
  })

  it('never changes a topic that was given out', () => {
    const cache = new MetadataCache()
    apply(cache, topics({ t: { leaders: [1, 1], epoch: 1 } }))
    const before = cache.topic('t')
    const copy = structuredClone(before)
    cache.applyLeaderHint({ topic: 't', partition: 0, leaderId: 2, leaderEpoch: 2, endpoints: [] })
    apply(cache, topics({ t: { errorCode: 3 } }))
    cache.bootstrap([{ host: 'a', port: 1 }])
    assert.deepEqual(before, copy)
  })

  it('keeps partitions but no leaders when it goes back to the bootstrap servers', () => {
    const cache = new MetadataCache()
    apply(cache, topics({ t: { leaders: [1, 2], epoch: 3 } }))
    cache.bootstrap([{ host: 'a', port: 1 }])
    assert.deepEqual(leaders(cache, 't'), [
      [-1, 3],
      [-1, 3],
    ])
    assert.equal(cache.node(1), undefined)
    apply(cache, topics({ t: { leaders: [1, 2], epoch: 3 } }))
    assert.deepEqual(leaders(cache, 't'), [
      [1, 3],
      [2, 3],
    ])
  })
})

describe('A leader hint', () => {
  const hint = { topic: 't', partition: 0, leaderId: 2, leaderEpoch: 6, endpoints: [] }

  function cached(): MetadataCache {
    const cache = new MetadataCache()
    apply(cache, topics({ t: { leaders: [1], epoch: 5 } }))
    return cache
  }

  it('is taken when its epoch is newer and the node is known', () => {
    const cache = cached()
    assert.equal(cache.applyLeaderHint(hint), true)
    assert.deepEqual(leaders(cache, 't'), [[2, 6]])
    assert.equal(cache.version, 1)
  })

  it('brings the address of its node along', () => {
    const cache = cached()
    let nodesChanged = 0
    cache.onNodesChanged = () => nodesChanged++
    const endpoints = [{ nodeId: 3, host: 'three', port: 9092, rack: 'r' }]
    assert.equal(cache.applyLeaderHint({ ...hint, leaderId: 3, endpoints }), true)
    assert.deepEqual(cache.node(3), { id: 3, host: 'three', port: 9092, rack: 'r' })
    assert.equal(nodesChanged, 1)
  })

  it('is ignored otherwise', () => {
    const broken = [{ nodeId: 3, host: 'three', port: -1, rack: null }]
    const ignored = [
      { ...hint, leaderEpoch: 5 },
      { ...hint, leaderEpoch: 4 },
      { ...hint, leaderEpoch: -1 },
      { ...hint, leaderId: -1 },
      { ...hint, leaderId: 99 },
      { ...hint, leaderId: 3, endpoints: broken },
      { ...hint, topic: 'unknown' },
      { ...hint, partition: 1 },
      { ...hint, partition: -1 },
    ]
    for (const each of ignored) {
      const cache = cached()
      assert.equal(cache.applyLeaderHint(each), false, JSON.stringify(each))
      assert.deepEqual(leaders(cache, 't'), [[1, 5]])
      assert.equal(cache.nodes().length, 2)
    }
  })

  it('protects its epoch against a response that is older', () => {
    const cache = cached()
    cache.applyLeaderHint(hint)
    apply(cache, topics({ t: { leaders: [1], epoch: 5 } }))
    assert.deepEqual(leaders(cache, 't'), [[2, 6]])
  })
})
