import { readFileSync } from 'node:fs'
import { Producer } from 'millrace'
import pg from 'pg'
import { publish } from './publisher.js'

const log = line => console.log(line)
const stopping = new AbortController()

const producer = new Producer({
  bootstrapServers: process.env.KAFKA_BROKERS ?? 'localhost:9092',
  clientId: 'outbox',
  lingerMs: 0,
  batchSize: 128 * 1024,
  // No record is given up for time: a later one of the same aggregate would overtake it. While Kafka is away
  // the rows wait in their table.
  deliveryTimeoutMs: 2 ** 31 - 1,
  maxBlockMs: 60_000,
})
// Options are the usual ones: DATABASE_URL, or PGHOST, PGUSER, …
const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
// The lock goes with the connection: another publisher takes over, and the platform restarts this one.
client.on('error', error => fail(error))

function fail(error) {
  log(error.message)
  process.exit(1)
}

process.once('SIGTERM', async () => {
  stopping.abort()
  // The batch in hand has so long for its outcome; without one its rows stay.
  setTimeout(() => producer.close({ timeoutMs: 0 }), 5000).unref()
})

try {
  await client.connect()
  await client.query(readFileSync(new URL('../schema.sql', import.meta.url), 'utf8'))
  await publish({ client, producer, signal: stopping.signal, log })
  await producer.close({ timeoutMs: 1000 })
  await client.end()
} catch (error) {
  fail(error)
}
