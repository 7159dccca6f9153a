// Consume with @platformatic/kafka, produce with millrace, exactly once. docs/exactly-once.md says why each step is
// there. Needs Node 24.
import { setTimeout as sleep } from 'node:timers/promises'
import { Consumer } from '@platformatic/kafka'
import { PartitionProducers } from './partition-producers.js'
import { onSignal, say, settings, transform } from './settings.js'

const BATCH_RECORDS = 500

const { bootstrapServers, groupId, input, instance, sessionTimeoutMs } = settings

const producers = new PartitionProducers()
const consumer = new Consumer({
  clientId: instance,
  bootstrapBrokers: bootstrapServers.split(','),
  groupId,
  autocommit: false,
  sessionTimeout: sessionTimeoutMs,
  rebalanceTimeout: sessionTimeoutMs,
  heartbeatInterval: Math.min(3_000, sessionTimeoutMs / 10),
  maxWaitTime: 500,
})

let stream = null
/** Counts the assignments of this member. */
let assignment = 0
let isStopping = false

// This client joins again by itself, in the middle of whatever is done here. What its stream has buffered, or still
// fetches, may by then be another member's work, or be read again from the committed offset.
consumer.on('consumer:group:join', () => {
  assignment++
  stream?.destroy()
})

const partitionsOf = assignments =>
  (assignments ?? []).filter(({ topic }) => topic === input).flatMap(({ partitions }) => partitions)

/** Works through one assignment; returns when there is another, and rejects when a transaction failed. */
async function workThrough(current) {
  const isOver = () => isStopping || assignment !== current
  await producers.takeOverAll(partitionsOf(consumer.assignments))
  if (isOver()) return
  // It starts at the committed offsets, which are final now.
  stream = await consumer.consume({ topics: [input], mode: 'committed', fallbackMode: 'earliest' })
  try {
    for await (const first of stream) {
      const batch = [first]
      for (let more = stream.read(); more !== null; more = stream.read()) {
        batch.push(more)
        if (batch.length === BATCH_RECORDS) break
      }
      if (isOver()) return
      await copy(batch)
      if (isOver()) return
    }
  } catch (error) {
    // A stream that is destroyed ends with an error.
    if (!isOver()) throw error
  } finally {
    stream.destroy()
    stream = null
  }
}

async function copy(batch) {
  const byPartition = Map.groupBy(batch, ({ partition }) => partition)
  const outcomes = await Promise.allSettled(
    Array.from(byPartition, ([partition, messages]) =>
      producers.transact(partition, async tx => {
        await tx.sendMany(messages.map(transform))
        const offset = messages.at(-1).offset + 1n
        // The consumer has the fields of the group's metadata: groupId, generationId, memberId.
        await tx.sendOffsetsToTransaction([{ topic: input, partition, offset }], consumer)
      }),
    ),
  )
  const failed = outcomes.find(({ status }) => status === 'rejected')
  if (failed !== undefined) throw failed.reason
  say('committed', batch.length)
}

async function work() {
  // Tracked once more than by its streams, so that a new stream does not mean a new rebalance.
  consumer.topics.track(input)
  await consumer.joinGroup()
  while (!isStopping) {
    await workThrough(assignment).catch(async error => {
      say('starts again at the committed offsets:', error.message)
      await sleep(200)
    })
  }
}

const working = work()
onSignal(async () => {
  isStopping = true
  stream?.destroy()
  await working
  await producers.close()
  await consumer.close(true)
})
await working
