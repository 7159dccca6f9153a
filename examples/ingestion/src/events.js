import { deadLetterOf, isPoison } from './dead-letters.js'
import { eventSchema } from './event-schema.js'

const RETRY_AFTER_SECONDS = 1

/**
 * - `POST /events` answers 200 when the brokers have the event, with its partition and offset.
 * - With `Prefer: respond-async` it answers 202 when the event is in memory: it is lost if the process dies.
 */
export function addEvents(app, { config, producer, deadLetters, counts }) {
  /** Records without an outcome are all in `buffer.memory`, but for those that wait to get there. */
  const hasRoom = () => producer.bufferAvailableBytes - producer.waitingBytes >= config.roomBytes

  /** Before the body is read: what cannot be taken should cost as little as possible. */
  const refuseWhenFull = async (_request, reply) => {
    if (hasRoom()) return
    counts.overloaded++
    await tryLater(reply, 'OVERLOADED')
  }

  /** Puts a poisoned record aside. Rejects if that fails, too. */
  const putAside = async (record, error) => {
    await deadLetters.send(deadLetterOf(record, error, config.deadLetterTopic))
    counts.deadLettered++
  }

  /** Nobody waits for this outcome: what cannot be put aside is counted and logged, without its content. */
  const failLater = async (record, error) => {
    try {
      if (!isPoison(error)) throw error
      await putAside(record, error)
    } catch (last) {
      counts.failed++
      app.log.error({ code: last.code, err: last, topic: record.topic }, 'an accepted event is lost')
    }
  }

  const answerFailure = async (reply, record, error) => {
    if (isPoison(error)) {
      await putAside(record, error)
      return reply.code(422).send({ error: error.code, deadLetter: true })
    }
    counts.failed++
    app.log.warn({ code: error.code, err: error, topic: record.topic }, 'an event is not acknowledged')
    // After a time-out it may be stored or not; the client sends it again with the same id.
    return tryLater(reply, error.code ?? 'INTERNAL')
  }

  const options = { onRequest: refuseWhenFull, schema: { body: eventSchema } }
  app.post('/events', options, async (request, reply) => {
    const { id, user, type } = request.body
    const record = { topic: config.topic, key: user, value: request.text, headers: { id, type } }
    if (request.headers.prefer === 'respond-async') {
      producer.send(record, error => {
        if (error === null) counts.stored++
        else failLater(record, error)
      })
      counts.accepted++
      return reply.code(202).send()
    }
    try {
      const { partition, offset } = await producer.send(record)
      counts.stored++
      return { partition, offset: Number(offset) }
    } catch (error) {
      return answerFailure(reply, record, error)
    }
  })
}

function tryLater(reply, code) {
  return reply.code(503).header('retry-after', RETRY_AFTER_SECONDS).send({ error: code })
}
