// Sockets, timers and others' records belong to no request: no AsyncLocalStorage shows a stranger's store.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Producer, type ProducerOptions } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'

const requests = new AsyncLocalStorage<string>()

/** What ran for records, and in whose context: the record's value names the request that sent it. */
class Seen {
  readonly all: { what: string; owner: string; context: string | undefined }[] = []
  note(what: string, owner: unknown): void {
    this.all.push({ what, owner: String(owner), context: requests.getStore() })
  }
  /** Nothing ran in another request's context, and everything expected ran. */
  check(...expected: string[]): void {
    const strangers = this.all.filter(({ owner, context }) => context !== undefined && context !== owner)
    assert.deepEqual(strangers, [])
    for (const what of expected)
      assert.ok(
        this.all.some(each => each.what === what),
        `${what} did not run`,
      )
  }
}

function newProducer(broker: TestBroker, seen: Seen, options: Partial<ProducerOptions<string, string>> = {}) {
  const { bootstrapServers } = broker
  return new Producer<string, string>({
    bootstrapServers,
    lingerMs: 2,
    partitioner: (_, __, value) => {
      seen.note('partitioner', value)
      return 0
    },
    interceptors: [{ onAcknowledgement: ({ topic }) => seen.note('onAcknowledgement', topic) }],
    ...options,
  })
}

/** A record of a request, whose topic and value are its name: so interceptors can tell whose it is. */
function sendIn(producer: Producer<string, string>, name: string, way: Way, seen: Seen): Promise<unknown> {
  const record = { topic: name, value: name }
  return requests.run(name, async () => {
    if (way === 'callback')
      await new Promise(resolve =>
        producer.send(record, () => {
          seen.note('callback', name)
          resolve(null)
        }),
      )
    else {
      await (way === 'promise' ? producer.send(record) : producer.sendMany([record, record])).catch(() => {})
      assert.equal(requests.getStore(), name)
    }
  })
}

const WAYS = ['promise', 'callback', 'many'] as const
type Way = (typeof WAYS)[number]

for (const way of WAYS) {
  test(`records of several requests, the first of which opens the connections (${way})`, async () => {
    await using broker = await startBroker({ partitions: 2, quiet: true })
    const seen = new Seen()
    await using producer = newProducer(broker, seen)
    await sendIn(producer, 'A', way, seen)
    await Promise.all(['A', 'B', 'C', 'D'].map(name => sendIn(producer, name, way, seen)))
    for (const name of ['A', 'B', 'E']) await sendIn(producer, name, way, seen)
    seen.check('partitioner', 'onAcknowledgement', ...(way === 'callback' ? ['callback'] : []))
  })

  test(`records that are refused, expire or are given up at the end (${way})`, async () => {
    await using broker = await startBroker({ partitions: 2, quiet: true })
    const seen = new Seen()
    const limits = { requestTimeoutMs: 100, deliveryTimeoutMs: 200, maxBlockMs: 400 }
    await using producer = newProducer(broker, seen, { ...limits, maxRequestSize: 2000 })
    await sendIn(producer, 'A', way, seen)
    const large = { topic: 'B', value: 'x'.repeat(3000) }
    await requests.run('B', () => producer.sendMany([large]).catch(() => {}))
    broker.fail({ api: 'Produce', topic: 'C', error: 'INVALID_RECORD', count: 1 } as never)
    await Promise.all(['C', 'A'].map(name => sendIn(producer, name, way, seen)))
    broker.hold({ api: 'Produce' })
    await Promise.all(['A', 'C'].map(name => sendIn(producer, name, way, seen)))
    const closing = newProducer(broker, seen, { lingerMs: 60_000 })
    const left = ['A', 'C'].map(name => sendIn(closing, name, way, seen))
    await eventually(
      'the partitions are known',
      () => closing.bufferAvailableBytes < closing.bufferTotalBytes,
    )
    await requests.run('the one who closes', () => closing.close({ timeoutMs: 0 }))
    await Promise.all(left)
    seen.check('partitioner', 'onAcknowledgement', ...(way === 'callback' ? ['callback'] : []))
  })
}

test('a transaction that somebody else aborts', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  const seen = new Seen()
  await using producer = newProducer(broker, seen, { transactionalId: 'x', lingerMs: 60_000 })
  await requests.run('who begins', () => producer.initTransactions())
  for (const end of ['abortTransaction', 'commitTransaction'] as const) {
    producer.beginTransaction()
    const sent = ['A', 'B'].flatMap(name => WAYS.map(way => sendIn(producer, name, way, seen)))
    await eventually('they are in batches', () => producer.bufferAvailableBytes < producer.bufferTotalBytes)
    await requests.run('who ends', () => producer[end]())
    await Promise.all(sent)
  }
  seen.check('partitioner', 'onAcknowledgement', 'callback')
})

test('serializers that had to get ready first', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  const seen = new Seen()
  let isReady = () => {}
  const valueSerializer = {
    prepare: () =>
      new Promise<void>(resolve => {
        isReady = resolve
      }),
    serialize: (_: string, data: string) => {
      seen.note('serialize', data)
      return data
    },
  }
  const { bootstrapServers } = broker
  await using producer = new Producer<string, string>({ bootstrapServers, valueSerializer })
  const send = (name: string) => requests.run(name, () => producer.send({ topic: 't', value: name }))
  const sent = ['A', 'B', 'C'].map(send)
  requests.run('whose answer it was', isReady)
  await Promise.all(sent)
  seen.check('serialize')
})

test('a request that opened the connection is not kept alive by it', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await using broker = await startBroker({ partitions: 2, quiet: true })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers })
  const stores = new AsyncLocalStorage<object>()
  const firstRequest = async () => {
    const store = { large: Buffer.alloc(1000) }
    await stores.run(store, async () => {
      await producer.send({ topic: 't', value: 'a' })
      await new Promise(resolve => producer.send({ topic: 't', value: 'b' }, resolve))
    })
    return new WeakRef(store)
  }
  const store = await firstRequest()
  await new Promise(setImmediate)
  // Looked at, the store would live to the end of the turn.
  for (let i = 0; i < 10; i++) {
    collect()
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  assert.ok(store.deref() === undefined, 'the store is still there')
  await producer.send({ topic: 't', value: 'c' })
})

test('a request that loads the library is in no later one', async () => {
  const index = JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)
  const testing = JSON.stringify(new URL('../../dist/testing/index.js', import.meta.url).href)
  const program = `
    import { AsyncLocalStorage } from 'node:async_hooks'
    import { startBroker } from ${testing}
    const { bootstrapServers, close } = await startBroker({ quiet: true }).then(broker => ({
      bootstrapServers: broker.bootstrapServers, close: () => broker.close() }))
    const before = new AsyncLocalStorage(), after = new AsyncLocalStorage()
    const { Producer } = await before.run('first', () => import(${index}))
    const producer = before.run('first', () => new Producer({ bootstrapServers }))
    const seen = await after.run('second', () => new Promise(resolve =>
      producer.send({ topic: 't', value: 'v' }, () => resolve([before.getStore(), after.getStore()]))))
    console.log(JSON.stringify(seen))
    await producer.close(); await close()`
  const parameters = ['--input-type=module', '-e', program]
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { timeout: 60_000 })
  assert.equal(stdout.trim(), '[null,null]')
})
