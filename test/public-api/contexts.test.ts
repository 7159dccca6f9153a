import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { withProducer } from './support.js'

test('callbacks and interceptors run in no request, and what is awaited goes on in its own', () => {
  const requests = new AsyncLocalStorage<string>()
  const contexts: unknown[] = []
  const interceptors = [{ onAcknowledgement: () => contexts.push(requests.getStore()) }]
  return withProducer({ interceptors }, async producer => {
    for (const name of ['first', 'second']) {
      await requests.run(name, async () => {
        await new Promise<void>(resolve =>
          producer.send({ topic: 't', value: name }, () => {
            contexts.push(requests.getStore())
            resolve()
          }),
        )
        assert.equal(requests.getStore(), name)
        await producer.send({ topic: 't', value: name })
        await producer.sendMany([{ topic: 't', value: name }])
        assert.equal(requests.getStore(), name)
      })
    }
    assert.deepEqual(contexts, Array(8).fill(undefined))
  })
})
