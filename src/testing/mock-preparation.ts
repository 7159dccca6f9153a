import type { KafkaError } from '../errors/index.js'
import { asKafkaError } from '../producer/record/record-errors.js'
import type { Prepare } from '../serialization/index.js'

/** A record whose serializers are not ready for its topic. */
interface HeldRecord {
  /** Who sent it: one object per call. */
  readonly owner: object
  readonly sentAtMs: number
  /** The serializers are ready. */
  proceed(): void
  fail(error: Error): void
}

interface Queue {
  records: HeldRecord[]
  /** Resolves when nothing of it waits any more. */
  done: Promise<void>
}

/**
 * Records that wait until their serializers are ready (`Serializer.prepare`), in the order of their sends,
 * per topic. Serializers are asked once for a topic, and again after they have failed.
 */
export class MockPreparation {
  private readonly preparers: readonly Prepare[]
  private readonly ready = new Set<string>()
  private readonly queues = new Map<string, Queue>()

  constructor(preparers: readonly Prepare[]) {
    this.preparers = preparers
  }

  /** Whether a record of the topic has to wait; asks the serializers if nobody has. */
  mustWait(topic: string): boolean {
    if (this.preparers.length === 0 || this.ready.has(topic)) return false
    if (!this.queues.has(topic)) this.prepare(topic)
    return this.queues.has(topic)
  }

  hold(topic: string, record: HeldRecord): void {
    this.queues.get(topic)?.records.push(record)
  }

  /** Resolves when no record waits of those that do now. Null: none does. */
  settled(): Promise<void> | null {
    const waiting = [...this.queues.values()].filter(({ records }) => records.length > 0)
    if (waiting.length === 0) return null
    return Promise.all(waiting.map(({ done }) => done)).then(() => {})
  }

  /** When the oldest record was sent; Infinity: none waits. */
  get oldestSentAtMs(): number {
    const heads = [...this.queues.values()].map(({ records: [head] }) => head?.sentAtMs)
    return Math.min(...heads.map(atMs => atMs ?? Number.POSITIVE_INFINITY))
  }

  get isEmpty(): boolean {
    return [...this.queues.values()].every(({ records }) => records.length === 0)
  }

  /** The sender of these records gives them up. */
  giveUp(owner: object, error: Error): void {
    for (const queue of this.queues.values()) {
      const given = queue.records.filter(record => record.owner === owner)
      queue.records = queue.records.filter(record => record.owner !== owner)
      for (const record of given) record.fail(error)
    }
  }

  failAll(error: KafkaError): void {
    for (const record of this.takeAll()) record.fail(error)
  }

  /** Takes all out; nobody hears of them any more. */
  takeAll(): HeldRecord[] {
    return [...this.queues.values()].flatMap(queue => queue.records.splice(0))
  }

  private prepare(topic: string): void {
    const asked: PromiseLike<void>[] = []
    // A serializer that sends does so behind what waits.
    const queue: Queue = { records: [], done: Promise.resolve() }
    this.queues.set(topic, queue)
    for (const prepare of this.preparers) {
      try {
        const answer = prepare(topic)
        if (answer !== undefined) asked.push(answer)
      } catch (thrown) {
        asked.push(Promise.reject(thrown))
      }
    }
    if (asked.length === 0) {
      this.release(topic, queue)
      return
    }
    queue.done = Promise.all(asked).then(
      () => this.release(topic, queue),
      thrown => this.refuse(topic, queue, asKafkaError(thrown, topic)),
    )
  }

  private release(topic: string, queue: Queue): void {
    for (let record = queue.records.shift(); record !== undefined; record = queue.records.shift())
      record.proceed()
    this.queues.delete(topic)
    this.ready.add(topic)
  }

  private refuse(topic: string, queue: Queue, error: KafkaError): void {
    this.queues.delete(topic)
    for (const record of queue.records) record.fail(error)
  }
}
