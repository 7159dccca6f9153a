import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProducerFencedError, TransactionError } from '../../dist/index.js'
import { read, withProducer } from './support.js'

const committed = (broker: Parameters<Parameters<typeof withProducer>[1]>[1]) =>
  Array.from(broker.records('t', undefined, { isolation: 'read_committed' }), ({ value }) =>
    Buffer.from(value ?? []).toString(),
  )

for (const transactionVersion of [1, 2]) {
  const generation = `with transaction.version ${transactionVersion}`

  test(`a transaction commits what was sent and the offsets with it, or nothing, ${generation}`, () =>
    withProducer(
      { transactionalId: 'tx' },
      async (producer, broker) => {
        await producer.initTransactions()
        const offsets = [{ topic: 'in', partition: 0, offset: 7n }]
        const result = await producer.transaction(async tx => {
          for (const value of ['a', 'b']) void tx.send({ topic: 't', key: 'k', value })
          await tx.sendOffsetsToTransaction(offsets, { groupId: 'g' })
          return 'done'
        })
        assert.equal(result, 'done')
        const thrown = new Error('no')
        const failing = producer.transaction(async tx => {
          await tx.send({ topic: 't', key: 'k', value: 'aborted' })
          throw thrown
        })
        await assert.rejects(failing, (error: Error) => error === thrown)
        assert.deepEqual(committed(broker), ['a', 'b'])
        assert.equal(read(broker, 't').length, 3)
        assert.equal(broker.committedOffsets('g')[0]?.offset, 7n)
      },
      { transactionVersion },
    ))

  test(`transactional errors tell by properties what to do next, ${generation}`, () =>
    withProducer(
      { transactionalId: 'tx' },
      async (producer, broker) => {
        await producer.initTransactions()
        producer.beginTransaction()
        broker.fail({ api: 'Produce', error: 'INVALID_RECORD' })
        await assert.rejects(producer.send({ topic: 't', value: 'refused' }))
        await assert.rejects(
          producer.commitTransaction(),
          (error: unknown) => error instanceof TransactionError && error.abortable && !error.fatal,
        )
        await producer.abortTransaction()
        broker.fail({ api: 'EndTxn', error: 'PRODUCER_FENCED' })
        await assert.rejects(
          producer.transaction(() => producer.send({ topic: 't', value: 'fenced' })),
          (error: unknown) => error instanceof ProducerFencedError && error.fatal && !error.abortable,
        )
        assert.deepEqual(committed(broker), [])
      },
      { transactionVersion },
    ))
}
