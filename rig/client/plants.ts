import { RecordAccumulator } from '../../dist/accumulator/accumulator.js'
import { Arena } from '../../dist/accumulator/batch/arena.js'
import { type Batch, BatchPhase } from '../../dist/accumulator/batch/batch.js'
import type { PartitionState } from '../../dist/accumulator/partition/partition-state.js'
import { Producer, type ProducerRecord } from '../../dist/index.js'
import { PromiseGroup } from '../../dist/producer/send/promise-group.js'
import { Sender } from '../../dist/sender/sender.js'
import { SequenceGate } from '../../dist/sender/sequence-gate.js'

/**
 * Bugs that the checker must find, patched into the producer's own classes. Each is one that a producer could
 * have by a small mistake; none of it is in the shipped code.
 */

// biome-ignore lint/suspicious/noExplicitAny: what is patched is private
type Patched = any

/**
 * The memory of a batch that times out in flight goes back to the pool although the socket still reads it. What
 * names the topic in the old request would be in the same memory, and be overwritten with it; here it stands
 * apart, as it does where it is too long.
 */
function freeSlabAtTimeout(): void {
  const arena: Patched = Arena.prototype
  const { slab } = arena
  arena.slab = function (handle: number) {
    return { ...slab.call(this, handle), marginBytes: 0 }
  }
  const accumulator: Patched = RecordAccumulator.prototype
  const { expireOne, release } = accumulator
  const freed = new WeakSet<Batch>()
  accumulator.expireOne = function (batch: Batch, nowMs: number) {
    if (batch.phase === BatchPhase.IN_FLIGHT && batch.readers > 0) {
      freed.add(batch)
      for (let readers = batch.readers; readers > 0; readers--) this.core.unpin(batch.handle)
    }
    expireOne.call(this, batch, nowMs)
  }
  accumulator.release = function (batch: Batch) {
    if (!freed.has(batch)) return release.call(this, batch)
    batch.endReading()
    return false
  }
}

/** Records are acknowledged once they are written to the socket. */
function ackBeforeReply(): void {
  const sender: Patched = Sender.prototype
  const { onWritten } = sender
  sender.onWritten = function (request: Patched, error: Error | null) {
    if (error === null) for (const batch of request.batches) this.accumulator.settle(batch)
    onWritten.call(this, request, error)
  }
}

/** A batch that is sent again gets a new sequence, so that the broker cannot tell it has it already. */
function resendWithNewSequence(): void {
  const accumulator: Patched = RecordAccumulator.prototype
  const { requeue } = accumulator
  accumulator.requeue = function (batch: Batch, ...rest: Patched[]) {
    batch.assignSequence(null, -1)
    requeue.call(this, batch, ...rest)
  }
}

/** Several requests of a partition are in flight before its leader has stored anything of this producer. */
function twoInFlightBeforeSuccess(): void {
  const gate: Patched = SequenceGate.prototype
  const { mayDrain } = gate
  gate.mayDrain = function (partition: PartitionState, head: Batch) {
    const { sequences } = partition
    sequences.prove(partition.leaderId, partition.leaderEpoch, sequences.producer, Number.POSITIVE_INFINITY)
    return mayDrain.call(this, partition, head)
  }
}

/** Once, two batches of a partition change places before they are first sent. */
function swapBatches(): void {
  const accumulator: Patched = RecordAccumulator.prototype
  const { drain } = accumulator
  let isDone = false
  accumulator.drain = function (leaderId: number, gate: Patched) {
    for (const topic of isDone ? [] : this.topics) {
      for (const partition of topic.queued as readonly PartitionState[]) {
        const queue = partition.queue as Patched
        const [first, second] = queue
        const isFresh = (batch: Batch | undefined) =>
          batch !== undefined && batch.phase === BatchPhase.SEALED && !batch.wasDrained
        if (isDone || !isFresh(first) || !isFresh(second)) continue
        queue[0] = second as Batch
        queue[1] = first as Batch
        isDone = true
      }
    }
    return drain.call(this, leaderId, gate)
  }
}

/** One of the records of one batch is never told what became of it. */
function dropSettlement(): void {
  const accumulator: Patched = RecordAccumulator.prototype
  const { settle } = accumulator
  let isDone = false
  accumulator.settle = function (batch: Batch) {
    const group: Patched = isDone ? null : (batch.attachment as Patched)?.callbacks
    if (group?.added > 1) {
      group.added--
      isDone = true
    }
    settle.call(this, batch)
  }
}

/**
 * A promise for a record without a key, sent right after one with a callback, takes the batch of the promise
 * before for its own: it says a place where the record is not.
 */
function promiseOfAnotherBatch(): void {
  const producer: Patched = Producer.prototype
  const { send } = producer
  let isAfterCallback = false
  let isWrong = false
  producer.send = function (record: ProducerRecord, callback: unknown) {
    const isSticky = record.partition === undefined && record.key === undefined
    isWrong = isSticky && isAfterCallback && callback === undefined
    isAfterCallback = isSticky && callback !== undefined
    return send.call(this, record, callback)
  }
  const groups: Patched = PromiseGroup
  const { of } = groups
  let last: Batch | null = null
  groups.of = (batch: Batch, ...rest: unknown[]) => {
    const before = last
    last = batch
    const isPossible = before?.phase === BatchPhase.OPEN && before.partition.topic === batch.partition.topic
    return of.call(groups, isWrong && isPossible ? before : batch, ...rest)
  }
}

const plants = {
  'slab freed at time-out': freeSlabAtTimeout,
  'ack before reply': ackBeforeReply,
  'resend with new sequence': resendWithNewSequence,
  'two in flight before the first success': twoInFlightBeforeSuccess,
  'two batches swapped': swapBatches,
  'one settlement dropped': dropSettlement,
  'promise of another batch': promiseOfAnotherBatch,
} as const

export type PlantName = keyof typeof plants
export const PLANT_NAMES = Object.keys(plants) as PlantName[]

/** Makes this process have the bug. */
export function plant(name: string): void {
  const make = (plants as Record<string, () => void>)[name]
  if (make === undefined) throw new Error(`no bug is called ${name}: ${PLANT_NAMES.join(', ')}`)
  make()
}
