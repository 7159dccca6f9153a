import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, connect as netConnect, type Server, type Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Connection } from '../../dist/cluster/connection.js'
import { type Clock, systemClock } from '../../dist/common/clock.js'
import { type KafkaError, NetworkError, ProtocolError, TimeoutError } from '../../dist/errors/index.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { RawRequest, rawResponse } from '../helpers/raw-requests.js'

interface Peer {
  connection: Connection
  socket: Socket
  /** The broker's side. */
  remote: Socket
  received: () => Buffer
  closedWith: KafkaError[]
  slotsFreed: number[]
  logger: RecordingLogger
}

const servers: Server[] = []
const sockets: Socket[] = []

async function connected(
  options: { clock?: Clock; requestTimeoutMs?: number; reads?: boolean } = {},
): Promise<Peer> {
  const server = createServer({ pauseOnConnect: options.reads === false })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const socket = netConnect((server.address() as AddressInfo).port, '127.0.0.1')
  sockets.push(socket)
  const closedWith: KafkaError[] = []
  const slotsFreed: number[] = []
  const logger = new RecordingLogger()
  let isConnected = false
  const connection = new Connection({
    socket,
    broker: 'test:1 (id 1)',
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    clock: options.clock ?? systemClock,
    logger,
    events: {
      onConnected: () => {
        isConnected = true
      },
      onSlotFreed: before => slotsFreed.push(before),
      onClosed: error => closedWith.push(error),
    },
  })
  const [remote] = await accepted
  sockets.push(remote)
  remote.on('error', () => {})
  const chunks: Buffer[] = []
  if (options.reads !== false) remote.on('data', (chunk: Buffer) => chunks.push(chunk))
  await eventually('connected', () => isConnected)
  return { connection, socket, remote, received: () => Buffer.concat(chunks), closedWith, slotsFreed, logger }
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

describe('Connection', () => {
  it('writes requests in order, chunk by chunk, and hands each its own response', async () => {
    const { connection, remote, received } = await connected()
    const requests = [
      new RawRequest([Buffer.from('one '), Buffer.from('two')]),
      new RawRequest([Buffer.from('three')]),
      new RawRequest([]),
    ]
    for (const request of requests) connection.send(request)
    assert.equal(connection.inFlightCount, 3)
    const expected = Buffer.concat(
      requests.map(request => Buffer.concat(request.encode(request.correlationId))),
    )
    await eventually('all bytes', () => received().length === expected.length)
    assert.deepEqual(received(), expected)
    assert.deepEqual(
      requests.map(request => request.correlationId),
      [0, 1, 2],
    )
    remote.write(Buffer.concat([rawResponse(0, 'a'), rawResponse(1, 'b'), rawResponse(2, 'c')]))
    await eventually('responses', () => connection.inFlightCount === 0)
    for (const [index, request] of requests.entries()) {
      assert.deepEqual(request.written(), [{ kind: 'written', error: null, body: null }])
      assert.deepEqual(request.responses(), [{ kind: 'response', error: null, body: 'abc'[index] }])
    }
  })

  it('writes requests that are sent together in few writes, in order', async () => {
    const { connection, socket } = await connected()
    const gathered: number[] = []
    const written: Buffer[] = []
    // How much a system takes at once is its own affair: this one takes all.
    socket._writev = (chunks, callback) => {
      gathered.push(chunks.length)
      written.push(...chunks.map(({ chunk }) => Buffer.from(chunk)))
      callback()
    }
    const small = Array.from({ length: 4 }, () => new RawRequest([Buffer.from('small')]))
    const large = Array.from({ length: 3 }, () => new RawRequest([Buffer.alloc(300_000, 'large')]))
    connection.together(() => {
      for (const request of small) connection.send(request)
    })
    assert.deepEqual(gathered, [8])
    connection.together(() => {
      for (const request of large) connection.send(request)
    })
    assert.deepEqual(gathered, [8, 4, 2], 'no more than makes a write cheap is held back')
    assert.throws(() =>
      connection.together(() => {
        connection.send(new RawRequest([Buffer.from('before')]))
        throw new Error('while requests are sent')
      }),
    )
    connection.send(new RawRequest([Buffer.from('last')]))
    assert.deepEqual(gathered, [8, 4, 2, 2, 2])
    for (const request of [...small, ...large]) {
      assert.deepEqual(request.written(), [{ kind: 'written', error: null, body: null }])
    }
    const bytes = Buffer.concat(written)
    assert.ok(bytes.includes('last'))
    let at = 0
    for (let id = 0; id < 9; id++) {
      assert.equal(bytes.readInt32BE(at + 4), id)
      at += 4 + bytes.readInt32BE(at)
    }
    assert.equal(at, bytes.length)
  })

  it('tells of each slot freed how many were in flight before', async () => {
    const { connection, remote, slotsFreed } = await connected()
    for (let i = 0; i < 3; i++) connection.send(new RawRequest())
    remote.write(Buffer.concat([rawResponse(0), rawResponse(1), rawResponse(2)]))
    await eventually('responses', () => connection.inFlightCount === 0)
    assert.deepEqual(slotsFreed, [3, 2, 1])
  })

  it('counts a request without response as in flight until it is written', async () => {
    const { connection, received, slotsFreed } = await connected()
    const request = new RawRequest([Buffer.from('fire and forget')], false)
    connection.send(request)
    assert.equal(connection.inFlightCount, 1)
    await eventually('written', () => connection.inFlightCount === 0)
    assert.deepEqual(request.outcomes, [{ kind: 'written', error: null, body: null }])
    assert.deepEqual(slotsFreed, [1])
    await eventually('received', () => received().includes('fire and forget'))
  })

  it('ends when a response has the wrong correlation id, and settles nothing with it', async () => {
    const { connection, remote, closedWith } = await connected()
    const requests = [new RawRequest(), new RawRequest()]
    for (const request of requests) connection.send(request)
    remote.write(rawResponse(1, 'of the second'))
    await eventually('closed', () => closedWith.length === 1)
    assert.ok(closedWith[0] instanceof ProtocolError)
    assert.match(closedWith[0].message, /correlation id 1, expected was 0 \(Raw\).*test:1/)
    for (const request of requests) {
      const [response, ...more] = request.responses()
      assert.ok(response?.error instanceof NetworkError)
      assert.equal(response.error.retriable, true)
      assert.equal(response.error.cause, closedWith[0])
      assert.equal(more.length, 0)
    }
  })

  it('ends when a response comes that nothing asked for', async () => {
    const { connection, remote, closedWith } = await connected()
    remote.write(rawResponse(0))
    await eventually('closed', () => closedWith.length === 1)
    assert.match(String(closedWith[0]?.message), /to no request/)
    assert.equal(connection.usable, false)
  })

  it('reads no further response after one that ended it', async () => {
    const { connection, remote, closedWith } = await connected()
    const requests = [new RawRequest(), new RawRequest()]
    for (const request of requests) connection.send(request)
    remote.write(Buffer.concat([rawResponse(77), rawResponse(0, 'late'), rawResponse(1, 'later')]))
    await eventually('closed', () => closedWith.length === 1)
    for (const request of requests) assert.equal(request.responses()[0]?.body, null)
  })

  it('ends when the owner of a request cannot read its response, without harm to the others', async () => {
    const { connection, remote, closedWith } = await connected()
    const [first, second] = [new RawRequest(), new RawRequest()]
    first.onOutcome = outcome => {
      if (outcome.kind === 'response') throw new ProtocolError('not what was asked for')
    }
    connection.send(first)
    connection.send(second)
    remote.write(rawResponse(0, 'nonsense'))
    await eventually('closed', () => closedWith.length === 1)
    assert.match(String(closedWith[0]?.message), /not what was asked for/)
    assert.equal(first.responses().length, 1)
    assert.ok(second.responses()[0]?.error instanceof NetworkError)
  })

  it('gives every request its outcome even if an owner throws while the connection ends', async () => {
    const { connection, remote, closedWith, logger } = await connected()
    const requests = [new RawRequest(), new RawRequest(), new RawRequest()]
    const [first] = requests
    assert.ok(first)
    first.onOutcome = outcome => {
      if (outcome.error !== null) throw new Error('a fault of the owner')
    }
    for (const request of requests) connection.send(request)
    remote.destroy()
    await eventually('closed', () => closedWith.length === 1)
    for (const request of requests) assert.equal(request.responses().length, 1)
    assert.ok(logger.lines.some(line => line.level === 'error'))
  })

  it('believes only small frames until the peer is trusted', async () => {
    const { remote, closedWith } = await connected()
    const size = Buffer.alloc(4)
    size.writeInt32BE(2 * 1024 * 1024)
    remote.write(size)
    await eventually('closed', () => closedWith.length === 1)
    const trusting = await connected()
    trusting.connection.trustFrames()
    const request = new RawRequest()
    trusting.connection.send(request)
    trusting.remote.write(rawResponse(0, 'x'.repeat(2 * 1024 * 1024)))
    await eventually('large response', () => request.responses().length === 1)
    assert.equal(request.responses()[0]?.body?.length, 2 * 1024 * 1024)
  })

  it('takes no more requests once it is to close when drained, and closes after the last response', async () => {
    const { connection, remote, closedWith } = await connected()
    const request = new RawRequest()
    connection.send(request)
    connection.closeWhenDrained()
    assert.equal(connection.usable, false)
    assert.equal(closedWith.length, 0)
    remote.write(rawResponse(0, 'last'))
    await eventually('closed', () => closedWith.length === 1)
    assert.equal(request.responses()[0]?.body, 'last')
  })
})

describe('The memory of a request', () => {
  const LARGE = Buffer.alloc(32 * 1024 * 1024, 0x41)

  it('is reported free only at the close of the socket when the peer cuts a half-written request', async () => {
    const { connection, socket, remote, closedWith } = await connected({ reads: false })
    const states: boolean[] = []
    const requests = [new RawRequest([LARGE]), new RawRequest([LARGE])]
    for (const request of requests) {
      request.onOutcome = () => states.push(socket.closed)
      connection.send(request)
    }
    await new Promise(resolve => setTimeout(resolve, 50))
    assert.ok(
      requests.every(request => request.outcomes.length === 0),
      'still being written',
    )
    remote.resetAndDestroy()
    await eventually('closed', () => closedWith.length === 1)
    for (const request of requests) {
      assert.deepEqual(
        request.outcomes.map(outcome => outcome.kind),
        ['written', 'response'],
      )
      for (const outcome of request.outcomes) assert.ok(outcome.error instanceof NetworkError)
    }
    assert.deepEqual(states, [true, true, true, true])
  })

  it('is reported free only at the close of the socket when a half-written request times out', async () => {
    const clock = new FakeClock({ realImmediates: true })
    const { connection, socket, closedWith } = await connected({ reads: false, clock, requestTimeoutMs: 500 })
    const request = new RawRequest([LARGE])
    const states: boolean[] = []
    request.onOutcome = () => states.push(socket.closed)
    connection.send(request)
    await clock.advanceAsync(499)
    assert.equal(request.outcomes.length, 0)
    await clock.advanceAsync(1)
    await eventually('closed', () => closedWith.length === 1)
    assert.deepEqual(states, [true, true])
    assert.ok(request.written()[0]?.error !== null)
    assert.ok(request.responses()[0]?.error instanceof TimeoutError)
  })

  it('is reported free, in order, as soon as the socket has handed all of it to the system', async () => {
    const { connection, remote } = await connected({ reads: false })
    const small = [new RawRequest(), new RawRequest()]
    connection.together(() => {
      for (const request of small) {
        connection.send(request)
        assert.equal(request.outcomes.length, 0, 'what is held together is not written')
      }
    })
    for (const request of small)
      assert.deepEqual(request.written(), [{ kind: 'written', error: null, body: null }])
    const order: RawRequest[] = []
    const held = [
      new RawRequest([LARGE]),
      new RawRequest(),
      new RawRequest([], false),
      new RawRequest([LARGE]),
    ]
    for (const request of held) {
      request.onOutcome = () => order.push(request)
      connection.send(request)
    }
    await new Promise(resolve => setTimeout(resolve, 50))
    assert.deepEqual(order, [], 'the peer reads nothing, and the system holds less than the first')
    remote.resume()
    await eventually('all written', () => order.length === held.length)
    assert.deepEqual(order, held)
  })

  it('is not reported free, as written, by a write that the system refuses', async () => {
    const { connection, socket, closedWith } = await connected()
    const request = new RawRequest()
    const states: boolean[] = []
    request.onOutcome = () => states.push(socket.closed)
    socket._writev = (_chunks, callback) => callback(new Error('write EPIPE'))
    connection.send(request)
    await eventually('closed', () => closedWith.length === 1)
    assert.deepEqual(states, [true, true])
    assert.ok(request.written()[0]?.error instanceof NetworkError)
  })

  it('is reported free once, as written, when the connection ends later', async () => {
    const { connection, remote, closedWith, received } = await connected()
    const request = new RawRequest()
    connection.send(request)
    await eventually('written', () => request.outcomes.length === 1)
    await eventually('received', () => received().length > 0)
    remote.destroy()
    await eventually('closed', () => closedWith.length === 1)
    assert.equal(request.written().length, 1)
    assert.equal(request.written()[0]?.error, null)
    assert.ok(request.responses()[0]?.error instanceof NetworkError)
  })

  it('goes to the peer unchanged when it is filled with other bytes as soon as it is reported free', async () => {
    const { connection, remote, received } = await connected()
    const rounds = 40
    const sent: Buffer[] = []
    const memory = Buffer.alloc(256 * 1024)
    for (let round = 0; round < rounds; round++) {
      memory.fill(round)
      const request = new RawRequest([memory])
      request.onOutcome = outcome => {
        if (outcome.kind === 'written') memory.fill(0xdd)
      }
      connection.send(request)
      sent.push(Buffer.alloc(memory.length, round))
      await eventually('written', () => request.written().length === 1)
    }
    const frameBytes = 8 + memory.length
    await eventually('all received', () => received().length === rounds * frameBytes)
    const all = received()
    for (const [round, expected] of sent.entries()) {
      const body = all.subarray(round * frameBytes + 8, (round + 1) * frameBytes)
      assert.ok(body.equals(expected), `round ${round}`)
    }
    remote.destroy()
  })
})

describe('A request time-out', () => {
  it('ends the connection: the late request gets TimeoutError, those behind it NetworkError', async () => {
    const clock = new FakeClock({ realImmediates: true })
    const { connection, closedWith } = await connected({ clock, requestTimeoutMs: 1_000 })
    const [late, behind] = [new RawRequest(), new RawRequest()]
    connection.send(late)
    await clock.advanceAsync(600)
    connection.send(behind)
    await clock.advanceAsync(399)
    assert.equal(connection.usable, true)
    await clock.advanceAsync(1)
    await eventually('closed', () => closedWith.length === 1)
    assert.ok(late.responses()[0]?.error instanceof TimeoutError)
    assert.match(String(late.responses()[0]?.error?.message), /Raw to broker test:1 .* within 1000 ms/)
    assert.ok(behind.responses()[0]?.error instanceof NetworkError)
    assert.equal(clock.pendingTimers, 0)
  })

  it('does not count time in which the broker had asked for quiet', async () => {
    const clock = new FakeClock({ realImmediates: true })
    const { connection, remote } = await connected({ clock, requestTimeoutMs: 1_000 })
    const request = new RawRequest()
    connection.send(request)
    connection.postponeTimeouts(500)
    await clock.advanceAsync(1_499)
    assert.equal(connection.usable, true)
    remote.write(rawResponse(0, 'late but in time'))
    await eventually('response', () => request.responses().length === 1)
    assert.equal(request.responses()[0]?.error, null)
  })

  it('is not judged before the sockets had their turn after the event loop was blocked', async () => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads')
       const server = require('node:net').createServer(socket => {
         socket.on('error', () => {})
         socket.on('data', chunk => setTimeout(() => {
           const reply = Buffer.alloc(8)
           reply.writeInt32BE(4)
           reply.writeInt32BE(chunk.readInt32BE(4), 4)
           socket.write(reply)
         }, 30))
       })
       server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`,
      { eval: true },
    )
    try {
      const [port] = (await once(worker, 'message')) as [number]
      const socket = netConnect(port, '127.0.0.1')
      sockets.push(socket)
      const closedWith: KafkaError[] = []
      const connection = new Connection({
        socket,
        broker: 'worker:1 (id 1)',
        requestTimeoutMs: 100,
        clock: systemClock,
        logger: new RecordingLogger(),
        events: { onConnected: () => {}, onSlotFreed: () => {}, onClosed: error => closedWith.push(error) },
      })
      await once(socket, 'connect')
      const requests: RawRequest[] = []
      const sendAndBlock = () => {
        const request = new RawRequest()
        requests.push(request)
        // Every other time the application goes on to block in the socket's own callback.
        if (requests.length % 2 === 1) request.onOutcome = ({ kind }) => kind === 'response' && sendAndBlock()
        connection.send(request)
        const blockedUntil = performance.now() + 300
        while (performance.now() < blockedUntil);
      }
      for (let round = 0; round < 3; round++) {
        sendAndBlock()
        await eventually(
          'outcomes',
          () => requests.filter(r => r.responses().length === 1).length === 2 * round + 2,
        )
      }
      for (const request of requests) assert.equal(request.responses()[0]?.error, null)
      assert.equal(closedWith.length, 0)
      connection.destroy(new NetworkError('the test is over'))
    } finally {
      await worker.terminate()
    }
  })
})
