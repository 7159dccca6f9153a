import assert from 'node:assert/strict'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, test } from 'node:test'
import { Producer } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { newTelemetry } from './support.js'

const STAGES = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const

interface Heard {
  channel: string
  message: Record<string, unknown>
}

/** Listens to channels; those of a tracing channel by its name. Gives it all back at the end. */
class Listener implements Disposable {
  readonly heard: Heard[] = []
  private readonly subscriptions: [string, (message: unknown, name: string | symbol) => void][] = []

  constructor(...names: string[]) {
    for (const name of names) {
      const listen = (message: unknown, from: string | symbol) =>
        this.heard.push({ channel: String(from), message: message as Record<string, unknown> })
      subscribe(name, listen)
      this.subscriptions.push([name, listen])
    }
  }

  static tracing(name: string): Listener {
    return new Listener(...STAGES.map(stage => `tracing:${name}:${stage}`))
  }

  get stages(): string[] {
    return this.heard.map(({ channel }) => channel.replace(/^tracing:.*:/, ''))
  }

  [Symbol.dispose](): void {
    for (const [name, listen] of this.subscriptions) unsubscribe(name, listen)
  }
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

describe('diagnostics channels', () => {
  test('a send, by promise and by callback, and sendMany', async () => {
    using listener = Listener.tracing('millrace.send')
    await using broker = await startBroker({ quiet: true })
    await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, clientId: 'traced' })
    const record = { topic: 't', value: 'v' }
    const metadata = await producer.send(record)
    assert.deepEqual(listener.stages, ['start', 'end', 'asyncStart', 'asyncEnd'])
    const [first] = listener.heard
    assert.equal(first?.message.clientId, 'traced')
    assert.equal(first?.message.call, 'send')
    assert.equal(first?.message.input, record)
    assert.equal(first?.message.result, metadata)
    assert.ok(listener.heard.every(({ message }) => message === first?.message))
    listener.heard.length = 0
    await new Promise<void>(resolve => producer.send(record, () => resolve()))
    assert.deepEqual(listener.stages, ['start', 'end', 'asyncStart', 'asyncEnd'])
    listener.heard.length = 0
    const report = await producer.sendMany([record, record])
    assert.deepEqual(listener.stages, ['start', 'end', 'asyncStart', 'asyncEnd'])
    assert.equal(listener.heard[0]?.message.call, 'sendMany')
    assert.equal(listener.heard[0]?.message.result, report)
  })

  test('whoever subscribes later sees the next send', async () => {
    await using broker = await startBroker({ quiet: true })
    await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 0 })
    await producer.send({ topic: 't', value: 'v' })
    using listener = Listener.tracing('millrace.send')
    await producer.send({ topic: 't', value: 'v' })
    assert.equal(listener.heard.length, 4)
  })

  test('a send that fails', async () => {
    using listener = Listener.tracing('millrace.send')
    await using broker = await startBroker({ quiet: true })
    await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, logger: quiet })
    broker.fail({ api: 'Produce', error: 'INVALID_REQUIRED_ACKS' })
    const refused = await producer.send({ topic: 't', value: 'v' }).catch((error: Error) => error)
    assert.deepEqual(listener.stages, ['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    assert.equal(listener.heard[0]?.message.error, refused)
  })

  test('connections and requests', async () => {
    using connects = Listener.tracing('millrace.connect')
    using requests = Listener.tracing('millrace.request')
    await using broker = await startBroker({ quiet: true })
    await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 0 })
    await producer.send({ topic: 't', value: 'v' })
    const ended = connects.heard.filter(({ channel }) => channel.endsWith('asyncEnd'))
    assert.deepEqual(
      ended.map(({ message }) => message.nodeId),
      [-1, 1],
    )
    assert.equal(ended[0]?.message.host, '127.0.0.1')
    const produce = requests.heard.filter(({ message }) => message.api === 'Produce')
    assert.deepEqual(
      produce.map(({ channel }) => channel.replace(/.*:/, '')),
      ['start', 'end', 'asyncStart', 'asyncEnd'],
    )
    const { apiKey, nodeId, bytes, result } = produce[0]?.message ?? {}
    assert.deepEqual([apiKey, nodeId], [0, 1])
    assert.ok((bytes as number) > 61)
    assert.ok((result as { latencyMs: number }).latencyMs >= 0)
  })

  test('a connection that cannot be made', async () => {
    using listener = Listener.tracing('millrace.connect')
    const producer = new Producer({ bootstrapServers: '127.0.0.1:1', maxBlockMs: 50, logger: quiet })
    await assert.rejects(producer.send({ topic: 't', value: 'v' }))
    await producer.close({ timeoutMs: 0 })
    assert.deepEqual(listener.stages.slice(0, 5), ['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    assert.match(String(listener.heard[0]?.message.error), /ECONNREFUSED/)
  })

  test('batches, retries, metadata and throttling', async () => {
    const names = ['batch.sent', 'retry', 'metadata', 'throttle'].map(name => `millrace.${name}`)
    using listener = new Listener(...names)
    await using broker = await startBroker({ quiet: true })
    await using producer = new Producer({
      ...{ bootstrapServers: broker.bootstrapServers, clientId: 'traced', retryBackoffMs: 5, lingerMs: 0 },
      logger: quiet,
    })
    broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS' })
    broker.throttle({ api: 'Produce', ms: 7 })
    await producer.send({ topic: 't', value: 'v' })
    const of = (name: string) =>
      listener.heard.filter(({ channel }) => channel === `millrace.${name}`).map(({ message }) => message)
    const place = { clientId: 'traced', nodeId: 1, topic: 't', partition: 0, records: 1 }
    assert.deepEqual(
      of('batch.sent').map(({ bytes, ...rest }) => rest),
      [
        { ...place, attempts: 0 },
        { ...place, attempts: 1 },
      ],
    )
    const [retry] = of('retry')
    assert.equal(retry?.attempts, 1)
    assert.match(String(retry?.error), /NOT_ENOUGH_REPLICAS|replicas/i)
    assert.deepEqual(of('throttle'), [{ clientId: 'traced', nodeId: 1, throttleMs: 7 }])
    assert.ok(of('metadata').some(({ error, nodes }) => error === null && nodes === 1))
  })

  test('the calls of a transaction', async () => {
    using listener = Listener.tracing('millrace.transaction')
    await using broker = await startBroker({ quiet: true })
    await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, transactionalId: 'tx' })
    await producer.initTransactions()
    await producer.transaction(async () => {
      await producer.send({ topic: 't', value: 'v' })
    })
    const calls = listener.heard.filter(({ channel }) => channel.endsWith('asyncEnd'))
    assert.deepEqual(
      calls.map(({ message }) => message.call),
      ['initTransactions', 'beginTransaction', 'commitTransaction'],
    )
    await assert.rejects(producer.abortTransaction())
    assert.match(String(listener.heard.at(-1)?.message.error), /abortTransaction/)
  })

  test('whoever listens to one stage only is heard of, and nobody is not', () => {
    const telemetry = newTelemetry(new FakeClock())
    assert.equal(telemetry.watchesSends, false)
    for (const stage of STAGES) {
      using listener = new Listener(`tracing:millrace.send:${stage}`)
      assert.equal(telemetry.watchesSends, true, stage)
      assert.equal(listener.heard.length, 0)
    }
    assert.equal(telemetry.watchesSends, false)
    assert.equal(channel('millrace.retry').hasSubscribers, false)
  })
})
