import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { ClusterClient, type ClusterClientOptions } from '../../dist/cluster/cluster-client.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { clusterOptions, type RecordingLogger } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { rawResponse } from '../helpers/raw-requests.js'
import {
  type IncomingRequest,
  type MetadataShape,
  metadataResponse,
  requestedTopics,
  ScriptedBroker,
} from '../helpers/scripted-broker.js'

const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function brokerOf(...args: Parameters<typeof ScriptedBroker.start>): Promise<ScriptedBroker> {
  const broker = await ScriptedBroker.start(...args)
  cleanups.push(() => broker.close())
  return broker
}

interface Rig {
  client: ClusterClient
  clock: FakeClock
  updates: () => number
  logger: RecordingLogger
}

/** A client without jitter that matters: backoff 100 ms, doubling, up to a second, ±20 %. */
function clientOf(servers: readonly ScriptedBroker[], overrides: Partial<ClusterClientOptions> = {}): Rig {
  const clock = new FakeClock({ realImmediates: true })
  const options = clusterOptions(
    servers.map(server => server.address),
    {
      clock,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 1_000,
      reconnectBackoffMs: 50,
      reconnectBackoffMaxMs: 1_000,
      ...overrides,
    },
  )
  const client = new ClusterClient(options)
  cleanups.push(() => client.close())
  let updates = 0
  client.onUpdate = () => updates++
  return { client, clock, updates: () => updates, logger: options.logger as RecordingLogger }
}

/** Answers every Metadata request with what `shape` says at that time, itself being broker 1; keeps what was asked. */
function serving(broker: ScriptedBroker, shape: () => MetadataShape): (string | null)[][] {
  const asked: (string | null)[][] = []
  broker.script = request => {
    if (request.apiKey !== Metadata.key) return false
    asked.push(requestedTopics(request) ?? [])
    request.reply(Metadata, metadataResponse({ brokers: [{ id: 1, ...broker.address }], ...shape() }))
    return true
  }
  return asked
}

describe('Metadata updates', () => {
  it('ask nothing of nobody before a topic is tracked or an update requested', async () => {
    const broker = await brokerOf()
    const { clock } = clientOf([broker])
    await clock.advanceAsync(1_000_000)
    assert.equal(broker.sockets.length, 0)
    assert.equal(clock.pendingTimers, 0)
  })

  it('ask for all new topics of a turn in one request, and only for those once the rest is known', async () => {
    const broker = await brokerOf()
    const known = ['a', 'b', 'c', 'd', 'e']
    const asked = serving(broker, () => ({
      topics: Object.fromEntries(known.map(name => [name, { leaders: [1] }])),
    }))
    const { client, clock } = clientOf([broker])
    for (const name of ['a', 'b', 'c', 'a']) client.trackTopic(name)
    await eventually('first update', () => client.metadata.version === 1)
    client.trackTopic('d')
    client.trackTopic('a')
    client.trackTopic('e')
    await eventually('second update', () => client.metadata.version === 2)
    assert.deepEqual(asked, [
      ['a', 'b', 'c'],
      ['d', 'e'],
    ])
    assert.ok(known.every(name => client.metadata.topic(name) !== undefined))
    await clock.advanceAsync(10_000)
    assert.equal(asked.length, 2)
  })

  it('ask for a topic that came up during a request right after its response, without backoff', async () => {
    const broker = await brokerOf()
    const { client } = clientOf([broker])
    const held: IncomingRequest[] = []
    broker.script = request => request.apiKey === Metadata.key && held.push(request) > 0
    client.trackTopic('a')
    await eventually('first request', () => held.length === 1)
    client.trackTopic('b')
    const topics = { a: { leaders: [1] }, b: { leaders: [1] } }
    held[0]?.reply(Metadata, metadataResponse({ brokers: [{ id: 1, ...broker.address }], topics }))
    await eventually('second request', () => held.length === 2)
    assert.deepEqual(held[1] && requestedTopics(held[1]), ['b'])
    assert.equal(client.metadata.topic('b'), undefined, 'not asked for yet in the first')
  })

  it('are one request however often they are requested, and leave time between two', async () => {
    const broker = await brokerOf()
    const asked = serving(broker, () => ({ topics: { t: { leaders: [1] } } }))
    const { client, clock } = clientOf([broker])
    client.trackTopic('t')
    await eventually('first update', () => client.metadata.version === 1)
    for (let i = 0; i < 100; i++) client.requestUpdate()
    await clock.advanceAsync(79)
    assert.equal(asked.length, 1)
    await clock.advanceAsync(41)
    await eventually('second update', () => client.metadata.version === 2)
    await clock.advanceAsync(10_000)
    assert.equal(asked.length, 2)
  })

  it('keep asking for a topic that does not exist, ever more slowly, until it does', async () => {
    const broker = await brokerOf()
    let exists = false
    const times: number[] = []
    serving(broker, () => {
      times.push(clock.now())
      return { topics: { t: exists ? { leaders: [1] } : { errorCode: 3 } } }
    })
    const { client, clock } = clientOf([broker])
    client.trackTopic('t')
    const stepMs = 20
    for (let step = 0; step < 1_000 && times.length < 7; step++) await clock.advanceAsync(stepMs)
    assert.equal(client.metadata.topicError('t'), 3)
    for (const [index, delayMs] of [100, 200, 400, 800, 1_000].entries()) {
      const gapMs = (times[index + 1] ?? 0) - (times[index] ?? 0)
      assert.ok(gapMs >= delayMs * 0.8 - stepMs, `gap ${index}: ${gapMs} ms`)
      assert.ok(gapMs <= Math.min(delayMs * 1.2, 1_000) + 3 * stepMs, `gap ${index}: ${gapMs} ms`)
    }
    exists = true
    await clock.advanceAsync(1_200)
    await eventually('the topic', () => client.metadata.topic('t') !== undefined)
    const { length } = times
    await clock.advanceAsync(60_000)
    assert.equal(times.length, length)
  })

  it('do not ask again for a topic that may not be seen or written to', async () => {
    for (const errorCode of [17, 29]) {
      const broker = await brokerOf()
      const asked = serving(broker, () => ({ topics: { t: { errorCode } } }))
      const { client, clock } = clientOf([broker])
      client.trackTopic('t')
      await eventually('first update', () => client.metadata.topicError('t') === errorCode)
      await clock.advanceAsync(60_000)
      assert.equal(asked.length, 1)
    }
  })

  it('come by themselves when the last full one is too old; partial ones do not make it younger', async () => {
    const broker = await brokerOf()
    const asked = serving(broker, () => ({ topics: { t: { leaders: [1] }, u: { leaders: [1] } } }))
    const { client, clock } = clientOf([broker], { metadataMaxAgeMs: 10_000 })
    client.trackTopic('t')
    await eventually('first update', () => client.metadata.version === 1)
    await clock.advanceAsync(6_000)
    client.trackTopic('u')
    await eventually('partial update', () => client.metadata.version === 2)
    assert.deepEqual(asked[1], ['u'])
    await clock.advanceAsync(3_999)
    assert.equal(asked.length, 2)
    await clock.advanceAsync(2)
    await eventually('full update', () => client.metadata.version === 3)
    assert.deepEqual(asked[2], ['t', 'u'])
  })

  it('leave out topics that nobody tracked for long', async () => {
    const broker = await brokerOf()
    const asked = serving(broker, () => ({ topics: { t: { leaders: [1] }, u: { leaders: [1] } } }))
    const { client, clock } = clientOf([broker], { metadataMaxAgeMs: 10_000, metadataMaxIdleMs: 15_000 })
    client.trackTopic('t')
    client.trackTopic('u')
    await eventually('first update', () => client.metadata.version === 1)
    for (let i = 2; i <= 4; i++) {
      client.trackTopic('u')
      await clock.advanceAsync(10_000)
      await eventually(`update ${i}`, () => client.metadata.version === i)
    }
    assert.deepEqual(asked, [['t', 'u'], ['t', 'u'], ['t', 'u'], ['u']])
    assert.equal(client.metadata.topic('t'), undefined)
    client.trackTopic('t')
    await eventually('again', () => client.metadata.topic('t') !== undefined)
    assert.deepEqual(asked.at(-1), ['t'])
  })

  it('are asked of another broker when one does not answer', async () => {
    const mute = await brokerOf(request => request.apiKey === Metadata.key)
    const good = await brokerOf()
    const asked = serving(good, () => ({ topics: { t: { leaders: [1] } } }))
    const { client, clock } = clientOf([mute, good], {
      requestTimeoutMs: 2_000,
      rebootstrapTriggerMs: 60_000,
    })
    client.trackTopic('t')
    for (let i = 0; i < 20 && client.metadata.topic('t') === undefined; i++) await clock.advanceAsync(500)
    await eventually('metadata', () => client.metadata.topic('t') !== undefined)
    assert.equal(asked.length, 1)
  })

  it('survive answers that cannot be true, by ending the connection and asking again', async () => {
    const broker = await brokerOf()
    const one = { brokers: [{ id: 1, ...broker.address }], topics: { t: { leaders: [1] } } }
    const twice = { ...one, brokers: [...one.brokers, ...one.brokers] }
    const bad: ((request: IncomingRequest) => void)[] = [
      request => request.reply(Metadata, metadataResponse({ brokers: [] })),
      request => request.reply(Metadata, metadataResponse(twice)),
      request => request.socket.write(rawResponse(request.correlationId, '\0\0\0\0\x7f\xff\xff\xff')),
      request => request.socket.write(rawResponse(request.correlationId + 1, '')),
      request => request.reply(Metadata, metadataResponse({ ...one, errorCode: -1 })),
      request => request.socket.destroy(),
    ]
    const { client, clock } = clientOf([broker])
    let count = 0
    broker.script = request => {
      if (request.apiKey !== Metadata.key) return false
      const answer = bad[count++]
      if (answer === undefined) request.reply(Metadata, metadataResponse(one))
      else answer(request)
      return true
    }
    client.trackTopic('t')
    for (let i = 0; i < 100 && client.metadata.topic('t') === undefined; i++) await clock.advanceAsync(200)
    assert.equal(client.metadata.version, 1)
    assert.equal(count, bad.length + 1)
  })

  it('tell why there is none', async () => {
    const broker = await brokerOf()
    const { address } = broker
    await broker.close()
    const clock = new FakeClock({ realImmediates: true })
    const client = new ClusterClient(clusterOptions([address], { clock }))
    cleanups.push(() => client.close())
    client.trackTopic('t')
    await eventually('the reason', () => client.lastError !== null)
    assert.match(String(client.lastError?.message), /ECONNREFUSED/)
  })

  it('are requested when a connection is lost', async () => {
    const broker = await brokerOf()
    const asked = serving(broker, () => ({ topics: { t: { leaders: [1] } } }))
    const { client, clock } = clientOf([broker])
    client.trackTopic('t')
    await eventually('first update', () => client.metadata.version === 1)
    client.ensureConnection(1)
    await eventually('ready', () => client.isReady(1))
    broker.cut()
    await eventually('lost', () => !client.isReady(1))
    await clock.advanceAsync(1_000)
    await eventually('second update', () => client.metadata.version === 2)
    assert.equal(asked.length, 2)
  })
})

describe('Going back to the bootstrap servers', () => {
  /** `seed` names a broker 1 elsewhere; that one is there, too. */
  async function moved(overrides: Partial<ClusterClientOptions> = {}) {
    const seed = await brokerOf()
    const first = await brokerOf()
    const second = await brokerOf()
    let current = first
    const shape = (): MetadataShape => ({
      brokers: [{ id: 1, ...current.address }],
      topics: { t: { leaders: [1], epoch: 1 } },
    })
    const askedOfSeed = serving(seed, shape)
    const askedOfFirst = serving(first, shape)
    serving(second, shape)
    const rig = clientOf([seed], overrides)
    rig.client.trackTopic('t')
    await eventually('first update', () => rig.client.metadata.version === 1)
    rig.client.ensureConnection(1)
    await eventually('ready', () => rig.client.isReady(1))
    const move = () => {
      current = second
    }
    return { ...rig, seed, first, second, askedOfSeed, askedOfFirst, move }
  }

  it('closes their connections once brokers are known', async () => {
    const { seed } = await moved()
    await eventually('closed', () => seed.sockets.every(socket => socket.destroyed))
  })

  it('happens as soon as no known broker can be reached, and finds the new one', async () => {
    const { client, clock, first, second, askedOfSeed, move } = await moved()
    move()
    await first.close()
    await eventually('lost', () => !client.isReady(1))
    await clock.advanceAsync(200)
    await eventually('second update', () => client.metadata.version === 2)
    assert.equal(askedOfSeed.length, 2)
    assert.equal(client.metadata.node(1)?.port, second.port)
    client.ensureConnection(1)
    await eventually('ready at the new address', () => client.isReady(1))
    assert.equal(client.metadata.topic('t')?.partitions[0]?.leaderId, 1)
  })

  it('keeps partitions without leaders meanwhile, and asks the owner to look again', async () => {
    const { client, clock, first, seed, updates } = await moved()
    await first.close()
    await seed.close()
    const before = updates()
    await eventually('lost', () => !client.isReady(1))
    await clock.advanceAsync(200)
    assert.deepEqual(
      client.metadata.topic('t')?.partitions.map(({ leaderId }) => leaderId),
      [-1],
    )
    assert.ok(client.metadata.nodes().every(node => node.id < 0))
    assert.ok(updates() > before)
  })

  it('happens when brokers are connected but nobody has told the metadata for the trigger time', async () => {
    const { client, clock, first, askedOfSeed, move } = await moved({ rebootstrapTriggerMs: 5_000 })
    first.script = request => request.apiKey === Metadata.key
    move()
    client.requestUpdate()
    await clock.advanceAsync(1_000)
    assert.equal(client.isReady(1), true)
    await clock.advanceAsync(5_000)
    await eventually('second update', () => client.metadata.version === 2)
    assert.equal(askedOfSeed.length, 2)
  })

  it('happens when a broker asks for it', async () => {
    const { client, clock, first, askedOfSeed, move, logger } = await moved()
    first.script = request => {
      if (request.apiKey !== Metadata.key) return false
      request.reply(Metadata, metadataResponse({ brokers: [{ id: 1, ...first.address }], errorCode: 129 }))
      return true
    }
    move()
    client.requestUpdate()
    await clock.advanceAsync(1_000)
    await eventually('second update', () => client.metadata.version === 2)
    assert.equal(askedOfSeed.length, 2)
    await eventually('old connection closed', () => first.sockets.every(socket => socket.destroyed))
    assert.ok(logger.lines.some(line => line.level === 'warn' && line.message.includes('bootstrap servers')))
  })

  it('never happens where the recovery strategy is none', async () => {
    const { client, clock, first, askedOfSeed, move } = await moved({
      recoveryStrategy: 'none',
      rebootstrapTriggerMs: 5_000,
    })
    move()
    const { port } = first
    await first.close()
    await clock.advanceAsync(60_000)
    assert.equal(askedOfSeed.length, 1)
    assert.equal(client.metadata.node(1)?.port, port)
  })
})

describe('A broker that changes its address', () => {
  it('gets a new connection there, by metadata or by a leader hint', async () => {
    const [first, second, third] = [await brokerOf(), await brokerOf(), await brokerOf()]
    let current = first
    serving(first, () => ({
      brokers: [{ id: 1, ...current.address }],
      topics: { t: { leaders: [1], epoch: 1 } },
    }))
    const { client, clock } = clientOf([first])
    client.trackTopic('t')
    await eventually('first update', () => client.metadata.version === 1)
    client.ensureConnection(1)
    await eventually('ready', () => client.isReady(1))
    current = second
    client.requestUpdate()
    await clock.advanceAsync(200)
    await eventually('second update', () => client.metadata.version === 2)
    assert.equal(client.isReady(1), false)
    client.ensureConnection(1)
    await eventually('ready again', () => client.isReady(1))
    assert.equal(second.sockets.length, 1)
    const endpoints = [{ nodeId: 1, ...third.address, rack: null }]
    const hint = { topic: 't', partition: 0, leaderId: 1, leaderEpoch: 2, endpoints }
    assert.equal(client.metadata.applyLeaderHint(hint), true)
    assert.equal(client.isReady(1), false)
    client.ensureConnection(1)
    await eventually('ready once more', () => client.isReady(1))
    assert.equal(third.sockets.length, 1)
    await eventually('old ones closed', () => [...first.sockets, ...second.sockets].every(s => s.destroyed))
  })
})
