// Consume with kafkajs, produce with millrace, exactly once. docs/exactly-once.md says why each step is there.
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka } from 'kafkajs'
import { PartitionProducers } from './partition-producers.js'
import { onSignal, say, settings, transform } from './settings.js'

const { bootstrapServers, groupId, input, instance, sessionTimeoutMs } = settings

const producers = new PartitionProducers()
const kafka = new Kafka({ brokers: bootstrapServers.split(','), clientId: instance })
const admin = kafka.admin()
const consumer = kafka.consumer({
  groupId,
  sessionTimeout: sessionTimeoutMs,
  heartbeatInterval: Math.min(3_000, sessionTimeoutMs / 10),
  maxWaitTimeInMs: 500,
})

// kafkajs tells the generation in its heartbeats alone. What was known before a join is void, and so is what was
// taken over. kafkajs joins only when no `eachBatch` runs.
let group = null
consumer.on(consumer.events.GROUP_JOIN, () => {
  group = null
  void producers.close()
})
consumer.on(consumer.events.HEARTBEAT, ({ payload }) => {
  group = { groupId, generationId: payload.groupGenerationId, memberId: payload.memberId }
})

/** The group as of now: after a join the first heartbeat may be due only after `heartbeatInterval`. */
async function currentGroup(heartbeat) {
  for (;;) {
    await heartbeat()
    if (group !== null) return group
    await sleep(50)
  }
}

/** Where the group goes on in a partition, as text; null for its beginning. */
async function committedOffset(partition) {
  const [topic] = await admin.fetchOffsets({ groupId, topics: [input] })
  const offset = topic.partitions.find(each => each.partition === partition)?.offset ?? '-1'
  return offset === '-1' ? null : offset
}

async function eachBatch({ batch, heartbeat, resolveOffset, isRunning, isStale }) {
  if (!isRunning() || isStale()) return
  const { topic, partition } = batch
  const member = await currentGroup(heartbeat)
  if (!producers.has(partition)) {
    await producers.takeOver(partition)
    // kafkajs asked for it before, when it may not have been final.
    const offset = await committedOffset(partition)
    if (offset !== null && offset !== batch.messages[0].offset) {
      consumer.seek({ topic, partition, offset })
      return
    }
  }
  await producers.transact(partition, async tx => {
    await tx.sendMany(batch.messages.map(transform))
    const offset = BigInt(batch.lastOffset()) + 1n
    await tx.sendOffsetsToTransaction([{ topic, partition, offset }], member)
  })
  resolveOffset(batch.lastOffset())
  say('committed', batch.messages.length)
}

await admin.connect()
await consumer.connect()
await consumer.subscribe({ topic: input, fromBeginning: true })
// It starts again after most errors, and gives up after others. Whoever runs this program starts it again.
consumer.on(consumer.events.CRASH, ({ payload }) => {
  if (!payload.restart) process.exit(1)
})
await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch })
onSignal(async () => {
  await consumer.disconnect()
  await admin.disconnect()
  await producers.close()
})
