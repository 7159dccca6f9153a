// examples/ingestion as a process beside the in-process broker, which can be slow, full or picky on request.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { compare, Load } from './load.js'
import { exampleFile, Program } from './program.js'

const SHUTDOWN_MS_MAX = 10_000
/** What a service may grow by while it refuses; its buffer has 2 MiB. */
const GROWTH_MIB_MAX = 120
/** For a machine that is busy with other work. */
const PATIENCE_MS = 120_000

async function startService(broker: TestBroker, env: Readonly<Record<string, string>> = {}) {
  const service = new Program(process.execPath, [exampleFile('ingestion/src/main.js')], {
    HOST: '127.0.0.1',
    PORT: '0',
    KAFKA_BROKERS: broker.bootstrapServers,
    DRAIN_DELAY_MS: '300',
    ...env,
  })
  const port = Number((await service.line(/listening at http:\/\/127\.0\.0\.1:(\d+)/))[1])
  const url = `http://127.0.0.1:${port}`
  for (let i = 0; i < 500 && !(await fetch(`${url}/ready`)).ok; i++) await sleep(20)
  return { service, port, url }
}

const eventOf = (id: string, user = 'ada') => ({ id, user, type: 'click', data: { x: 1 } })

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

const text = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).toString()

test('answers, what is stored, and the dead letters', async () => {
  await using broker = await startBroker({ quiet: true })
  const { service, url } = await startService(broker)
  await using _ = service
  const body = '{ "id": "e1", "user": "ada", "type": "click", "data": {} }'
  const answer = await post(url, body)
  assert.equal(answer.status, 200)
  assert.deepEqual(await answer.json(), { partition: 0, offset: 0 })
  const [record] = broker.records('events')
  // As it was posted, blanks included.
  assert.deepEqual([text(record?.key ?? null), text(record?.value ?? null)], ['ada', body])
  assert.deepEqual(
    record?.headers.map(([name, value]) => [name, text(value)]),
    [
      ['id', 'e1'],
      ['type', 'click'],
    ],
  )

  const { user: _user, ...noUser } = eventOf('e2')
  const wrong = [noUser, { ...eventOf('e2'), user: 7 }, { ...eventOf('e2'), more: 1 }, '{', '"text"', '[]']
  for (const each of wrong) assert.equal((await post(url, each)).status, 400, JSON.stringify(each))
  assert.equal((await post(url, { ...eventOf('e2'), data: { x: 'x'.repeat(300_000) } })).status, 413)

  broker.fail({ api: 'Produce', topic: 'events', error: 'INVALID_RECORD', times: 2 })
  const refused = await post(url, eventOf('e3'))
  assert.deepEqual([refused.status, await refused.json()], [422, { error: 'BROKER_ERROR', deadLetter: true }])
  const early = await post(url, eventOf('e4'), { prefer: 'respond-async' })
  assert.equal(early.status, 202)
  await eventually('the dead letters', () => broker.records('events.dead-letters').length === 2, PATIENCE_MS)
  const dead = broker.records('events.dead-letters').map(({ key, value, headers }) => {
    const names = headers.map(([name, each]) => [name, text(each)])
    return [text(key), JSON.parse(text(value)).id, Object.fromEntries(names)['__connect.errors.topic']]
  })
  assert.deepEqual(dead, [
    ['ada', 'e3', 'events'],
    ['ada', 'e4', 'events'],
  ])

  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /^ingestion_events_total\{outcome="stored"\} 1$/m)
  assert.match(metrics, /^ingestion_events_total\{outcome="deadLettered"\} 2$/m)
  assert.match(metrics, /^millrace_producer_\w+\{client_id="ingestion"/m)
  assert.match(metrics, /^millrace_producer_\w+\{client_id="ingestion-dead-letters"/m)
  assert.equal(broker.records('events').length, 1)
  assert.ok((await service.stop()) < SHUTDOWN_MS_MAX)
  assert.equal(service.exitCode, 0, service.output)
})

test('overload: early answers of 503, bounded memory, and all that was taken is stored', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 4 })
  const buffer = { BUFFER_MEMORY: String(2 << 20), ROOM_BYTES: String(256 << 10) }
  const { service, port, url } = await startService(broker, buffer)
  await using _ = service
  const posts = { port, workers: 50, everyMs: 0, padding: 2000, asyncOnceIn: 2 }
  const warm = new Load({ ...posts, name: 'warm' })
  await sleep(1000)
  await warm.stop()
  const before = service.residentMiB()
  const held = broker.hold({ api: 'Produce' })
  const load = new Load(posts)
  await eventually('503s', () => load.count(503) > 1500, PATIENCE_MS)
  const after = service.residentMiB()
  assert.equal((await fetch(`${url}/live`)).status, 200)
  const full = await post(url, eventOf('late'))
  assert.deepEqual([full.status, full.headers.get('retry-after')], [503, '1'])
  held.release()
  const taken = load.count(202)
  await eventually('answers again', () => load.count(200) > 100 && load.count(202) > taken + 100, PATIENCE_MS)
  await load.stop()
  await service.stop()
  assert.equal(service.exitCode, 0, service.output)
  console.log(`${load.summary()}; ${before?.toFixed(0)} MiB before, ${after?.toFixed(0)} MiB in the overload`)
  if (before !== null && after !== null)
    assert.ok(after - before < GROWTH_MIB_MAX, `${before} → ${after} MiB`)
  const stored = broker.records('events').filter(({ key }) => text(key).startsWith('user'))
  assert.deepEqual(compare(load.sent, stored).slice(0, 10), [])
  assert.equal(stored.length, load.count(200) + load.count(202))
})

test('brokers that answer nothing: not ready, alive, and SIGTERM ends with an answer to every request', async () => {
  await using broker = await startBroker({ quiet: true })
  const { service, url } = await startService(broker, { STALLED_MS: '200', DRAIN_MS: '1000' })
  await using _ = service
  broker.hold({ api: 'Produce' })
  const answers = Promise.all(Array.from({ length: 10 }, (_, i) => post(url, eventOf(`e${i}`))))
  const isReady = async () => (await fetch(`${url}/ready`)).ok
  for (let i = 0; (await isReady()) && i < 500; i++) await sleep(20)
  assert.equal(await isReady(), false)
  assert.equal((await fetch(`${url}/live`)).status, 200)
  const tookMs = await service.stop()
  assert.deepEqual(new Set((await answers).map(({ status }) => status)), new Set([503]))
  assert.equal(service.exitCode, 0, service.output)
  assert.ok(tookMs < SHUTDOWN_MS_MAX, `${tookMs} ms`)
})

test('no broker at all: the service is alive and not ready, and ends when it should', async () => {
  await using service = new Program(process.execPath, [exampleFile('ingestion/src/main.js')], {
    HOST: '127.0.0.1',
    PORT: '0',
    KAFKA_BROKERS: '127.0.0.1:1',
    DRAIN_DELAY_MS: '300',
  })
  const [, port] = await service.line(/listening at http:\/\/127\.0\.0\.1:(\d+)/)
  const url = `http://127.0.0.1:${port}`
  assert.equal((await fetch(`${url}/live`)).status, 200)
  assert.equal((await fetch(`${url}/ready`)).status, 503)
  assert.ok((await service.stop()) < SHUTDOWN_MS_MAX)
  assert.equal(service.exitCode, 0, service.output)
})
