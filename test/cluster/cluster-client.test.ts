import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { ClusterClient, type ClusterClientOptions } from '../../dist/cluster/cluster-client.js'
import { systemClock } from '../../dist/common/clock.js'
import {
  type KafkaError,
  NetworkError,
  ProducerClosedError,
  ProtocolError,
  TimeoutError,
  UnsupportedVersionError,
} from '../../dist/errors/index.js'
import { ApiVersions } from '../../dist/protocol/api-versions.js'
import { InitProducerId } from '../../dist/protocol/init-producer-id.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { Produce } from '../../dist/protocol/produce.js'
import { SaslAuthenticate } from '../../dist/protocol/sasl-authenticate.js'
import { SaslHandshake } from '../../dist/protocol/sasl-handshake.js'
import { clusterOptions } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { RawRequest, rawResponse } from '../helpers/raw-requests.js'
import {
  apiVersionsResponse,
  metadataResponse,
  requestedTopics,
  type Script,
  ScriptedBroker,
} from '../helpers/scripted-broker.js'

const INIT = { transactionalId: null, transactionTimeoutMs: 1, producerId: -1n, producerEpoch: -1 }

const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A broker 7 that leads topic `orders`; `script` goes first. */
async function brokerOf(script: Script = () => false, port = 0): Promise<ScriptedBroker> {
  const broker = await ScriptedBroker.start(undefined, port)
  cleanups.push(() => broker.close())
  broker.script = request => {
    if (script(request)) return true
    if (request.apiKey === ApiVersions.key) {
      const known = [ApiVersions, Metadata, Produce, InitProducerId]
      request.reply(
        ApiVersions,
        apiVersionsResponse(known.map(api => [api.key, api.minVersion, api.maxVersion])),
      )
      return true
    }
    if (request.apiKey !== Metadata.key) return false
    const topics = (requestedTopics(request) ?? []).map(name => [name, { leaders: [7] }])
    request.reply(
      Metadata,
      metadataResponse({ brokers: [{ id: 7, ...broker.address }], topics: Object.fromEntries(topics) }),
    )
    return true
  }
  return broker
}

function clientOf(broker: ScriptedBroker, overrides: Partial<ClusterClientOptions> = {}): ClusterClient {
  const client = new ClusterClient(clusterOptions([broker.address], overrides))
  cleanups.push(() => client.close())
  return client
}

async function ready(client: ClusterClient): Promise<void> {
  client.trackTopic('orders')
  await eventually('metadata', () => client.metadata.topic('orders') !== undefined)
  client.ensureConnection(7)
  await eventually('ready', () => client.isReady(7))
}

function initResponse(producerId: bigint) {
  return { throttleTimeMs: 0, errorCode: 0, producerId, producerEpoch: 0 }
}

describe('ClusterClient', () => {
  it('finds the leader of a topic through the bootstrap servers and becomes ready for it', async () => {
    const broker = await brokerOf()
    const client = clientOf(broker)
    client.trackTopic('orders')
    await eventually('metadata', () => client.metadata.topic('orders') !== undefined)
    assert.equal(client.metadata.topic('orders')?.partitions[0]?.leaderId, 7)
    assert.equal(client.isReady(7), false)
    assert.equal(client.apiVersion(7, Produce), -1)
    client.ensureConnection(7)
    await eventually('ready', () => client.isReady(7))
    assert.equal(client.apiVersion(7, Produce), Produce.maxVersion)
    assert.equal(client.brokerName(7), `127.0.0.1:${broker.port} (id 7)`)
    assert.equal(client.brokerName(99), '(id 99)')
  })

  it('introduces itself with the name and version of the package', async () => {
    const broker = await brokerOf()
    await ready(clientOf(broker))
    const { default: manifest } = await import('../../package.json', { with: { type: 'json' } })
    const [request] = broker.requestsOf(ApiVersions)
    assert.ok(request)
    assert.deepEqual(ApiVersions.readRequest(request.body, request.version), {
      clientSoftwareName: manifest.name,
      clientSoftwareVersion: manifest.version,
    })
  })

  it('calls its owner back only on later turns, for each thing that became possible', async () => {
    const broker = await brokerOf()
    const client = clientOf(broker)
    let updates = 0
    client.onUpdate = () => updates++
    client.trackTopic('orders')
    client.requestUpdate()
    client.ensureConnection(-1)
    client.ensureConnection(99)
    assert.equal(updates, 0)
    await eventually('metadata', () => client.metadata.topic('orders') !== undefined)
    assert.ok(updates > 0)
    updates = 0
    client.ensureConnection(7)
    assert.equal(updates, 0)
    await eventually('ready', () => client.isReady(7))
    assert.equal(updates, 1)
  })

  it('asks for metadata when a connection to an unknown node is wanted', async () => {
    const broker = await brokerOf()
    const client = clientOf(broker)
    client.ensureConnection(7)
    await eventually('known', () => client.metadata.node(7) !== undefined)
    client.ensureConnection(7)
    await eventually('ready', () => client.isReady(7))
  })

  it('is not ready for more than the limit in flight, and looks again when a slot is freed', async () => {
    const broker = await brokerOf(({ apiKey, socket, correlationId }) => {
      if (apiKey !== Produce.key) return false
      setImmediate(() => socket.write(rawResponse(correlationId)))
      return true
    })
    const client = clientOf(broker, { maxInFlight: 2 })
    await ready(client)
    let updates = 0
    client.onUpdate = () => updates++
    const requests = Array.from({ length: 2 }, () => new ProduceLike())
    for (const request of requests) {
      assert.equal(client.isReady(7), true)
      client.send(7, request)
    }
    assert.equal(client.isReady(7), false)
    await eventually('answered', () => requests.every(request => request.responses().length === 1))
    assert.equal(client.isReady(7), true)
    assert.equal(updates, 1)
  })

  it('gives a request to a node that is not connected its outcome on a later turn, once', async () => {
    const client = clientOf(await brokerOf())
    const silent = new RawRequest([], false)
    const request = new RawRequest()
    client.send(7, request)
    client.send(7, silent)
    assert.equal(request.outcomes.length, 0)
    await eventually('outcome', () => request.outcomes.length === 2 && silent.outcomes.length === 1)
    assert.deepEqual(
      request.outcomes.map(outcome => outcome.kind),
      ['written', 'response'],
    )
    for (const { error } of [...request.outcomes, ...silent.outcomes])
      assert.ok(error instanceof NetworkError)
    assert.equal(request.correlationId, -1, 'nothing was encoded')
  })

  it('stops sending to a node for as long as it asked', async () => {
    const clock = new FakeClock({ realImmediates: true })
    const client = clientOf(await brokerOf(), { clock })
    await ready(client)
    let updates = 0
    client.onUpdate = () => updates++
    client.throttledBy(7, Produce, 6, 1_000)
    client.throttledBy(99, Produce, 6, 1_000)
    assert.equal(client.isReady(7), false)
    await clock.advanceAsync(999)
    assert.equal(client.isReady(7), false)
    assert.equal(updates, 0)
    await clock.advanceAsync(1)
    assert.equal(client.isReady(7), true)
    assert.equal(updates, 1)
  })

  it('knows bootstrap servers by their canonical names, and the others by what they are called', async () => {
    const asked: string[] = []
    const security = {
      connector: null,
      mechanism: {
        name: 'ASKED',
        begin: ({ host }: { host: string }) => {
          asked.push(host)
          return { start: () => Buffer.from('x'), step: () => null }
        },
      },
    }
    const broker = await brokerOf(request => {
      if (request.apiKey === ApiVersions.key) {
        const known = [ApiVersions, Metadata, SaslHandshake, SaslAuthenticate]
        const versions = known.map(
          api => [api.key, api.minVersion, api.maxVersion] as [number, number, number],
        )
        request.reply(ApiVersions, apiVersionsResponse(versions))
      } else if (request.apiKey === SaslHandshake.key) {
        request.reply(SaslHandshake, { errorCode: 0, mechanisms: ['ASKED'] })
      } else if (request.apiKey === SaslAuthenticate.key) {
        const answer = { errorCode: 0, errorMessage: null, authBytes: Buffer.alloc(0), sessionLifetimeMs: 0n }
        request.reply(SaslAuthenticate, answer)
      } else return false
      return true
    })
    const client = clientOf(broker, {
      security,
      canonicalBootstrapNames: true,
      lookup: async () => ['127.0.0.1'],
      reverseLookup: async address => `canonical-of-${address}`,
    })
    await ready(client)
    assert.deepEqual(asked, ['canonical-of-127.0.0.1', broker.address.host])
  })
})

/** A request whose header the scripted broker can read, under the key of Produce. */
class ProduceLike extends RawRequest {
  override encode(correlationId: number): Uint8Array[] {
    this.correlationId = correlationId
    const bytes = Buffer.alloc(14)
    bytes.writeInt32BE(10)
    bytes.writeInt16BE(Produce.key, 4)
    bytes.writeInt16BE(3, 6)
    bytes.writeInt32BE(correlationId, 8)
    bytes.writeInt16BE(-1, 12)
    return [bytes]
  }
}

describe('A request of its own promise', () => {
  const answering: Script = request => {
    if (request.apiKey !== InitProducerId.key) return false
    request.reply(InitProducerId, initResponse(42n))
    return true
  }

  it('goes to any node, connecting first, and resolves with the answer', async () => {
    const client = clientOf(await brokerOf(answering))
    const versions: number[] = []
    const body = (version: number) => {
      versions.push(version)
      return INIT
    }
    const response = await client.request('any', InitProducerId, body, { maxVersion: 4 })
    assert.equal(response.producerId, 42n)
    assert.deepEqual(versions, [4])
  })

  it('goes to one node, which may not even be known yet', async () => {
    const broker = await brokerOf(answering)
    const client = clientOf(broker)
    const response = await client.request(7, InitProducerId, INIT)
    assert.equal(response.producerId, 42n)
    assert.ok(client.metadata.node(7))
  })

  it('waits for a broker that comes up later', async () => {
    const broker = await brokerOf(answering)
    const { port } = broker
    await broker.close()
    const client = clientOf(broker, { bootstrapServers: [{ host: '127.0.0.1', port }] })
    const response = client.request('any', InitProducerId, INIT)
    await eventually('a failure', () => client.lastError !== null)
    await brokerOf(answering, port)
    assert.equal((await response).producerId, 42n)
  })

  it('rejects when no broker takes it in time, and says why', async () => {
    const broker = await brokerOf()
    const { port } = broker
    await broker.close()
    const client = clientOf(broker, { bootstrapServers: [{ host: '127.0.0.1', port }] })
    client.requestUpdate()
    await eventually('the reason', () => client.lastError !== null)
    const start = performance.now()
    await assert.rejects(
      client.request('any', InitProducerId, INIT, { timeoutMs: 150 }),
      (error: unknown) => {
        assert.ok(error instanceof TimeoutError)
        assert.match(error.message, /InitProducerId: no broker took it within 150 ms: .*ECONNREFUSED/)
        return true
      },
    )
    assert.ok(performance.now() - start >= 149)
  })

  it('rejects when no answer comes in time, without ending the connection, and drops the late answer', async () => {
    const late: (() => void)[] = []
    const broker = await brokerOf(request => {
      if (request.apiKey !== InitProducerId.key) return false
      late.push(() => request.reply(InitProducerId, initResponse(1n)))
      return true
    })
    const client = clientOf(broker)
    await ready(client)
    await assert.rejects(
      client.request(7, InitProducerId, INIT, { timeoutMs: 50 }),
      /no answer came within 50 ms/,
    )
    assert.equal(client.isReady(7), true)
    const second = client.request(7, InitProducerId, INIT)
    await eventually('both there', () => late.length === 2)
    for (const answer of late) answer()
    assert.equal((await second).producerId, 1n)
    assert.equal(client.isReady(7), true)
  })

  it('rejects when the connection ends before the answer', async () => {
    const broker = await brokerOf(({ apiKey, socket }) => {
      if (apiKey !== InitProducerId.key) return false
      socket.destroy()
      return true
    })
    const client = clientOf(broker)
    await assert.rejects(client.request('any', InitProducerId, INIT), NetworkError)
  })

  it('rejects when the broker has no version in common, naming both sides', async () => {
    const client = clientOf(await brokerOf(answering))
    const options = { minVersion: 90, maxVersion: 99 }
    await assert.rejects(client.request('any', InitProducerId, INIT, options), (error: unknown) => {
      assert.ok(error instanceof UnsupportedVersionError)
      assert.match(
        error.message,
        /InitProducerId is needed in a version from 90 to 99; broker .* takes 0 to \d/,
      )
      return true
    })
    const other: KafkaError = await client
      .request('any', { ...InitProducerId, key: 60, name: 'Other' }, INIT)
      .then(
        () => assert.fail('answered'),
        (error: KafkaError) => error,
      )
    assert.match(other.message, /takes none/)
  })

  it('rejects when the answer cannot be read, and ends the connection', async () => {
    const broker = await brokerOf(({ apiKey, socket, correlationId }) => {
      if (apiKey !== InitProducerId.key) return false
      socket.write(rawResponse(correlationId, '\0'))
      return true
    })
    const client = clientOf(broker)
    await ready(client)
    await assert.rejects(client.request(7, InitProducerId, INIT), ProtocolError)
    await eventually('ended', () => !client.isReady(7))
  })

  it('rejects when its body cannot be written, and leaves the connection as it was', async () => {
    const client = clientOf(await brokerOf(answering))
    await ready(client)
    const refusing = () => {
      throw new UnsupportedVersionError('this version cannot say that')
    }
    await assert.rejects(client.request(7, InitProducerId, refusing), /cannot say that/)
    assert.equal((await client.request(7, InitProducerId, INIT)).producerId, 42n)
  })
})

describe('Closing', () => {
  /** An API the scripted broker offers and never answers. */
  const muted = { ...InitProducerId, name: 'Muted' }
  const mute: Script = () => true
  const muteTo =
    (key: number): Script =>
    request =>
      request.apiKey === key

  const phases: [string, Script, (client: ClusterClient, broker: ScriptedBroker) => Promise<void>][] = [
    ['before anything', () => false, async () => {}],
    ['while connecting', () => false, async client => void client.trackTopic('orders')],
    [
      'while negotiating',
      mute,
      async (client, broker) => {
        client.trackTopic('orders')
        await eventually('asked', () => broker.requests.length === 1)
      },
    ],
    [
      'while metadata is asked for',
      muteTo(Metadata.key),
      async (client, broker) => {
        client.trackTopic('orders')
        await eventually('asked', () => broker.requestsOf(Metadata).length === 1)
      },
    ],
    ['when ready', () => false, async client => ready(client)],
    [
      'during a reconnect backoff',
      () => false,
      async (client, broker) => {
        await ready(client)
        await broker.close()
        client.ensureConnection(7)
        await eventually('failing', () => client.lastError !== null)
      },
    ],
  ]
  for (const [phase, script, prepare] of phases) {
    it(`${phase} settles every request once and leaves nothing behind`, async () => {
      const clock = new CountingClock()
      const broker = await brokerOf(script)
      const client = clientOf(broker, { clock })
      const rejected = [client.request('any', muted, INIT), client.request(7, muted, INIT)].map(promise =>
        promise.then(
          () => assert.fail('answered'),
          (error: KafkaError) => error,
        ),
      )
      await prepare(client, broker)
      const sent = new ProduceLike()
      client.send(7, sent)
      const closing = client.close()
      assert.equal(client.close(), closing)
      await closing
      for (const error of await Promise.all(rejected)) {
        assert.ok(error instanceof ProducerClosedError || error instanceof NetworkError, error.message)
      }
      await eventually('outcomes', () => sent.outcomes.length === 2)
      await new Promise(resolve => setTimeout(resolve, 10))
      assert.equal(sent.outcomes.length, 2)
      assert.equal(clock.open, 0, 'timers')
      await eventually('sockets closed', () => broker.sockets.every(socket => socket.destroyed))
      client.trackTopic('more')
      client.ensureConnection(7)
      client.requestUpdate()
      assert.equal(client.isReady(7), false)
      await assert.rejects(client.request('any', muted, INIT), ProducerClosedError)
      const after = new RawRequest()
      client.send(7, after)
      await eventually('outcome', () => after.outcomes.length === 2)
      assert.ok(after.outcomes.every(({ error }) => error instanceof ProducerClosedError))
      assert.equal(clock.open, 0, 'timers after the close')
    })
  }
})

/** The system's clock, with a count of the timers that are set. */
class CountingClock {
  readonly timers = new Set<unknown>()
  now = systemClock.now
  wallNow = systemClock.wallNow
  setImmediate = systemClock.setImmediate

  get open(): number {
    return this.timers.size
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const handle: unknown = systemClock.setTimeout(() => {
      this.timers.delete(handle)
      callback()
    }, ms)
    this.timers.add(handle)
    return handle
  }

  clearTimeout(handle: unknown): void {
    this.timers.delete(handle)
    systemClock.clearTimeout(handle)
  }
}
