// Transactions with a real Kafka, in both generations, read back by Kafka's own consumer.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Producer } from '../../dist/index.js'
import type { RpcIdentity } from '../../dist/transactions/rpc.js'
import { setTimeouts } from '../helpers/timeouts.js'
import { behaviour, type World } from '../transactions/behaviour.js'
import { outcomeOf, silent } from '../transactions/support.js'
import { type Kafka, startKafka } from './broker.js'
import { kafkaSkip } from './java.js'
import { JavaClient, type ReadRecord } from './java-client.js'

function worldOf({ bootstrapServers }: Kafka, java: JavaClient): World {
  return {
    bootstrapServers,
    async createTopic(name, partitions) {
      await java.createTopic(bootstrapServers, name, { partitions })
    },
    async read(topic, isolation) {
      const values: string[][] = []
      for (const { partition, value } of await java.read(bootstrapServers, topic, isolation)) {
        values[partition] ??= []
        values[partition].push(String(value))
      }
      return Array.from(values, each => each ?? [])
    },
    offsets: groupId => java.offsets(bootstrapServers, groupId),
  }
}

for (const [level, features] of [
  [1, { 'transaction.version': 1 }],
  [2, {}],
] as const) {
  describe(`transactions on a real Kafka, transaction.version ${level}`, { skip: kafkaSkip() }, () => {
    let kafka: Kafka
    let java: JavaClient
    before(async () => {
      java = new JavaClient()
      kafka = await startKafka({
        features,
        properties: { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500 },
      })
    })
    after(async () => {
      await kafka?.stop()
      await java?.close()
    })

    behaviour(() => worldOf(kafka, java))

    it('refuses offsets of a member that the group does not have, and can be aborted', async () => {
      const { bootstrapServers } = kafka
      const topic = `members-${level}`
      await java.createTopic(bootstrapServers, topic)
      await using producer = new Producer({ bootstrapServers, transactionalId: topic, logger: silent })
      await producer.initTransactions()
      producer.beginTransaction()
      await producer.send({ topic, value: 'aborted' })
      const group = { groupId: `${topic}-group`, generationId: 3, memberId: 'nobody' }
      const offsets = [{ topic, partition: 0, offset: 1 }]
      await assert.rejects(
        producer.sendOffsetsToTransaction(offsets, group),
        /ILLEGAL_GENERATION|UNKNOWN_MEMBER/,
      )
      assert.equal(await outcomeOf(() => producer.commitTransaction()), 'abortable')
      await producer.abortTransaction()
      await producer.transaction(() => producer.send({ topic, value: 'kept' }))
      let read: ReadRecord[] = []
      await eventuallyAsync(async () => {
        read = await java.read(bootstrapServers, topic, 'read_committed')
        return read.length > 0
      })
      assert.deepEqual(
        read.map(({ value }) => String(value)),
        ['kept'],
      )
    })

    it('a transaction behind offsets that can never be committed is aborted', async () => {
      const { bootstrapServers } = kafka
      const topic = `stuck-${level}`
      await java.createTopic(bootstrapServers, topic)
      await using producer = new Producer({ bootstrapServers, transactionalId: topic, logger: silent })
      await producer.initTransactions()
      producer.beginTransaction()
      await producer.send({ topic, value: 'aborted' })
      setTimeouts(producer, { maxBlockMs: 2000 })
      const offsets = [{ topic: `${topic}-mistyped`, partition: 0, offset: 1 }]
      await assert.rejects(
        producer.sendOffsetsToTransaction(offsets, { groupId: topic }),
        /max\.block\.ms.*UNKNOWN_TOPIC_OR_PARTITION.*mistyped-0.*abortTransaction/,
      )
      await assert.rejects(producer.commitTransaction(), { code: 'TIMED_OUT', abortable: true })
      setTimeouts(producer, { maxBlockMs: 60_000 })
      await producer.abortTransaction()
      await producer.transaction(() => producer.send({ topic, value: 'kept' }))
      await readsOnlyKept(topic)
    })

    it('a transaction that took too long says to abort it, which version 2 makes good', async () => {
      const { bootstrapServers } = kafka
      const topic = `late-${level}`
      await java.createTopic(bootstrapServers, topic)
      const options = { bootstrapServers, transactionalId: topic, transactionTimeoutMs: 1000 }
      await using producer = new Producer({ ...options, logger: silent })
      await producer.initTransactions()
      producer.beginTransaction()
      let told: Error & { errorName?: string } = new Error('it has not been ended')
      await eventuallyAsync(() =>
        producer.send({ topic, value: 'aborted' }).then(
          () => false,
          (error: Error) => {
            told = error
            return true
          },
        ),
      )
      assert.match(`${told.errorName}`, /INVALID_PRODUCER_EPOCH|INVALID_TXN_STATE/)
      assert.match(told.message, /transaction\.timeout\.ms.*[Aa]bort/)
      const outcome = await outcomeOf(() => producer.abortTransaction())
      if (level === 1) assert.equal(outcome, 'fenced')
      else {
        assert.equal(outcome, 'ok')
        await producer.transaction(() => producer.send({ topic, value: 'kept' }))
        await readsOnlyKept(topic)
      }
    })

    async function readsOnlyKept(topic: string): Promise<void> {
      let values: string[] = []
      await eventuallyAsync(async () => {
        const read = await java.read(kafka.bootstrapServers, topic, 'read_committed')
        values = read.map(({ value }) => String(value))
        return values.length > 0
      })
      assert.deepEqual(values, ['kept'])
    }

    it('speaks the generation that the cluster has agreed on', async () => {
      const { bootstrapServers } = kafka
      const topic = `epochs-${level}`
      await java.createTopic(bootstrapServers, topic)
      await using producer = new Producer({ bootstrapServers, transactionalId: topic, logger: silent })
      await producer.initTransactions()
      const epochs: number[] = []
      for (let n = 0; n < 3; n++) {
        await producer.transaction(() => producer.send({ topic, value: String(n) }))
        epochs.push(epochOf(producer))
      }
      assert.deepEqual(epochs, level === 2 ? [1, 2, 3] : [0, 0, 0])
    })
  })
}

describe('transactions on a real Kafka that is upgraded in mid-life', { skip: kafkaSkip() }, () => {
  it('go on in the other generation with the next transaction, and nothing is lost or seen twice', async () => {
    await using java = new JavaClient()
    await using kafka = await startKafka({ features: { 'transaction.version': 1 } })
    const { bootstrapServers } = kafka
    const topic = 'upgraded'
    await java.createTopic(bootstrapServers, topic)
    await using producer = new Producer({ bootstrapServers, transactionalId: topic, logger: silent })
    const send = (value: string) => producer.send({ topic, value })
    /** Brokers are restarted one by one after an upgrade, and clients hear of it as they connect again. */
    const finalize = async (level: number) => {
      await java.setFeature(bootstrapServers, 'transaction.version', level)
      const [node] = kafka.nodes
      await node?.stop()
      await node?.start()
    }
    const epochsOf = async (...values: string[]) => {
      const epochs: number[] = []
      for (const value of values) {
        await producer.transaction(() => send(value))
        epochs.push(epochOf(producer))
      }
      return epochs.map(epoch => epoch - (epochs[0] as number))
    }

    await producer.initTransactions()
    assert.deepEqual(await epochsOf('a', 'b'), [0, 0])
    producer.beginTransaction()
    await send('c')
    const before = epochOf(producer)
    await finalize(2)
    await send('d')
    await producer.commitTransaction()
    assert.ok(
      epochOf(producer) > before,
      'the first transaction of the new generation has an epoch of its own',
    )
    assert.deepEqual(await epochsOf('e', 'f', 'g'), [0, 1, 2])
    producer.beginTransaction()
    await send('never')
    await finalize(1)
    await producer.abortTransaction()
    assert.deepEqual(await epochsOf('h', 'i'), [0, 0])

    let values: string[] = []
    await eventuallyAsync(async () => {
      const read = await java.read(bootstrapServers, topic, 'read_committed')
      values = read.map(({ value }) => String(value))
      return values.length >= 9
    })
    assert.equal(values.join(''), 'abcdefghi')
  })
})

/** The markers of a commit are written a moment after its answer. */
async function eventuallyAsync(look: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 10_000
  while (!(await look()) && performance.now() < endMs) await sleep(50)
}

function epochOf(producer: Producer): number {
  const { transactions } = producer as unknown as { transactions: { identity: { current: RpcIdentity } } }
  return transactions.identity.current.producerEpoch
}
