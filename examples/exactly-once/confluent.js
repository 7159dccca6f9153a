// Consume with @confluentinc/kafka-javascript, produce with millrace, exactly once. docs/exactly-once.md says why each
// step is there.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import confluent from '@confluentinc/kafka-javascript'
import { PartitionProducers } from './partition-producers.js'
import { onSignal, say, settings, transform } from './settings.js'

const BATCH_RECORDS = 500
const { ERR__ASSIGN_PARTITIONS } = confluent.CODES.ERRORS

const { bootstrapServers, groupId, input, instance, sessionTimeoutMs } = settings

const producers = new PartitionProducers()
/** The partitions that this member has; a new array at each rebalance. */
let assigned = []
let isStopping = false

const consumer = new confluent.KafkaConsumer(
  {
    'bootstrap.servers': bootstrapServers,
    'client.id': instance,
    'group.id': groupId,
    'session.timeout.ms': sessionTimeoutMs,
    'heartbeat.interval.ms': Math.min(3_000, sessionTimeoutMs / 10),
    'enable.auto.commit': false,
    'isolation.level': 'read_committed',
    rebalance_cb: (error, partitions) => {
      assigned = error.code === ERR__ASSIGN_PARTITIONS ? partitions : []
      // A revocation must be confirmed at once. Partitions are read only after they are taken over.
      if (assigned.length === 0) consumer.unassign()
      else void start(assigned)
    },
  },
  { 'auto.offset.reset': 'earliest' },
)
// What is there is taken at once. Else `consume` waits this long for each record, until it has all.
consumer.setDefaultConsumeTimeout(200)
consumer.setDefaultIsTimeoutOnlyForFirstMessage(true)

/** Takes partitions over and reads them from their committed offsets, which are final by then. */
async function start(partitions) {
  while (assigned === partitions && !isStopping) {
    try {
      await producers.takeOverAll(partitions.map(({ partition }) => partition))
      if (assigned === partitions)
        consumer.assign(partitions.map(({ topic, partition }) => ({ topic, partition })))
      return
    } catch (error) {
      say('takes over once more:', error.message)
      await sleep(200)
    }
  }
}

const consume = () =>
  new Promise((resolve, reject) => {
    consumer.consume(BATCH_RECORDS, (error, messages) => (error ? reject(error) : resolve(messages)))
  })

async function copy(batch) {
  const byPartition = Object.groupBy(batch, ({ partition }) => partition)
  const outcomes = await Promise.allSettled(
    Object.values(byPartition).map(messages => {
      const { partition, offset } = messages.at(-1)
      return producers.transact(partition, async tx => {
        await tx.sendMany(messages.map(transform))
        // librdkafka does not tell its generation: the group's id is all that there is.
        await tx.sendOffsetsToTransaction([{ topic: input, partition, offset: offset + 1 }], { groupId })
      })
    }),
  )
  const failed = outcomes.find(({ status }) => status === 'rejected')
  if (failed !== undefined) throw failed.reason
  say('committed', batch.length)
}

async function work() {
  while (!isStopping) {
    const before = assigned
    const batch = await consume()
    if (batch.length === 0) continue
    // Of an assignment that has ended meanwhile.
    if (assigned !== before) continue
    await copy(batch).catch(async error => {
      say('starts again at the committed offsets:', error.message)
      if (assigned !== before) return
      consumer.unassign()
      await start(before)
    })
  }
}

consumer.connect()
await once(consumer, 'ready')
consumer.subscribe([input])
const working = work()
onSignal(async () => {
  isStopping = true
  await working
  await producers.close()
  consumer.disconnect()
  await once(consumer, 'disconnected')
})
await working
