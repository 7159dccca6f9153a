import { SendManyError } from 'millrace'

/** Any number that no one else in this database uses: the lock of the one publisher that works. */
const LOCK = 7_240_115
const BATCH_ROWS = 500
/** A notification may be lost with its connection, so the table is looked at without one, too. */
const POLL_MS = 1000

/** @param {{ aggregatetype: string, aggregateid: string, id: string, type: string, payload: string }} row */
function recordOf({ aggregatetype, aggregateid, id, type, payload }) {
  return { topic: `outbox.event.${aggregatetype}`, key: aggregateid, value: payload, headers: { id, type } }
}

/** Reasons that are in the row itself. With any other it stays where it is. */
const REFUSALS = ['RECORD_TOO_LARGE', 'RECORD_INVALID', 'TOPIC_INVALID', 'BROKER_ERROR']
const isRefused = error => REFUSALS.includes(error.code) && !error.retriable

/** Such as a wrong password: trying again would not help, and somebody has to know. */
const isHopeless = error => !isRefused(error) && !error.retriable && error.code !== 'PRODUCER_CLOSED'

/**
 * Publishes rows of the outbox until the signal is aborted. Only one publisher at a time does: others wait for
 * its lock, which PostgreSQL takes back when that one's connection ends. Two at once would mix the order up.
 *
 * @param {{
 *   client: import('pg').Client,
 *   producer: import('millrace').KafkaProducer,
 *   signal: AbortSignal,
 *   log: (line: string) => void,
 * }} parts
 */
export async function publish({ client, producer, signal, log }) {
  const bell = new Bell(signal)
  client.on('notification', () => bell.ring())
  for (let tries = 0; !(await hasLock(client)); tries++) {
    if (tries === 0) log('standing by')
    await bell.rung(POLL_MS)
    if (signal.aborted) return
  }
  await client.query('LISTEN outbox')
  log('publishing')
  while (!signal.aborted) {
    const rows = await publishSome(client, producer, log)
    if (rows < BATCH_ROWS) await bell.rung(POLL_MS)
  }
}

async function hasLock(client) {
  const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS locked', [LOCK])
  return rows[0].locked
}

/** Sends the oldest rows and deletes those that are stored. Answers how many there were. */
async function publishSome(client, producer, log) {
  const { rows } = await client.query({
    name: 'oldest',
    text: `SELECT seq, id, aggregatetype, aggregateid, type, payload::text AS payload
             FROM outbox ORDER BY seq LIMIT ${BATCH_ROWS}`,
  })
  if (rows.length === 0) return 0
  const errors = await failuresOf(producer, rows.map(recordOf))
  const stored = rows.filter((_, index) => !errors.has(index))
  const refused = rows.filter((_, index) => errors.has(index) && isRefused(errors.get(index)))
  // A crash between the answer of Kafka and this line sends the rows again, under the same ids.
  if (stored.length > 0) {
    await client.query('DELETE FROM outbox WHERE seq = ANY($1)', [stored.map(({ seq }) => seq)])
  }
  const hopeless = [...errors.values()].find(isHopeless)
  if (hopeless !== undefined) throw hopeless
  for (const row of refused) await setAside(client, row, errors.get(rows.indexOf(row)), log)
  return rows.length
}

/** Why records were not stored, by their index. */
async function failuresOf(producer, records) {
  try {
    await producer.sendMany(records)
    return new Map()
  } catch (error) {
    if (error instanceof SendManyError) return error.errors
    throw error
  }
}

async function setAside(client, row, error, log) {
  log(`row ${row.seq} is refused: ${error.message}`)
  await client.query(
    `WITH gone AS (DELETE FROM outbox WHERE seq = $1 RETURNING *)
     INSERT INTO outbox_refused SELECT gone.*, $2 FROM gone`,
    [row.seq, error.message],
  )
}

/** Rings that come while nobody waits are kept. */
class Bell {
  #isRung = false
  #wake = () => {}

  constructor(signal) {
    signal.addEventListener('abort', () => this.ring(), { once: true })
  }

  ring() {
    this.#isRung = true
    this.#wake()
  }

  /** Resolves at the next ring, or after a time. */
  async rung(timeoutMs) {
    if (!this.#isRung) {
      await new Promise(resolve => {
        const timer = setTimeout(resolve, timeoutMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve(undefined)
        }
      })
    }
    this.#isRung = false
  }
}
