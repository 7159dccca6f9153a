// A batch that is too large for the broker is split within its transaction (Java: testTransactionalSplitBatchAndSend).
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GENERATIONS, Ground, outcomeOf } from './support.js'

const values = (count: number, name: string) =>
  Array.from({ length: count }, (_, i) => `${name}${i}`.padEnd(100, '.'))

for (const transactionVersion of GENERATIONS) {
  describe(`a split with transaction.version ${transactionVersion}`, () => {
    for (const [end, kept] of [
      ['commit', true],
      ['abort', false],
    ] as const) {
      it(`keeps the records of the transaction together up to its ${end}`, async () => {
        await using ground = await Ground.start({ transactionVersion, partitions: 1 })
        const { broker } = ground
        broker.createTopic('small', { config: { 'max.message.bytes': '500' } })
        const producer = await ground.ready({ lingerMs: 10_000, batchSize: 131_072 })
        const expected: string[] = []
        for (const round of ['a', 'b', 'c']) {
          const all = values(40, round)
          producer.beginTransaction()
          const sends = all.map(value => producer.send({ topic: 'small', partition: 0, value }))
          await producer.flush()
          const places = await Promise.all(sends)
          assert.deepEqual(
            places.map(({ offset }) => offset - (places[0]?.offset as bigint)),
            all.map((_, i) => BigInt(i)),
          )
          assert.deepEqual(ground.committed('small'), expected)
          if (kept) {
            await producer.commitTransaction()
            expected.push(...all)
          } else await producer.abortTransaction()
          assert.deepEqual(ground.committed('small'), expected)
        }
        assert.ok(broker.counters().rejected >= 3, 'nothing was split')
        assert.equal(ground.stored('small').length, 120)
      })
    }

    it('amid a commit is done before the transaction ends', async () => {
      await using ground = await Ground.start({ transactionVersion, partitions: 1 })
      ground.broker.createTopic('small', { config: { 'max.message.bytes': '500' } })
      const producer = await ground.ready({ lingerMs: 10_000, batchSize: 131_072 })
      const all = values(40, 'v')
      producer.beginTransaction()
      const sends = Promise.all(all.map(value => producer.send({ topic: 'small', partition: 0, value })))
      const seen = ground.watch()
      await producer.commitTransaction()
      await sends
      assert.equal(seen.lastIndexOf('Produce') < seen.indexOf('EndTxn'), true, seen.join())
      assert.deepEqual(ground.committed('small'), all)
    })

    it('that ends at a record that is too large alone leaves an abort, and the next one works', async () => {
      await using ground = await Ground.start({ transactionVersion, partitions: 1 })
      ground.broker.createTopic('small', { config: { 'max.message.bytes': '500' } })
      const producer = await ground.ready({ lingerMs: 10_000 })
      producer.beginTransaction()
      const fits = outcomeOf(() => producer.send({ topic: 'small', partition: 0, value: 'fits' }))
      const large = producer.send({ topic: 'small', partition: 0, value: 'x'.repeat(1000) }).then(
        () => 'stored',
        (error: { code: string }) => error.code,
      )
      await producer.flush()
      assert.equal(await large, 'RECORD_TOO_LARGE')
      await fits
      assert.equal(await outcomeOf(() => producer.commitTransaction()), 'abortable')
      await producer.abortTransaction()
      await producer.transaction(async tx => {
        void tx.send({ topic: 'small', partition: 0, value: 'next' })
      })
      assert.deepEqual(ground.committed('small'), ['next'])
    })
  })
}
