import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { inspect } from 'node:util'
import type { Connection } from '../../dist/cluster/connection.js'
import {
  type Connect,
  connectTcp,
  NodeConnection,
  type NodeContext,
  NodeState,
} from '../../dist/cluster/node-connection.js'
import { ExponentialBackoff } from '../../dist/common/exponential-backoff.js'
import { foreignTexts } from '../../dist/common/foreign-text.js'
import { noObserver } from '../../dist/common/observer.js'
import { KafkaError, NetworkError, TimeoutError, UnsupportedVersionError } from '../../dist/errors/index.js'
import { ApiVersions } from '../../dist/protocol/api-versions.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { Produce } from '../../dist/protocol/produce.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { freePort } from '../helpers/free-ports.js'
import { RawRequest, rawResponse } from '../helpers/raw-requests.js'
import { apiVersionsResponse, ScriptedBroker } from '../helpers/scripted-broker.js'

interface Rig {
  node: NodeConnection
  clock: FakeClock
  logger: RecordingLogger
  usable: () => number
  slotsFreed: () => number
  /** One entry per end of a connection or attempt; null: idle. */
  ends: (KafkaError | null)[]
  detached: Map<Connection, boolean>
  attempts: { address: string; atMs: number }[]
}

const cleanups: (() => void | Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function brokerOf(...script: Parameters<typeof ScriptedBroker.start>): Promise<ScriptedBroker> {
  const broker = await ScriptedBroker.start(...script)
  cleanups.push(() => broker.close())
  return broker
}

interface Overrides extends Partial<NodeContext> {
  connect?: Connect
}

function rig(host: string, port: number, { connect = connectTcp, ...overrides }: Overrides = {}): Rig {
  const clock = new FakeClock({ startMs: 0, realImmediates: true })
  const logger = new RecordingLogger()
  let usable = 0
  let slotsFreed = 0
  const ends: (KafkaError | null)[] = []
  const detached = new Map<Connection, boolean>()
  const attempts: { address: string; atMs: number }[] = []
  const middle = () => 0.5
  const node = new NodeConnection(
    { id: 3, host, port, rack: null },
    {
      clientId: 'test-client',
      requestTimeoutMs: 30_000,
      maxInFlight: 2,
      connectionsMaxIdleMs: 540_000,
      reconnectBackoff: new ExponentialBackoff(50, 1_000, middle),
      setupTimeout: new ExponentialBackoff(10_000, 30_000, middle),
      clock,
      logger,
      lookup: async () => ['127.0.0.1'],
      canonicalName: null,
      texts: foreignTexts,
      mechanism: null,
      observer: noObserver,
      ...overrides,
      prepareConnect: async () => (address, toPort, name) => {
        attempts.push({ address, atMs: clock.now() })
        return connect(address, toPort, name)
      },
      events: {
        onUsable: () => usable++,
        onSlotFreed: () => slotsFreed++,
        onDisconnected: (_node, error) => ends.push(error),
        onDetached: (connection, closed) => detached.set(connection, closed),
      },
    },
  )
  cleanups.push(() => node.destroy(new NetworkError('the test is over')))
  return { node, clock, logger, usable: () => usable, slotsFreed: () => slotsFreed, ends, detached, attempts }
}

async function ready(to: Rig): Promise<void> {
  to.node.ensureConnected()
  await eventually('ready', () => to.node.state === NodeState.Ready)
}

describe('The way to a broker', () => {
  it('leads from nothing over TCP and ApiVersions to ready', async () => {
    const broker = await brokerOf()
    const to = rig('127.0.0.1', broker.port)
    assert.equal(to.node.state, NodeState.Disconnected)
    to.node.ensureConnected()
    assert.equal(to.node.state, NodeState.Connecting)
    assert.equal(to.node.isUsable, false)
    await eventually('ready', () => to.node.isUsable)
    assert.equal(to.usable(), 1)
    assert.equal(to.node.hasRoom, true)
    assert.equal(to.node.versions?.highest(Produce), Produce.maxVersion)
    to.node.ensureConnected()
    assert.equal(broker.sockets.length, 1)
  })

  it('waits longer after each failed attempt, and forgets the failures when ready', async () => {
    const port = await freePort()
    const to = rig('127.0.0.1', port)
    for (const [index, backoffMs] of [50, 100, 200, 400, 800, 1_000, 1_000].entries()) {
      to.node.ensureConnected()
      await eventually(`failure ${index}`, () => to.ends.length === index + 1)
      assert.equal(to.node.backoffUntil - to.clock.now(), backoffMs)
      assert.equal(to.node.canConnect(to.clock.now()), false)
      await to.clock.advanceAsync(backoffMs)
    }
    const broker = await brokerOf(undefined, port)
    await ready(to)
    broker.cut()
    await eventually('lost', () => to.ends.length === 8)
    assert.equal(to.node.backoffUntil - to.clock.now(), 50)
  })

  it('connects by itself when the backoff is over, if it was wanted meanwhile', async () => {
    const to = rig('127.0.0.1', await freePort())
    to.node.ensureConnected()
    await eventually('failure', () => to.ends.length === 1)
    to.node.ensureConnected()
    to.node.ensureConnected()
    await to.clock.advanceAsync(49)
    assert.equal(to.attempts.length, 1)
    await to.clock.advanceAsync(1)
    await eventually('second failure', () => to.ends.length === 2)
    await to.clock.advanceAsync(10_000)
    assert.deepEqual(
      to.attempts.map(attempt => attempt.atMs),
      [0, 50],
    )
  })

  it('logs failures ever more rarely', async () => {
    const to = rig('127.0.0.1', await freePort())
    for (let failures = 1; failures <= 9; failures++) {
      to.node.ensureConnected()
      await eventually('failure', () => to.ends.length === failures)
      await to.clock.advanceAsync(1_000)
    }
    assert.equal(to.logger.lines.filter(line => line.level === 'warn').length, 4)
    assert.match(String(to.logger.lines[0]?.message), /ECONNREFUSED/)
  })

  it('gives an attempt that does not come up more and more time', async () => {
    const to = rig('127.0.0.1', 1, { connect: () => new Socket() })
    for (const [index, timeoutMs] of [10_000, 20_000, 30_000, 30_000].entries()) {
      to.node.ensureConnected()
      await to.clock.advanceAsync(timeoutMs - 1)
      assert.equal(to.ends.length, index)
      await to.clock.advanceAsync(1)
      await eventually('time-out', () => to.ends.length === index + 1)
      const error = to.ends[index]
      assert.ok(error instanceof TimeoutError)
      assert.match(
        error.message,
        new RegExp(`No connection to broker 127.0.0.1:1 \\(id 3\\) within ${timeoutMs} ms`),
      )
      await to.clock.advanceAsync(1_000)
    }
  })

  it('bounds a name that does not resolve by the same time', async () => {
    const to = rig('slow.invalid', 1, { lookup: () => new Promise(() => {}) })
    to.node.ensureConnected()
    await to.clock.advanceAsync(10_000)
    assert.ok(to.ends[0] instanceof TimeoutError)
    assert.equal(to.attempts.length, 0)
  })

  it('tries the next address after one that could not be reached', async () => {
    const broker = await brokerOf()
    const to = rig('kafka', broker.port, {
      lookup: async () => ['10.0.0.1', '127.0.0.1'],
      connect: (address, port, name) => {
        if (address === '127.0.0.1') return connectTcp(address, port, name)
        const socket = new Socket()
        setImmediate(() => socket.destroy(new Error('unreachable')))
        return socket
      },
    })
    to.node.ensureConnected()
    await eventually('failure', () => to.ends.length === 1)
    await to.clock.advanceAsync(50)
    await ready(to)
    assert.deepEqual(
      to.attempts.map(attempt => attempt.address),
      ['10.0.0.1', '127.0.0.1'],
    )
  })

  it('survives a connect function that throws', async () => {
    const to = rig('127.0.0.1', 1, {
      connect: () => {
        throw new Error('no sockets today')
      },
    })
    to.node.ensureConnected()
    await eventually('failure', () => to.ends.length === 1)
    assert.match(String(to.ends[0]?.message), /no sockets today/)
  })
})

describe('Asking for versions', () => {
  it('falls back to the version the broker lists when it does not know the one asked', async () => {
    const broker = await brokerOf(request => {
      if (request.version <= 2) return false
      request.reply(ApiVersions, { ...apiVersionsResponse([[18, 0, 2]]), errorCode: 35 })
      return true
    })
    await ready(rig('127.0.0.1', broker.port))
    assert.deepEqual(
      broker.requests.map(request => request.version),
      [ApiVersions.maxVersion, 2],
    )
  })

  it('falls back to version 0 when the broker lists nothing', async () => {
    const broker = await brokerOf(request => {
      if (request.version === 0) return false
      request.reply(ApiVersions, { ...apiVersionsResponse([]), errorCode: 35 })
      return true
    })
    await ready(rig('127.0.0.1', broker.port))
    assert.deepEqual(
      broker.requests.map(request => request.version),
      [ApiVersions.maxVersion, 0],
    )
  })

  it('gives up on a broker that refuses the versions it lists', async () => {
    const broker = await brokerOf(request => {
      request.reply(ApiVersions, { ...apiVersionsResponse([[18, 0, 4]]), errorCode: 35 })
      return true
    })
    const to = rig('127.0.0.1', broker.port)
    to.node.ensureConnected()
    await eventually('end', () => to.ends.length === 1)
    assert.ok(to.ends[0] instanceof UnsupportedVersionError)
    assert.equal(broker.requests.length, 1)
  })

  it('ends the connection on any other error or on nonsense, and counts it as a failed attempt', async () => {
    const answers: [string, (broker: ScriptedBroker) => void][] = [
      [
        'INVALID_REQUEST',
        broker => {
          broker.script = request => {
            request.reply(ApiVersions, { ...apiVersionsResponse(), errorCode: 42 })
            return true
          }
        },
      ],
      [
        'Malformed Kafka frame',
        broker => {
          broker.script = ({ socket, correlationId }) =>
            socket.write(rawResponse(correlationId, '\0\0\x7f\x7f'))
        },
      ],
      [
        'HTTP server',
        broker => {
          broker.script = ({ socket }) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')
        },
      ],
    ]
    for (const [expected, prepare] of answers) {
      const broker = await brokerOf()
      prepare(broker)
      const to = rig('127.0.0.1', broker.port)
      to.node.ensureConnected()
      await eventually(expected, () => to.ends.length === 1)
      assert.ok(to.ends[0] instanceof KafkaError)
      assert.match(to.ends[0].message, new RegExp(expected))
      assert.equal(to.node.backoffUntil - to.clock.now(), 50)
    }
  })

  it('is bounded by the request time-out', async () => {
    const broker = await brokerOf(() => true)
    const to = rig('127.0.0.1', broker.port, { requestTimeoutMs: 5_000 })
    to.node.ensureConnected()
    await eventually('asked', () => broker.requests.length === 1)
    await to.clock.advanceAsync(5_000)
    await eventually('end', () => to.ends.length === 1)
    assert.match(String(to.ends[0]?.message), /not answered within 5000 ms/)
  })

  it('takes an API with an impossible range of versions for not supported', async () => {
    const broker = await brokerOf(request => {
      request.reply(
        ApiVersions,
        apiVersionsResponse([
          [0, 9, 3],
          [3, -5, 7],
          [18, 0, 4],
        ]),
      )
      return true
    })
    const to = rig('127.0.0.1', broker.port)
    await ready(to)
    assert.equal(to.node.versions?.highest(Produce), -1)
    assert.equal(to.node.versions?.highest(Metadata), -1)
    assert.equal(to.node.versions?.highest(ApiVersions), 4)
    assert.equal(to.node.versions?.highest(ApiVersions, 0, 2), 2)
  })
})

describe('A ready node', () => {
  /** Answers ApiVersions, and nothing else until `answer` is called. */
  async function quiet(
    overrides: Partial<NodeContext> = {},
  ): Promise<Rig & { broker: ScriptedBroker; answer(): void }> {
    const broker = await brokerOf()
    const to = rig('127.0.0.1', broker.port, overrides)
    await ready(to)
    const pending: (() => void)[] = []
    broker.script = ({ socket, correlationId }) => {
      pending.push(() => socket.write(rawResponse(correlationId)))
      return true
    }
    const answer = () => {
      for (const reply of pending.splice(0)) reply()
    }
    return { ...to, broker, answer }
  }

  /**
   * Fields of a request header, so that the scripted broker can read it: key, version, (id), client, body.
   */
  class HeadedRequest extends RawRequest {
    override encode(correlationId: number): Uint8Array[] {
      this.correlationId = correlationId
      const bytes = Buffer.alloc(14)
      bytes.writeInt32BE(10)
      bytes.writeInt16BE(999, 4)
      bytes.writeInt32BE(correlationId, 8)
      bytes.writeInt16BE(-1, 12)
      return [bytes]
    }
  }

  it('has room up to the limit in flight and tells when there is room again', async () => {
    const to = await quiet()
    to.node.send(new HeadedRequest())
    assert.equal(to.node.hasRoom, true)
    to.node.send(new HeadedRequest())
    assert.equal(to.node.hasRoom, false)
    assert.equal(to.node.isUsable, true)
    await eventually('both there', () => to.broker.requests.length === 3)
    to.answer()
    await eventually('both answered', () => to.node.inFlightCount === 0)
    assert.equal(to.slotsFreed(), 1)
  })

  it('keeps quiet for as long as the broker asks, and no time-out counts that time', async () => {
    const to = await quiet({ requestTimeoutMs: 1_000 })
    const request = new HeadedRequest()
    to.node.send(request)
    to.node.throttle(5_000)
    assert.equal(to.node.isUsable, false)
    await to.clock.advanceAsync(4_999)
    assert.equal(to.node.isUsable, false)
    await to.clock.advanceAsync(1)
    assert.equal(to.node.isUsable, true)
    assert.equal(to.usable(), 2)
    await to.clock.advanceAsync(999)
    assert.equal(request.responses().length, 0)
    await to.clock.advanceAsync(1)
    await eventually('late', () => request.responses().length === 1)
  })

  it('does not believe a throttle of more than a minute, and says so', async () => {
    const to = await quiet()
    to.node.throttle(2_147_483_647)
    assert.ok(to.logger.lines.some(line => line.level === 'warn' && line.message.includes('2147483647 ms')))
    await to.clock.advanceAsync(60_000)
    assert.equal(to.node.isUsable, true)
  })

  it('takes a throttle that is not positive for none', async () => {
    const to = await quiet()
    for (const ms of [0, -1, -2147483648, Number.NaN]) to.node.throttle(ms)
    assert.equal(to.node.isUsable, true)
  })

  it('closes when it was idle for long, but not while a request is in flight', async () => {
    const to = await quiet({ connectionsMaxIdleMs: 10_000, requestTimeoutMs: 1_000_000 })
    await to.clock.advanceAsync(9_000)
    to.node.send(new HeadedRequest())
    await eventually('there', () => to.broker.requests.length === 2)
    await to.clock.advanceAsync(30_000)
    assert.equal(to.node.state, NodeState.Ready)
    to.answer()
    await eventually('answered', () => to.node.inFlightCount === 0)
    const answeredAt = to.clock.now()
    await to.clock.advanceAsync(9_999)
    assert.equal(to.node.state, NodeState.Ready, `${to.clock.now() - answeredAt} ms`)
    await to.clock.advanceAsync(10_001)
    assert.deepEqual(to.ends, [null])
    assert.equal(to.node.state, NodeState.Disconnected)
    await eventually('closed', () => [...to.detached.values()].every(Boolean) && to.detached.size === 1)
    assert.equal(to.node.canConnect(to.clock.now()), true)
    assert.equal(to.clock.pendingTimers, 0)
  })

  it('never closes for being idle when that is off', async () => {
    const to = await quiet({ connectionsMaxIdleMs: -1 })
    await to.clock.advanceAsync(100_000_000)
    assert.equal(to.node.state, NodeState.Ready)
  })

  it('that moves takes new requests at its new address while old ones finish at the old', async () => {
    const to = await quiet()
    const old = new HeadedRequest()
    to.node.send(old)
    await eventually('there', () => to.broker.requests.length === 2)
    const target = await brokerOf()
    to.node.retarget({ id: 3, host: '127.0.0.1', port: to.broker.port, rack: 'other rack' })
    assert.equal(to.node.state, NodeState.Ready, 'the same address is no move')
    to.node.retarget({ id: 3, host: '127.0.0.1', port: target.port, rack: null })
    assert.equal(to.node.state, NodeState.Disconnected)
    await ready(to)
    assert.equal(target.sockets.length, 1)
    assert.deepEqual([...to.detached.values()], [false])
    to.answer()
    await eventually('answered', () => old.responses().length === 1)
    assert.equal(old.responses()[0]?.error, null)
    await eventually('old connection closed', () => [...to.detached.values()].every(Boolean))
    assert.equal(to.ends.length, 0)
  })

  it('ends as soon as the broker does, and is not ready from the same turn on', async () => {
    const to = await quiet()
    const request = new HeadedRequest()
    to.node.send(request)
    to.broker.cut()
    await eventually('end', () => to.ends.length === 1)
    assert.ok(to.ends[0] instanceof NetworkError)
    assert.equal(to.node.isUsable, false)
    assert.equal(to.node.versions, null)
    assert.ok(request.responses()[0]?.error instanceof NetworkError)
  })
})

it('a closed socket keeps nothing of what the broker has said', async () => {
  const server = createServer(peer => peer.end('secret-of-the-broker'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const heard: string[] = []
  const { port } = server.address() as AddressInfo
  const socket = connectTcp('127.0.0.1', port, '127.0.0.1')
  socket.on('data', (bytes: Buffer) => heard.push(bytes.toString()))
  await once(socket, 'close')
  server.close()
  assert.deepEqual(heard, ['secret-of-the-broker'])
  const shown = inspect(socket, { depth: 2, showHidden: true, maxArrayLength: null })
  assert.doesNotMatch(shown, /secret-of-the-broker|73 65 63 72 65 74/)
})
