import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimeoutError } from 'millrace'
import { MockProducer } from 'millrace/testing'
import { buildApp } from '../src/app.js'
import { readConfig } from '../src/config.js'

const config = readConfig({ LOG_LEVEL: 'silent' })
const payload = { id: 'e1', user: 'ada', type: 'click', data: {} }

/** The service with producers that need no broker. */
function service(autoComplete) {
  const producer = new MockProducer({ autoComplete })
  const deadLetters = new MockProducer()
  return { ...buildApp({ config, producer, deadLetters }), producer, deadLetters }
}

test('an event is answered when it is stored', async () => {
  const { app, producer } = service(true)
  const answer = await app.inject({ method: 'POST', url: '/events', payload })
  assert.equal(answer.statusCode, 200)
  assert.deepEqual(answer.json(), { partition: 0, offset: 0 })
  assert.equal(producer.history()[0].key, 'ada')
})

test('an event that gets no outcome is answered 503, and is no dead letter', async () => {
  const { app, producer, deadLetters } = service(false)
  const answer = app.inject({ method: 'POST', url: '/events', payload })
  while (!producer.errorNext(new TimeoutError('too late')))
    await new Promise(resolve => setImmediate(resolve))
  assert.equal((await answer).statusCode, 503)
  assert.equal((await answer).headers['retry-after'], '1')
  assert.equal(deadLetters.history().length, 0)
})

test('an early answer does not wait', async () => {
  const { app, producer } = service(false)
  const answer = await app.inject({
    method: 'POST',
    url: '/events',
    payload,
    headers: { prefer: 'respond-async' },
  })
  assert.equal(answer.statusCode, 202)
  assert.ok(producer.completeNext())
  const metrics = await app.inject({ url: '/metrics' })
  assert.match(metrics.body, /outcome="stored"} 1/)
})

test('while it drains, the service is not ready and ends connections, and still takes events', async () => {
  const { app, drain } = service(true)
  drain()
  assert.equal((await app.inject({ url: '/ready' })).statusCode, 503)
  const answer = await app.inject({ method: 'POST', url: '/events', payload })
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.headers.connection, 'close')
})
