// `close({ timeoutMs })` ends in its time, and settles every call, whatever the producer waits for.
import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { Producer, type ProducerOptions } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { silent } from '../transactions/support.js'

const CLOSE_MS = 100
/** No time-out that a call has by itself is as short. */
const PATIENCE_MS = 5_000

interface Situation {
  options?: (address: string) => Partial<ProducerOptions>
  /** Calls that cannot end by themselves. */
  calls?: (producer: Producer) => Promise<unknown>[]
}

const never = () => new Promise<never>(() => {})
const record = { topic: 't', value: 'v' }

const situations: Record<string, Situation> = {
  'a peer that accepts and says nothing': {},
  'a TLS handshake that gets no answer': { options: () => ({ securityProtocol: 'SSL' }) },
  'a socket factory that never connects': {
    options: () => ({ socketFactory: () => new Duplex({ read() {}, write() {} }) as never }),
  },
  'a token that never comes': {
    options: () =>
      ({
        securityProtocol: 'SASL_PLAINTEXT',
        saslMechanism: 'OAUTHBEARER',
        saslOauthTokenProvider: never,
      }) as never,
  },
  'a serializer that never is ready': {
    options: () => ({ valueSerializer: { prepare: never, serialize: () => null } }) as never,
  },
}

/** Accepts connections and never answers. */
async function withMutePeer(work: (address: string) => Promise<void>): Promise<void> {
  const sockets: Socket[] = []
  const server = createServer(socket => void sockets.push(socket.on('error', () => {}).resume()))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  try {
    await work(`127.0.0.1:${port}`)
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

async function closesInTime(producer: Producer, calls: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = Promise.allSettled(calls)
  await new Promise(resolve => setTimeout(resolve, 50))
  const beganAt = performance.now()
  await producer.close({ timeoutMs: CLOSE_MS })
  for (const [index, outcome] of (await outcomes).entries()) {
    assert.equal(outcome.status, 'rejected', `call ${index}`)
  }
  const tookMs = performance.now() - beganAt
  assert.ok(tookMs < PATIENCE_MS, `it took ${tookMs} ms`)
}

for (const [name, { options, calls }] of Object.entries(situations)) {
  test(`close ends in its time with ${name}`, () =>
    withMutePeer(async address => {
      const producer = new Producer({
        bootstrapServers: address,
        logger: silent,
        ...options?.(address),
      })
      await closesInTime(
        producer,
        calls?.(producer) ?? [
          producer.send(record),
          producer.sendMany([record]),
          producer.partitionsFor('t'),
          producer.connect(),
        ],
      )
    }))
}

test('close ends in its time while the cluster is told the last metrics', async () => {
  await using broker = await startBroker({ quiet: true, telemetry: {} })
  const producer = new Producer({ bootstrapServers: broker.bootstrapServers, logger: silent })
  await producer.send(record)
  await producer.clientInstanceId()
  broker.hold({ api: 'PushTelemetry' })
  await closesInTime(producer, [])
})
