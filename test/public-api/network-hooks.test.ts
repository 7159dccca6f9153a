// socketFactory, requestListener, allowAutoTopicCreation and connect, on every runtime.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import {
  ConfigError,
  type KafkaError,
  NetworkError,
  Producer,
  type ProducerOptions,
  type RequestReport,
  type SocketFactory,
  TimeoutError,
} from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { read, withProducer } from './support.js'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A proxy that wants to be told where to, and says OK when it is there. Names are its own business. */
async function startProxy(): Promise<{ server: Server; port: number; asked: string[] }> {
  const asked: string[] = []
  const server = createServer(client => {
    client.once('data', request => {
      const target = request.toString().trim()
      asked.push(target)
      const upstream = connectTcp(Number(target.split(':')[1]), '127.0.0.1', () => {
        client.write('OK\n')
        client.pipe(upstream).pipe(client)
      })
      upstream.on('error', () => client.destroy())
      client.on('error', () => upstream.destroy())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port, asked }
}

const throughProxy =
  (proxyPort: number): SocketFactory =>
  ({ host, port, onConnect }) => {
    const socket = connectTcp(proxyPort, '127.0.0.1', () => socket.write(`${host}:${port}\n`))
    socket.once('data', answer => {
      assert.equal(answer.toString(), 'OK\n')
      onConnect()
    })
    return socket
  }

/** A stream that calls back at once and writes later, from the memory it was given. */
class LazyStream extends Duplex {
  private readonly inner: Socket
  constructor(inner: Socket) {
    super()
    this.inner = inner
    inner.on('data', chunk => this.push(chunk))
    inner.on('close', () => this.destroy())
    inner.on('error', () => this.destroy())
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    callback()
    setTimeout(() => this.inner.write(chunk), 5)
  }
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.inner.destroy()
    callback(error)
  }
}

test('socketFactory: opens connections through a proxy that resolves the names', async () => {
  const { server, port, asked } = await startProxy()
  try {
    const advertise = ({ port: own }: { port: number }) => ({ host: 'broker.internal.invalid', port: own })
    await withProducer(
      { socketFactory: throughProxy(port) },
      async (producer, broker) => {
        await producer.sendMany([1, 2, 3].map(i => ({ topic: 't', key: `${i}`, value: `${i}` })))
        assert.equal(read(broker, 't').length, 3)
        assert.ok(
          asked.some(target => target.startsWith('broker.internal.invalid:')),
          asked.join(),
        )
      },
      { advertise },
    )
  } finally {
    server.close()
  }
})

test('socketFactory: a stream that goes on reading its memory after it has called back gets memory of its own', async () => {
  const socketFactory: SocketFactory = ({ host, port, onConnect }) =>
    new LazyStream(connectTcp(port, host, onConnect)) as unknown as Socket
  await withProducer({ socketFactory, bufferMemory: 64 * 1024 }, async (producer, broker) => {
    const value = (i: number) => `${i}`.padStart(1_000, '.')
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => producer.send({ topic: 't', partition: 0, value: value(i) })),
    )
    assert.deepEqual(
      read(broker, 't').map(record => record.value),
      Array.from({ length: 500 }, (_, i) => value(i)),
    )
  })
})

const wrong: [string, SocketFactory, RegExp][] = [
  [
    'throws',
    () => {
      throw new Error('no way')
    },
    /no way/,
  ],
  ['answers no socket', () => ({}) as Socket, /did not return a socket/],
]
for (const [what, socketFactory, pattern] of wrong) {
  test(`socketFactory: one that ${what} is a connection that failed`, async () => {
    await withProducer({ socketFactory, logger: silent }, async producer => {
      await assert.rejects(producer.connect({ timeoutMs: 300 }), pattern)
    })
  })
}

test('socketFactory: a socket that is not encrypted is refused where TLS is asked for', async () => {
  const asked: unknown[] = []
  const socketFactory: SocketFactory = ({ host, port, tls, onConnect }) => {
    asked.push(tls?.rejectUnauthorized)
    return connectTcp(port, host, onConnect)
  }
  const options: Partial<ProducerOptions> = {
    socketFactory,
    securityProtocol: 'SSL',
    tls: { rejectUnauthorized: false },
    logger: silent,
  }
  await withProducer(options, async producer => {
    await assert.rejects(producer.connect({ timeoutMs: 300 }), /is not encrypted/)
    assert.equal(asked[0], false)
  })
})

test('requestListener: sees requests, and that some have no answer', async () => {
  const reports: RequestReport[] = []
  const requestListener = (report: RequestReport) => {
    reports.push(report)
    throw new Error('of the listener')
  }
  for (const acks of ['all', '0'] as const) {
    await withProducer({ requestListener, acks, clientId: 'watched', logger: silent }, async producer => {
      await producer.send({ topic: 't', value: 'v' })
      await producer.flush()
    })
  }
  const produced = reports.filter(({ apiName }) => apiName === 'Produce')
  assert.equal(produced.length, 2)
  for (const { broker, clientId, apiKey, durationMs, sentAtMs, timedOut } of produced) {
    assert.match(broker, /^127\.0\.0\.1:\d+$/)
    assert.deepEqual([clientId, apiKey, timedOut], ['watched', 0, false])
    assert.ok(durationMs >= 0 && Math.abs(Date.now() - sentAtMs) < 60_000)
  }
  assert.ok((produced[0]?.responseBytes ?? 0) > 0)
  assert.equal(produced[1]?.responseBytes, 0)
})

test('requestListener: sees what was not answered in time', async () => {
  const late: string[] = []
  const requestListener = ({ apiName, timedOut }: RequestReport) => {
    if (timedOut) late.push(apiName)
  }
  const options = { requestListener, requestTimeoutMs: 300, deliveryTimeoutMs: 30_000, logger: silent }
  await withProducer(options, async (producer, broker) => {
    await producer.send({ topic: 't', value: '1' })
    broker.swallow({ api: 'Produce' })
    await producer.send({ topic: 't', value: '2' })
    assert.deepEqual(late, ['Produce'])
  })
})

test('allowAutoTopicCreation: false leaves topics that are not there alone', async () => {
  await withProducer({ allowAutoTopicCreation: false, maxBlockMs: 300 }, async (producer, broker) => {
    broker.createTopic('there')
    await producer.send({ topic: 'there', value: 'v' })
    await assert.rejects(producer.send({ topic: 'missing', value: 'v' }), /UNKNOWN_TOPIC_OR_PARTITION/)
    assert.throws(() => broker.partitions('missing'))
  })
})

test('connect: resolves when a broker has answered and given a producer id, and sends nothing else', async () => {
  await withProducer({}, async (producer, broker) => {
    await producer.connect()
    assert.deepEqual(Object.keys(broker.counters().requests).sort(), [
      'ApiVersions',
      'InitProducerId',
      'Metadata',
    ])
  })
})

test('connect: tries again until its time is over, and says why', async () => {
  await using producer = new Producer({ bootstrapServers: '127.0.0.1:1', logger: silent })
  await assert.rejects(producer.connect({ timeoutMs: 300 }), (error: KafkaError) => {
    assert.ok(error instanceof TimeoutError)
    assert.ok(error.cause instanceof NetworkError)
    return true
  })
})

test('connect: outlives a broker that does not answer at first', async () => {
  await withProducer(
    { requestTimeoutMs: 200, deliveryTimeoutMs: 30_000, logger: silent },
    async (producer, broker) => {
      broker.swallow({ api: 'Metadata' })
      await producer.connect({ timeoutMs: 20_000 })
    },
  )
})

test('connect: rejects at once for credentials that are refused', async () => {
  await using broker = await startBroker({ quiet: true, sasl: { users: { u: 'right' } } })
  await using producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    securityProtocol: 'SASL_PLAINTEXT',
    saslMechanism: 'SCRAM-SHA-256',
    saslCredentialsProvider: () => ({ username: 'u', password: 'wrong' }),
    logger: silent,
  })
  await assert.rejects(producer.connect({ timeoutMs: 60_000 }), { code: 'AUTHENTICATION_FAILED' })
})

test('connect: not after close', async () => {
  await withProducer({}, async producer => {
    await producer.close()
    await assert.rejects(producer.connect(), { code: 'PRODUCER_CLOSED' })
  })
})

test('options of the wrong type are refused', () => {
  const wrong = { allowAutoTopicCreation: 'no', socketFactory: {}, requestListener: 5 }
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(
      () => new Producer({ bootstrapServers: '127.0.0.1:1', [name]: value } as ProducerOptions),
      (error: ConfigError) => error instanceof ConfigError && error.key === name,
    )
  }
})
