// The life of a producer, its events, its logger, and brokers that are not there.
import { createServer, connect as netConnect, type Socket } from 'node:net'
import { outcome, plain } from './observe.js'
import { type Scenario, scenario, untyped } from './scenario.js'

const NOBODY = '127.0.0.1:1'
const QUICK = { retries: 1, initialRetryTime: 50 }

const life: readonly Scenario[] = [
  scenario('send before connect', async ({ kafka, topic }) => {
    const { send, sendBatch } = kafka().producer()
    const messages = [{ value: 'v' }]
    return [
      await outcome(() => send({ topic, messages })),
      await outcome(() => sendBatch({ topicMessages: [{ topic, messages }] })),
      await outcome(() => sendBatch({ topicMessages: [] })),
    ]
  }),
  scenario('what is wrong with a message counts before the connection', async ({ kafka, topic }) => {
    const { send } = kafka().producer()
    return [
      await outcome(() => send({ topic: '', messages: [{ value: 'v' }] })),
      await outcome(() => send({ topic, messages: [untyped({ key: 'k' })] })),
    ]
  }),
  scenario('connect and disconnect', async ({ kafka }) => {
    const producer = kafka().producer()
    return [await outcome(producer.connect), await outcome(producer.disconnect)]
  }),
  scenario('connect twice', async ({ kafka, topic }) => {
    const producer = kafka().producer()
    const results = [await outcome(producer.connect), await outcome(producer.connect)]
    results.push(await outcome(() => producer.send({ topic, messages: [{ value: 'v' }] })))
    await producer.disconnect()
    return results
  }),
  scenario('connect twice at once', async ({ kafka, topic }) => {
    const producer = kafka().producer()
    const results = await Promise.all([outcome(producer.connect), outcome(producer.connect)])
    results.push(await outcome(() => producer.send({ topic, messages: [{ value: 'v' }] })))
    await producer.disconnect()
    return results
  }),
  scenario('disconnect without connect, and twice', async ({ kafka }) => {
    const producer = kafka().producer()
    return [await outcome(producer.disconnect), await outcome(producer.disconnect)]
  }),
  scenario('send after disconnect', async ({ producer, topic }) => {
    const { send, disconnect } = await producer()
    await disconnect()
    return outcome(() => send({ topic, messages: [{ value: 'v' }] }))
  }),
  scenario('disconnect and back', async ({ producer, topic }) => {
    const { send, connect, disconnect } = await producer()
    const results = []
    for (let i = 0; i < 3; i++) {
      results.push(await outcome(() => send({ topic, messages: [{ value: `${i}` }] })))
      await disconnect()
      await connect()
    }
    return results
  }),
  scenario('send while disconnecting', async ({ producer, topic }) => {
    const { send, disconnect } = await producer()
    const first = outcome(() => send({ topic, messages: [{ value: '1' }] }))
    await first
    const disconnected = outcome(disconnect)
    const second = await outcome(() => send({ topic, messages: [{ value: '2' }] }))
    return [await disconnected, second]
  }),
  scenario('methods go without their object', async ({ kafka, topic }) => {
    const { connect, send, sendBatch, disconnect, isIdempotent, events, logger } = kafka().producer()
    await connect()
    const results = [
      await outcome(() => send({ topic, messages: [{ value: '1' }] })),
      await outcome(() => sendBatch({ topicMessages: [{ topic, messages: [{ value: '2' }] }] })),
      isIdempotent(),
      plain(events),
      Object.keys(logger()),
    ]
    await disconnect()
    return results
  }),
  scenario('methods may be replaced', async ({ producer, topic }) => {
    const wrapped = await producer()
    const original = wrapped.send
    let seen = 0
    wrapped.send = async record => {
      seen++
      return original(record)
    }
    const result = await outcome(() => wrapped.send({ topic, messages: [{ value: 'v' }] }))
    return { result, seen, descriptors: describeProperties(wrapped) }
  }),
  scenario('isIdempotent', async ({ kafka, unique }) => {
    const client = kafka()
    return [
      client.producer().isIdempotent(),
      client.producer({ idempotent: true }).isIdempotent(),
      client.producer({ idempotent: false }).isIdempotent(),
      client.producer({ transactionalId: unique }).isIdempotent(),
    ]
  }),
  ...[0, -1].map(retries =>
    scenario(`an idempotent producer with ${retries} retries`, async ({ kafka }) =>
      outcome(() => kafka().producer({ idempotent: true, retry: { retries } })),
    ),
  ),
  scenario('an idempotent producer whose client has no retries', async ({ kafka }) =>
    outcome(() => kafka({ retry: { retries: 0 } }).producer({ idempotent: true })),
  ),
  scenario(
    'idempotent, one request in flight',
    async ({ producer, topic }) => {
      const { send } = await producer({ idempotent: true, maxInFlightRequests: 1 })
      const sends = Array.from({ length: 20 }, (_, i) => send({ topic, messages: [{ value: `${i}` }] }))
      return (await Promise.all(sends)).length
    },
    { ignoresStored: true },
  ),
]

function describeProperties(producer: object): unknown {
  return Object.entries(Object.getOwnPropertyDescriptors(producer)).map(
    ([name, { writable, enumerable, configurable }]) => [name, writable, enumerable, configurable],
  )
}

const failures: readonly Scenario[] = [
  ...Object.entries({
    null: null,
    undefined: undefined,
    'an empty array': [],
    'an array with null': [null],
    'an array with an empty text': [''],
    'an array with a number': [9092],
    'a function that answers nothing': () => untyped(undefined),
    'a function that throws': () => {
      throw new Error('no brokers today')
    },
    'a function that rejects': async () => {
      throw new TypeError('no brokers at all')
    },
    'a function that answers an empty array': async () => [],
  }).map(([what, brokers]) =>
    scenario(`brokers: ${what}`, async ({ kafka }) => {
      const client = kafka({ brokers: untyped(brokers), retry: QUICK })
      return outcome(client.producer().connect)
    }),
  ),
  scenario('brokers: a function', async ({ kafka, brokers, topic }) => {
    let calls = 0
    const client = kafka({
      brokers: async () => {
        calls++
        return brokers
      },
    })
    const producer = client.producer()
    await producer.connect()
    const result = await outcome(() => producer.send({ topic, messages: [{ value: 'v' }] }))
    await producer.disconnect()
    return { result, wasCalled: calls > 0 }
  }),
  scenario('brokers: one that is not there beside one that is', async ({ kafka, brokers, topic }) => {
    const producer = kafka({
      brokers: [NOBODY, ...brokers],
      retry: { retries: 3, initialRetryTime: 20 },
    }).producer()
    const connected = await outcome(producer.connect)
    const result = await outcome(() => producer.send({ topic, messages: [{ value: 'v' }] }))
    await producer.disconnect()
    return { connected, result }
  }),
  scenario('nobody listens', async ({ kafka }) =>
    outcome(kafka({ brokers: [NOBODY], retry: QUICK }).producer().connect),
  ),
  scenario('nobody listens, no retries', async ({ kafka }) =>
    outcome(kafka({ brokers: [NOBODY], retry: { retries: 0 } }).producer().connect),
  ),
  scenario('a failed connect leaves the producer disconnected', async ({ kafka, topic }) => {
    const producer = kafka({ brokers: [NOBODY], retry: QUICK }).producer()
    await outcome(producer.connect)
    return outcome(() => producer.send({ topic, messages: [{ value: 'v' }] }))
  }),
  scenario('a server that takes the connection and ends it', async ({ kafka }) => {
    const server = createServer(socket => socket.destroy())
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const result = await outcome(kafka({ brokers: [`127.0.0.1:${port}`], retry: QUICK }).producer().connect)
    server.close()
    const { classes, name, retriable } = (result as { rejected: Record<string, unknown> }).rejected
    return { classes, name, retriable }
  }),
  scenario('socketFactory', async ({ kafka, topic }) => {
    const asked: unknown[] = []
    const sockets: Socket[] = []
    const producer = kafka({
      socketFactory: ({ host, port, ssl, onConnect }) => {
        asked.push([host, typeof port, ssl === undefined ? '(undefined)' : ssl])
        const socket = netConnect({ host, port }, onConnect)
        sockets.push(socket)
        return socket
      },
    }).producer()
    await producer.connect()
    const result = await outcome(() => producer.send({ topic, messages: [{ value: 'v' }] }))
    await producer.disconnect()
    return { first: asked[0], result, wasUsed: sockets.length > 0 }
  }),
  scenario('socketFactory throws', async ({ kafka }) => {
    const socketFactory = () => {
      throw new Error('no way through')
    }
    const result = await outcome(kafka({ socketFactory, retry: QUICK }).producer().connect)
    const { name, retriable, cause } = (result as { rejected: Record<string, unknown> }).rejected
    return { name, retriable, cause: (cause as { name: string }).name }
  }),
]

const events: readonly Scenario[] = [
  scenario('the names of events', async ({ kafka }) => plain(kafka().producer().events)),
  scenario('an event that does not exist', async ({ kafka }) =>
    outcome(() =>
      kafka()
        .producer()
        .on(untyped('producer.nothing'), () => {}),
    ),
  ),
  scenario('a name of the network itself', async ({ kafka }) =>
    outcome(() =>
      kafka()
        .producer()
        .on(untyped('network.request'), () => {}),
    ),
  ),
  scenario('CONNECT and DISCONNECT', async ({ kafka }) => {
    const producer = kafka().producer()
    const heard: unknown[] = []
    const { CONNECT, DISCONNECT } = producer.events
    for (const name of [CONNECT, DISCONNECT] as const) {
      producer.on(name, event => {
        heard.push({ keys: Object.keys(event), type: event.type, payload: plain(event.payload) })
      })
    }
    await producer.connect()
    await producer.connect()
    await producer.disconnect()
    await producer.disconnect()
    return heard
  }),
  scenario('no CONNECT after a failed connect', async ({ kafka }) => {
    const producer = kafka({ brokers: [NOBODY], retry: QUICK }).producer()
    let heard = 0
    producer.on(producer.events.CONNECT, () => {
      heard++
    })
    await outcome(producer.connect)
    return heard
  }),
  scenario('a listener is removed', async ({ kafka }) => {
    const producer = kafka().producer()
    let heard = 0
    const remove = producer.on(producer.events.CONNECT, () => {
      heard++
    })
    await producer.connect()
    remove()
    await producer.connect()
    await producer.disconnect()
    return heard
  }),
  scenario('a listener that throws later harms nothing', async ({ kafka, topic }) => {
    const producer = kafka().producer()
    producer.on(producer.events.CONNECT, async () => {
      throw new Error('of the listener')
    })
    await producer.connect()
    const result = await outcome(() => producer.send({ topic, messages: [{ value: 'v' }] }))
    await producer.disconnect()
    return result
  }),
  scenario(
    'a listener that throws at once harms nothing',
    async ({ kafka }) => {
      const producer = kafka().producer()
      producer.on(producer.events.CONNECT, () => {
        throw new Error('of the listener')
      })
      const result = await outcome(producer.connect)
      await producer.disconnect()
      return result
    },
    { different: 'A listener that throws is logged: in KafkaJS connect rejects with what it threw' },
  ),
  scenario('REQUEST of a send', async ({ producer, topic }) => {
    const { on, events: names, send } = await producer(undefined, { clientId: 'its-name' })
    const heard: { payload: Record<string, unknown> }[] = []
    on(names.REQUEST, event => heard.push(untyped(event)))
    await send({ topic, messages: [{ value: 'v' }] })
    const produce = heard.find(({ payload }) => payload.apiName === 'Produce')
    const { payload, ...envelope } = produce as (typeof heard)[number] & Record<string, unknown>
    return {
      envelope: Object.entries(envelope).map(([key, value]) => [key, key === 'type' ? value : typeof value]),
      keys: Object.keys(payload).sort(),
      types: Object.keys(payload)
        .sort()
        .map(key => typeof payload[key]),
      apiKey: payload.apiKey,
      clientId: payload.clientId,
      isAddress: /^127\.0\.0\.1:\d+$/.test(String(payload.broker)),
      isNow: Math.abs(Date.now() - Number(payload.sentAt)) < 60_000,
    }
  }),
  scenario('REQUEST: names of requests', async ({ kafka, topic, unique }) => {
    const producer = kafka().producer({ transactionalId: unique, idempotent: true })
    const heard = new Set<unknown>()
    producer.on(producer.events.REQUEST, ({ payload }) => heard.add(payload.apiName))
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'v' }] })
    await transaction.commit()
    await producer.disconnect()
    const looked = ['ApiVersions', 'EndTxn', 'GroupCoordinator', 'InitProducerId', 'Metadata', 'Produce']
    return looked.filter(name => heard.has(name))
  }),
  scenario('ids of events rise', async ({ kafka }) => {
    const ids: number[] = []
    for (let i = 0; i < 2; i++) {
      const producer = kafka().producer()
      producer.on(producer.events.CONNECT, ({ id }) => ids.push(Number(id)))
      producer.on(producer.events.DISCONNECT, ({ id }) => ids.push(Number(id)))
      await producer.connect()
      await producer.disconnect()
    }
    return ids.every((id, i) => i === 0 || id > (ids[i - 1] as number))
  }),
  scenario(
    'REQUEST_QUEUE_SIZE with one request in flight',
    async ({ producer, topic }) => {
      const { on, events: names, send } = await producer({ maxInFlightRequests: 1 })
      let heard = 0
      on(names.REQUEST_QUEUE_SIZE, () => {
        heard++
      })
      const sends = Array.from({ length: 20 }, (_, i) => send({ topic, messages: [{ value: `${i}` }] }))
      await Promise.all(sends)
      return heard > 0
    },
    {
      ignoresStored: true,
      different: 'Requests never queue: records wait in batches, and REQUEST_QUEUE_SIZE does not come',
    },
  ),
  scenario(
    'REQUEST_TIMEOUT',
    async ({ kafka, broker }) => {
      const producer = kafka({ requestTimeout: 300, retry: { retries: 3, initialRetryTime: 50 } }).producer()
      const heard: Record<string, unknown>[] = []
      producer.on(producer.events.REQUEST_TIMEOUT, ({ payload }) => heard.push(untyped(payload)))
      broker.delay({ api: 'Metadata', ms: 1_500, times: 1 })
      await producer.connect()
      const topic = `late-${Math.random()}`.replace('0.', '')
      broker.createTopic(topic, { partitions: 1 })
      await outcome(() => producer.send({ topic, messages: [{ value: 'v' }] }))
      await producer.disconnect()
      const [first = {}] = heard
      return [first.apiName, Object.keys(first).sort()]
    },
    { needsFaults: true },
  ),
]

const logs: readonly Scenario[] = [
  scenario('logCreator: called once, with the level', async ({ library, brokers }) => {
    const levels: unknown[] = []
    const logCreator = (level: number) => {
      levels.push(level)
      return () => {}
    }
    const { Kafka, logLevel } = library
    const client = new Kafka({ brokers, logCreator, logLevel: logLevel.WARN })
    client.producer()
    client.producer()
    new Kafka({ brokers, logCreator })
    return levels
  }),
  scenario('logCreator: entries', async ({ library, brokers }) => {
    const entries: unknown[] = []
    const logCreator = () => (entry: { log: { timestamp: string } }) => {
      const { log, ...rest } = entry
      entries.push({ ...rest, log: { ...log, timestamp: /^\d{4}-.*Z$/.test(log.timestamp) } })
    }
    const client = new library.Kafka({
      brokers,
      logCreator: untyped(logCreator),
      logLevel: library.logLevel.DEBUG,
    })
    const logger = client.logger()
    logger.error('an error', { a: 1 })
    logger.warn('a warning')
    logger.info('a note', { message: 'overwritten' })
    logger.debug('a detail', { timestamp: 'x' })
    logger.namespace('Mine').info('of mine')
    logger.namespace('Mine', library.logLevel.ERROR).info('not heard')
    client.producer().logger().info('of the producer')
    return entries.map(plain)
  }),
  ...(['NOTHING', 'ERROR', 'WARN', 'INFO', 'DEBUG'] as const).map(name =>
    scenario(`logLevel ${name}`, async ({ library, brokers }) => {
      const heard: unknown[] = []
      const logCreator = () => (entry: { label: string }) => heard.push(entry.label)
      const client = new library.Kafka({
        brokers,
        logLevel: library.logLevel[name],
        logCreator: untyped(logCreator),
      })
      const say = () => {
        for (const method of ['error', 'warn', 'info', 'debug'] as const) client.logger()[method]('x')
      }
      say()
      client.logger().setLogLevel(library.logLevel.ERROR)
      say()
      client.logger().namespace('N').info('x')
      return heard
    }),
  ),
]

export const connectionScenarios: readonly Scenario[] = [...life, ...failures, ...events, ...logs]
