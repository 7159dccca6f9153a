import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { ChaosProxy } from './proxy.js'
import { Random } from './random.js'
import { waitUntil } from './wait.js'

const PATIENCE_MS = 10_000

describe('the proxy', { timeout: 60_000 }, () => {
  let server: Server
  let proxy: ChaosProxy
  /** What the server has received on its connections, oldest first. */
  let received: { chunks: Buffer[]; bytes: number }[]
  let sockets: Socket[]

  before(async () => {
    server = createServer(socket => {
      const sink = { chunks: [] as Buffer[], bytes: 0 }
      received.push(sink)
      sockets.push(socket)
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => {
        sink.chunks.push(chunk)
        sink.bytes += chunk.length
        socket.write(chunk)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  beforeEach(async () => {
    received = []
    sockets = []
    proxy = await ChaosProxy.start((server.address() as AddressInfo).port)
  })
  afterEach(() => proxy.close())

  function client(): Socket & { echoed: () => number; ended: Promise<unknown> } {
    const socket = connect(proxy.port, '127.0.0.1')
    let bytes = 0
    socket.on('data', chunk => {
      bytes += (chunk as Buffer).length
    })
    socket.on('error', () => {})
    const ended = new Promise(resolve => socket.once('close', resolve))
    return Object.assign(socket, { echoed: () => bytes, ended })
  }

  const echo = (socket: ReturnType<typeof client>, bytes: number) =>
    waitUntil(`${bytes} bytes come back`, PATIENCE_MS, () => socket.echoed() === bytes, 1)

  test('passes bytes unchanged and in order where there is no fault', async () => {
    const socket = client()
    const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) & 255))
    socket.write(sent)
    await echo(socket, sent.length)
    assert.ok(sent.equals(Buffer.concat(received[0]?.chunks ?? [])))
    assert.deepEqual(proxy.counters.bytes, { in: sent.length, out: sent.length })
    socket.end()
    await once(sockets[0] as Socket, 'close')
  })

  test('delays what it is told to, and counts by how much', async () => {
    const socket = client()
    proxy.delay(150, ['in'])
    const startedAt = performance.now()
    socket.write('abc')
    await echo(socket, 3)
    assert.ok(performance.now() - startedAt >= 150)
    assert.equal(proxy.counters.delayedChunks, 1)
    assert.ok(proxy.counters.delayedMs >= 150)
    socket.destroy()
  })

  test('throttles to a rate', async () => {
    const socket = client()
    proxy.throttle(100_000, ['in'])
    const startedAt = performance.now()
    socket.write(Buffer.alloc(50_000))
    await echo(socket, 50_000)
    const seconds = (performance.now() - startedAt) / 1000
    assert.ok(seconds >= 0.45, `50 kB at 100 kB/s took ${seconds} s`)
    assert.ok(proxy.counters.throttleWaits > 5)
    socket.destroy()
  })

  for (const bytes of [0, 1, 1000, 70_000]) {
    test(`cuts when exactly ${bytes} bytes have gone in`, async () => {
      proxy.cut({ mostBytes: { in: bytes }, leastBytes: bytes, times: 1, random: new Random(1) })
      const socket = client()
      socket.write(Buffer.alloc(200_000))
      await socket.ended
      await waitUntil('the server has what was let through', PATIENCE_MS, () => received[0]?.bytes === bytes)
      await setTimeout(20)
      assert.equal(received[0]?.bytes, bytes)
      assert.equal(proxy.counters.cuts, 1)
      const next = client()
      next.write(Buffer.alloc(200_000))
      await echo(next, 200_000)
      next.destroy()
    })
  }

  test('cuts when exactly so many bytes have come out', async () => {
    proxy.cut({ mostBytes: { out: 5000 }, leastBytes: 5000, random: new Random(1) })
    const socket = client()
    socket.write(Buffer.alloc(20_000))
    await socket.ended
    assert.equal(socket.echoed(), 5000)
    assert.equal(proxy.counters.bytes.out, 5000)
  })

  test('ends connections after a random time', async () => {
    proxy.lifetimes({ minMs: 50, maxMs: 100, random: new Random(1) })
    const startedAt = performance.now()
    await Promise.all([client(), client(), client()].map(({ ended }) => ended))
    assert.ok(performance.now() - startedAt >= 49)
    assert.equal(proxy.counters.expiredLifetimes, 3)
  })

  test('swallows without closing, and later bytes pass again', async () => {
    const socket = client()
    socket.write('a')
    await echo(socket, 1)
    proxy.swallow(true, ['in'])
    socket.write('bcd')
    await waitUntil('three bytes are gone', PATIENCE_MS, () => proxy.counters.swallowedBytes === 3)
    proxy.swallow(false)
    socket.write('e')
    await echo(socket, 2)
    assert.equal(String(Buffer.concat(received[0]?.chunks ?? [])), 'ae')
    socket.destroy()
  })

  test('holds replies until they are released', async () => {
    const socket = client()
    const hold = proxy.hold(['out'])
    socket.write('abc')
    await waitUntil('the reply is held', PATIENCE_MS, () => proxy.counters.heldChunks === 1)
    await setTimeout(50)
    assert.equal(socket.echoed(), 0)
    hold.release()
    await echo(socket, 3)
    assert.equal(proxy.counters.releasedChunks, 1)
    socket.destroy()
  })

  test('stalled, it reads nothing, so that bytes back up at the sender', async () => {
    const socket = client()
    socket.write('a')
    await echo(socket, 1)
    const stall = proxy.stall(['in'])
    const bytes = 16 << 20
    socket.write(Buffer.alloc(bytes))
    await setTimeout(200)
    assert.ok(socket.writableLength > 0)
    assert.ok((received[0]?.bytes ?? 0) < bytes)
    stall.release()
    await echo(socket, bytes + 1)
    socket.destroy()
  })

  test('a broker that is down is told to the client by a closed connection', async () => {
    proxy.targetPort = 1
    await client().ended
    assert.equal(proxy.counters.unreachable, 1)
  })
})
