import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from 'millrace/testing'

test('messages of a queue become records', async () => {
  const broker = await startBroker({ quiet: true })
  process.env.KAFKA_BROKERS = broker.bootstrapServers
  const { close, handler } = await import('../src/handler.js')
  const answer = await handler({
    Records: [
      { messageId: 'm1', body: '{"a":1}', attributes: { MessageGroupId: 'ada' } },
      { messageId: 'm2', body: '{"a":2}' },
    ],
  })
  assert.deepEqual(answer, { batchItemFailures: [] })
  const stored = broker.records('events').map(({ key, value }) => [key && String(key), String(value)])
  assert.deepEqual(stored.map(([, value]) => value).sort(), ['{"a":1}', '{"a":2}'])
  assert.ok(stored.some(([key]) => key !== null))
  await close()
  await broker.close()
})
