// What transactions do for their users, whatever the broker and its generation: one suite for all of them.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { Producer, type ProducerOptions, type ProducerRecord } from '../../dist/index.js'
import { outcomeOf, silent } from './support.js'

/** A cluster, and what a consumer sees of it. */
export interface World {
  readonly bootstrapServers: string
  createTopic(name: string, partitions: number): Promise<void>
  /** Values per partition, in the order of their offsets. */
  read(topic: string, isolation: 'read_committed' | 'read_uncommitted'): Promise<string[][]>
  /** A group's offsets by `topic-partition`. */
  offsets(groupId: string): Promise<Record<string, number>>
}

let names = 0
const PARTITIONS = 3

/** One topic and as many producers as a test needs. */
class Scene implements AsyncDisposable {
  readonly world: World
  readonly topic: string
  readonly id: string
  private readonly producers: Producer[] = []

  constructor(world: World) {
    this.world = world
    this.id = `behaviour-${process.pid}-${++names}`
    this.topic = `${this.id}-out`
  }

  async ready(options: Partial<ProducerOptions> = {}): Promise<Producer> {
    const producer = new Producer({
      bootstrapServers: this.world.bootstrapServers,
      transactionalId: this.id,
      logger: silent,
      ...options,
    })
    this.producers.push(producer)
    await producer.initTransactions()
    return producer
  }

  records(count: number, prefix: string): ProducerRecord[] {
    return Array.from({ length: count }, (_, i) => ({
      topic: this.topic,
      partition: i % PARTITIONS,
      value: `${prefix}${i}`,
    }))
  }

  async committed(): Promise<string[]> {
    return (await this.world.read(this.topic, 'read_committed')).flat()
  }

  /** What consumers of committed records see per partition. The end of a transaction takes its time. */
  shows(expected: readonly string[][]): Promise<void> {
    return becomes(() => this.world.read(this.topic, 'read_committed'), expected)
  }

  /** The same of all partitions, in any order between them. */
  showsAll(expected: readonly string[]): Promise<void> {
    return becomes(async () => (await this.committed()).toSorted(), expected.toSorted())
  }

  async stored(): Promise<string[]> {
    return (await this.world.read(this.topic, 'read_uncommitted')).flat()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.producers.map(producer => producer.close({ timeoutMs: 0 })))
  }
}

const PATIENCE_MS = 10_000

/**
 * A commit is decided when it is answered, and seen once the markers are written, a moment later. So what is
 * seen may be too little for a while, never too much.
 */
async function becomes<T>(look: () => Promise<T>, expected: T): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  for (;;) {
    const seen = await look()
    if (isDeepStrictEqual(seen, expected) || performance.now() > endMs) {
      assert.deepEqual(seen, expected)
      return
    }
    await sleep(50)
  }
}

/** What each partition must hold of records that went to the partitions in turn. */
function dealt(values: readonly string[]): string[][] {
  return Array.from({ length: PARTITIONS }, (_, p) => values.filter((_value, i) => i % PARTITIONS === p))
}

function valuesOf(records: readonly ProducerRecord[]): string[] {
  return records.map(({ value }) => String(value))
}

/** Registers the suite. `world` is asked for when the tests run. */
export function behaviour(world: () => World): void {
  const scene = async () => {
    const made = new Scene(world())
    await made.world.createTopic(made.topic, PARTITIONS)
    return made
  }

  it('shows the records of a transaction all at once, when it is committed, and in order', async () => {
    await using stage = await scene()
    const producer = await stage.ready()
    const records = stage.records(300, 'v')
    producer.beginTransaction()
    await producer.sendMany(records)
    assert.deepEqual(await stage.committed(), [])
    await producer.commitTransaction()
    await stage.shows(dealt(valuesOf(records)))
  })

  it('commits what has been sent and not awaited', async () => {
    await using stage = await scene()
    const producer = await stage.ready({ lingerMs: 10_000, deliveryTimeoutMs: 60_000 })
    const records = stage.records(50, 'v')
    producer.beginTransaction()
    for (const record of records) void producer.send(record)
    await producer.commitTransaction()
    await stage.shows(dealt(valuesOf(records)))
  })

  it('never shows the records of an aborted transaction, and goes on after it', async () => {
    await using stage = await scene()
    const producer = await stage.ready()
    producer.beginTransaction()
    await producer.sendMany(stage.records(30, 'aborted'))
    await producer.abortTransaction()
    const records = stage.records(30, 'kept')
    producer.beginTransaction()
    await producer.sendMany(records)
    await producer.commitTransaction()
    await stage.shows(dealt(valuesOf(records)))
    assert.equal((await stage.stored()).length, 60)
  })

  it('aborts while batches are in flight, and fails what has not been sent', async () => {
    await using stage = await scene()
    const producer = await stage.ready({ batchSize: 1024 })
    producer.beginTransaction()
    const sent = producer.sendMany(stage.records(5_000, 'aborted')).then(
      () => 0,
      (error: { failed?: unknown[] }) => error,
    )
    await new Promise(resolve => setTimeout(resolve, 5))
    await producer.abortTransaction()
    await sent
    await producer.transaction(() => producer.send({ topic: stage.topic, partition: 1, value: 'kept' }))
    await stage.showsAll(['kept'])
  })

  it('keeps many transactions apart, committed and aborted ones in turn', async () => {
    await using stage = await scene()
    const producer = await stage.ready({ compressionType: 'lz4' })
    const kept: string[] = []
    for (let n = 0; n < 20; n++) {
      const records = stage.records(60, `${n}.`)
      producer.beginTransaction()
      if (n % 2 === 0) await producer.sendMany(records)
      else void producer.sendMany(records).catch(() => {})
      if (n % 3 === 0) await producer.abortTransaction()
      else {
        await producer.commitTransaction()
        kept.push(...valuesOf(records))
      }
    }
    await stage.shows(dealt(kept))
  })

  it('commits a transaction of many batches to every partition', async () => {
    await using stage = await scene()
    const producer = await stage.ready({ batchSize: 4096 })
    const records = stage.records(20_000, 'a value of some length ')
    await producer.transaction(async () => void (await producer.sendMany(records)))
    await stage.shows(dealt(valuesOf(records)))
  })

  it('commits offsets with the records, and neither of an aborted transaction', async () => {
    await using stage = await scene()
    const producer = await stage.ready()
    const groupId = `${stage.id}-group`
    const group = { groupId }
    const offsetsOf = (first: number, second: bigint) => [
      { topic: stage.topic, partition: 0, offset: first },
      { topic: stage.topic, partition: 2, offset: second, leaderEpoch: 0, metadata: 'here' },
    ]
    await producer.transaction(async () => {
      await producer.sendMany(stage.records(3, 'kept'))
      await producer.sendOffsetsToTransaction(offsetsOf(7, 8n), group)
    })
    const committed = { [`${stage.topic}-0`]: 7, [`${stage.topic}-2`]: 8 }
    await becomes(() => stage.world.offsets(groupId), committed)
    producer.beginTransaction()
    await producer.sendOffsetsToTransaction(offsetsOf(70, 80n), group)
    await producer.sendMany(stage.records(3, 'aborted'))
    await producer.abortTransaction()
    await becomes(() => stage.world.offsets(groupId), committed)
    await stage.showsAll(['kept0', 'kept1', 'kept2'])
    producer.beginTransaction()
    await producer.sendOffsetsToTransaction(offsetsOf(9, 9n), group)
    await producer.commitTransaction()
    await becomes(() => stage.world.offsets(groupId), {
      [`${stage.topic}-0`]: 9,
      [`${stage.topic}-2`]: 9,
    })
  })

  it('does work in a transaction: commits and gives its result, or aborts and gives its error', async () => {
    await using stage = await scene()
    const producer = await stage.ready()
    const result = await producer.transaction(async same => {
      assert.equal(same, producer)
      await same.send({ topic: stage.topic, partition: 0, value: 'kept' })
      return 42
    })
    assert.equal(result, 42)
    const thrown = new Error('the work failed')
    await assert.rejects(
      producer.transaction(async () => {
        await producer.send({ topic: stage.topic, partition: 0, value: 'aborted' })
        throw thrown
      }),
      (error: Error) => error === thrown,
    )
    assert.equal(await producer.transaction(() => 'nothing sent'), 'nothing sent')
    await stage.showsAll(['kept'])
  })

  it('ends transactions in which nothing was sent', async () => {
    await using stage = await scene()
    const producer = await stage.ready()
    for (const end of ['commitTransaction', 'abortTransaction', 'commitTransaction'] as const) {
      producer.beginTransaction()
      await producer[end]()
    }
    await producer.transaction(() => producer.send({ topic: stage.topic, partition: 0, value: 'kept' }))
    await stage.showsAll(['kept'])
  })

  it('commits nothing of a transaction one of whose records could not be stored', async () => {
    await using stage = await scene()
    const producer = await stage.ready({ maxRequestSize: 100_000 })
    producer.beginTransaction()
    void producer.sendMany(stage.records(30, 'aborted')).catch(() => {})
    void producer.send({ topic: stage.topic, value: 'x'.repeat(200_000) }).catch(() => {})
    assert.equal(await outcomeOf(() => producer.commitTransaction()), 'abortable')
    assert.equal(await outcomeOf(() => producer.send({ topic: stage.topic, value: 'late' })), 'abortable')
    await producer.abortTransaction()
    await producer.transaction(() => producer.send({ topic: stage.topic, partition: 0, value: 'kept' }))
    await stage.showsAll(['kept'])
  })

  it('fences the older of two producers, of which nothing more is committed', async () => {
    await using stage = await scene()
    const old = await stage.ready()
    await old.transaction(() => old.send({ topic: stage.topic, partition: 0, value: 'kept' }))
    old.beginTransaction()
    await old.sendMany(stage.records(10, 'of the old one'))
    const young = await stage.ready()
    await young.transaction(() => young.send({ topic: stage.topic, partition: 1, value: 'of the young one' }))
    void old.sendMany(stage.records(10, 'late')).catch(() => {})
    const outcome = await outcomeOf(() => old.commitTransaction())
    // A refused record can be aborted for all a client knows; the abort tells the truth.
    if (outcome !== 'fenced') {
      assert.equal(outcome, 'abortable')
      assert.equal(await outcomeOf(() => old.abortTransaction()), 'fenced')
    }
    assert.equal(await outcomeOf(() => old.beginTransaction()), 'fenced')
    await young.transaction(() => young.send({ topic: stage.topic, partition: 2, value: 'more' }))
    await stage.showsAll(['kept', 'of the young one', 'more'])
  })

  it('aborts the transaction that is open when the producer is closed', async () => {
    await using stage = await scene()
    const producer = await stage.ready()
    producer.beginTransaction()
    await producer.sendMany(stage.records(10, 'aborted'))
    await producer.close()
    // Were it still open, read_committed readers would not see what follows.
    const next = await stage.ready({ transactionalId: `${stage.id}-other` })
    await next.transaction(() => next.send({ topic: stage.topic, partition: 0, value: 'kept' }))
    await stage.showsAll(['kept'])
    assert.equal((await stage.stored()).length, 11)
  })

  it('lets a producer begin anew under the transactional id of one that is gone', async () => {
    await using stage = await scene()
    for (let n = 0; n < 3; n++) {
      const producer = await stage.ready()
      await producer.transaction(() =>
        producer.send({ topic: stage.topic, partition: 0, value: `generation ${n}` }),
      )
      producer.beginTransaction()
      await producer.send({ topic: stage.topic, partition: 0, value: 'left open' })
      await producer.close({ timeoutMs: 0 })
    }
    const last = await stage.ready()
    await last.transaction(() => last.send({ topic: stage.topic, partition: 0, value: 'end' }))
    await stage.showsAll(['generation 0', 'generation 1', 'generation 2', 'end'])
  })
}
