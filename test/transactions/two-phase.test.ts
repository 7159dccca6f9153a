import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, PreparedTxnState, Producer, type ProducerOptions } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'

const TWO_PHASE = { 'transaction.two.phase.commit.enable': true } as const

describe('two-phase commit (KIP-939)', () => {
  test('has no time-out of transactions, as in Java', () => {
    const options: ProducerOptions = { bootstrapServers: '127.0.0.1:1', transactionalId: 't', ...TWO_PHASE }
    assert.throws(
      () => new Producer({ ...options, transactionTimeoutMs: 60_000 }),
      (error: Error) => error instanceof ConfigError && error.key === 'transaction.timeout.ms',
    )
  })

  for (const [highest, asked] of [
    [6, { version: 6, enable2Pc: true, keepPreparedTxn: false }],
    [5, { version: 5, enable2Pc: false, keepPreparedTxn: false }],
  ] as const) {
    test(`is asked of a broker that speaks InitProducerId up to ${highest}`, async () => {
      await using broker = await startBroker({ quiet: true, apiVersions: { InitProducerId: [0, highest] } })
      const seen: object[] = []
      broker.onRequest(({ api, version, body }) => {
        if (api !== 'InitProducerId') return
        const { enable2Pc, keepPreparedTxn } = body as { enable2Pc?: boolean; keepPreparedTxn?: boolean }
        seen.push({ version, enable2Pc, keepPreparedTxn })
      })
      const { bootstrapServers } = broker
      await using producer = new Producer({ bootstrapServers, transactionalId: 't', ...TWO_PHASE })
      await producer.initTransactions()
      await producer.transaction(() => producer.send({ topic: 't', value: 'v' }))
      assert.deepEqual(seen, [asked])
      assert.equal(broker.records('t').length, 1)
    })
  }

  test('is not asked by others, even where the broker could', async () => {
    await using broker = await startBroker({ quiet: true, apiVersions: { InitProducerId: [0, 6] } })
    const versions: number[] = []
    broker.onRequest(({ api, version }) => {
      if (api === 'InitProducerId') versions.push(version)
    })
    const { bootstrapServers } = broker
    await using producer = new Producer({ bootstrapServers, transactionalId: 't' })
    await producer.initTransactions()
    await using idempotent = new Producer({ bootstrapServers })
    await idempotent.send({ topic: 't', value: 'v' })
    assert.deepEqual(versions, [5, 5])
  })
})

describe('PreparedTxnState', () => {
  test('is written and read as in Java', () => {
    const state = new PreparedTxnState('9223372036854775807:32767')
    assert.deepEqual([state.producerId, state.epoch, state.hasTransaction], [2n ** 63n - 1n, 32767, true])
    assert.equal(String(state), '9223372036854775807:32767')
    assert.equal(JSON.stringify({ state }), '{"state":"9223372036854775807:32767"}')
    assert.ok(state.equals(new PreparedTxnState(String(state))))
    const none = new PreparedTxnState()
    assert.deepEqual([none.producerId, none.epoch, none.hasTransaction, String(none)], [-1n, -1, false, ''])
    assert.ok(none.equals(new PreparedTxnState('')) && !none.equals(state))
  })

  test('refuses other texts', () => {
    const over = ['9223372036854775808:1', '1:32768']
    for (const text of [':', '1', '1:', ':1', '1:2:3', '-1:-1', '-1:2', 'a:b', ' 1:2', '1.5:2', ...over]) {
      assert.throws(() => new PreparedTxnState(text), ConfigError, text)
    }
  })
})
