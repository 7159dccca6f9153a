// examples/outbox between a real PostgreSQL and the in-process broker.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { type Client, Postgres } from './postgres.js'
import { exampleFile, Program } from './program.js'

const TOPIC = 'outbox.event.order'
const ORDERS = 10
const EMPTY_MS_MAX = 60_000
const SHUTDOWN_MS_MAX = 10_000

function startPublisher(postgres: Postgres, broker: TestBroker): Program {
  return new Program(process.execPath, [exampleFile('outbox/src/main.js')], {
    DATABASE_URL: postgres.url,
    KAFKA_BROKERS: broker.bootstrapServers,
  })
}

/** Business transactions: each writes some events; one in five is rolled back. */
class Writer {
  committed = 0
  private readonly client: Client

  constructor(client: Client) {
    this.client = client
  }

  async write(transactions: number): Promise<void> {
    for (let i = 0; i < transactions; i++) {
      const events = 1 + (i % 4)
      const isCommitted = i % 5 !== 4
      await this.client.query('BEGIN')
      for (let event = 0; event < events; event++) {
        const number = this.committed + event
        await this.client.query(
          `INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', $1, 'changed', $2)`,
          [`order-${number % ORDERS}`, { number, isCommitted }],
        )
      }
      await this.client.query(isCommitted ? 'COMMIT' : 'ROLLBACK')
      if (isCommitted) this.committed += events
    }
  }
}

async function untilEmpty(client: Client): Promise<void> {
  const deadline = performance.now() + EMPTY_MS_MAX
  for (;;) {
    const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM outbox')
    if (rows[0]?.count === '0') return
    assert.ok(performance.now() < deadline, `${rows[0]?.count} rows are left`)
    await sleep(50)
  }
}

const text = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).toString()

interface Seen {
  id: string
  key: string
  number: number
}

/** The records of the topic in their order, with the id that a consumer knows them by. */
function seen(broker: TestBroker): Seen[] {
  return broker.records(TOPIC).map(({ key, value, headers }) => {
    const { number, isCommitted } = JSON.parse(text(value))
    assert.equal(isCommitted, true)
    const [, id] = headers.find(([name]) => name === 'id') ?? []
    return { id: text(id ?? null), key: text(key), number }
  })
}

/** What a consumer is left with that takes each id once. */
function onceEach(records: readonly Seen[]): Seen[] {
  const ids = new Set<string>()
  return records.filter(({ id }) => !ids.has(id) && ids.add(id))
}

function assertAllOnceInOrder(records: readonly Seen[], count: number): void {
  assert.equal(records.length, count)
  assert.equal(new Set(records.map(({ number }) => number)).size, count)
  const last = new Map<string, number>()
  for (const { key, number } of records) {
    assert.ok(number > (last.get(key) ?? -1), `${number} of ${key} is out of order`)
    last.set(key, number)
  }
}

test('the outbox', { timeout: 240_000 }, async t => {
  await using postgres = await Postgres.start()
  await using broker = await startBroker({ quiet: true, nodes: 2, partitions: 3, maxMessageBytes: 200_000 })
  const client = await postgres.connect()
  const writer = new Writer(await postgres.connect())

  await t.test('every row once and in order, through errors and lost connections', async () => {
    await using publisher = startPublisher(postgres, broker)
    await publisher.line(/^publishing$/)
    const written = writer.write(300)
    for (let i = 0; i < 3; i++) {
      broker.fail({ api: 'Produce', error: 'NOT_LEADER_OR_FOLLOWER', times: 2 })
      await sleep(100)
      broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', times: 1, afterAppend: true })
      broker.disconnect()
    }
    await written
    await untilEmpty(client)
    // No id is there twice: this process did not die.
    assertAllOnceInOrder(seen(broker), writer.committed)
    const tookMs = await publisher.stop()
    assert.ok(tookMs < SHUTDOWN_MS_MAX, `${tookMs} ms`)
    assert.equal(publisher.exitCode, 0, publisher.output)
  })

  await t.test('a publisher that is killed, and one that waits to take over: once each by id', async () => {
    let twice = 0
    for (let kill = 0; kill < 3; kill++) {
      await using publisher = startPublisher(postgres, broker)
      await publisher.line(/^publishing$/)
      await using standby = startPublisher(postgres, broker)
      if (kill === 0) {
        await using third = startPublisher(postgres, broker)
        await third.line(/^standing by$/)
        assert.ok((await third.stop()) < SHUTDOWN_MS_MAX)
        assert.equal(third.exitCode, 0, third.output)
      }
      // What Kafka has stored is not known to the publisher when it dies.
      const held = broker.hold({ api: 'Produce' })
      const before = seen(broker).length
      const written = writer.write(100)
      const deadline = performance.now() + EMPTY_MS_MAX
      while (seen(broker).length === before && performance.now() < deadline) await sleep(10)
      await publisher.stop('SIGKILL')
      held.release()
      await standby.line(/^publishing$/)
      await written
      await untilEmpty(client)
      twice = seen(broker).length - writer.committed
      await standby.stop()
      assert.equal(standby.exitCode, 0, standby.output)
    }
    assert.ok(twice > 0, 'no kill came between storing and deleting')
    assertAllOnceInOrder(onceEach(seen(broker)), writer.committed)
    console.log(`${writer.committed} rows; ${twice} were sent again after a kill, under their ids`)
  })

  await t.test('a row that Kafka refuses is set aside, and those behind it go on', async () => {
    await using publisher = startPublisher(postgres, broker)
    await publisher.line(/^publishing$/)
    const payload = { text: 'x'.repeat(300_000) }
    await client.query(
      `INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', 'order-0', 'large', $1)`,
      [payload],
    )
    await writer.write(5)
    await untilEmpty(client)
    const { rows } = await client.query<{ type: string; reason: string }>(
      'SELECT type, reason FROM outbox_refused',
    )
    assert.deepEqual(
      rows.map(({ type }) => type),
      ['large'],
    )
    assert.match(rows[0]?.reason ?? '', /large/i)
    assertAllOnceInOrder(onceEach(seen(broker)), writer.committed)
    await publisher.stop()
  })

  await t.test('Kafka is away: SIGTERM ends the publisher, and no row is lost', async () => {
    await using publisher = startPublisher(postgres, broker)
    await publisher.line(/^publishing$/)
    const held = broker.hold({ api: 'Produce' })
    await writer.write(5)
    await sleep(500)
    const tookMs = await publisher.stop()
    assert.ok(tookMs < SHUTDOWN_MS_MAX, `${tookMs} ms`)
    const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM outbox')
    assert.ok(Number(rows[0]?.count) > 0)
    held.release()
    await using next = startPublisher(postgres, broker)
    await next.line(/^publishing$/)
    await untilEmpty(client)
    assertAllOnceInOrder(onceEach(seen(broker)), writer.committed)
    await next.stop()
  })
})
