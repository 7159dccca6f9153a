// JavaScript and native code contradict one another: what was staged fails, once, and nothing is sent any
// more. What only looks like such an error is the caller's own and costs nobody else anything.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordAccumulator } from '../../dist/accumulator/accumulator.js'
import {
  InternalError,
  type KafkaError,
  Producer,
  type ProducerOptions,
  SendManyError,
} from '../../dist/index.js'
import { Result, Touched } from '../../dist/native/addon.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { partsOf } from '../helpers/accumulator-parts.js'

const TOPIC = 't'

function recordOf(number: number) {
  return { topic: TOPIC, key: Buffer.from(`key ${number}`), value: Buffer.from(String(number)) }
}

function recordsOf(count: number) {
  return Array.from({ length: count }, (_, number) => recordOf(number))
}

type Lie = (accumulator: RecordAccumulator) => void

/** A producer that knows its topic, and whose native code can be made to lie about what it has appended. */
class Liar implements AsyncDisposable {
  readonly producer: Producer
  readonly broker: TestBroker
  /** Records that native code has appended from the staging. */
  appended = 0
  private readonly lies: { drainStaged: Lie | null; drainRun: Lie | null } = {
    drainStaged: null,
    drainRun: null,
  }

  private constructor(broker: TestBroker, options: Partial<ProducerOptions>) {
    this.broker = broker
    this.producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 60_000, ...options })
    const { accumulator } = this.producer as unknown as { accumulator: RecordAccumulator }
    const { core } = partsOf(accumulator)
    const { drainStaged, drainRun } = core
    const told = (drain: keyof typeof this.lies, answer: number) => {
      this.appended += answer >> 3
      const lie = this.lies[drain]
      this.lies[drain] = null
      lie?.(accumulator)
      return answer
    }
    core.drainStaged = (...call) => told('drainStaged', drainStaged(...call))
    core.drainRun = (...call) => told('drainRun', drainRun(...call))
  }

  static async start(options: Partial<ProducerOptions> = {}): Promise<Liar> {
    const liar = new Liar(await startBroker({ partitions: 1, quiet: true }), options)
    await liar.producer.partitionsFor(TOPIC)
    return liar
  }

  /** Comes after the next native call of this name. */
  after(drain: keyof typeof this.lies, lie: Lie): void {
    this.lies[drain] = lie
  }

  get stored(): string[] {
    return Array.from(this.broker.records(TOPIC), ({ value }) => Buffer.from(value ?? []).toString())
  }

  /** Nothing is left of it but the error. */
  async assertFailedForGood(): Promise<void> {
    await assert.rejects(this.producer.send(recordOf(-1)), InternalError)
    await this.producer.flush()
    await this.producer.close()
    assert.deepEqual(this.stored, [])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.producer.close({ timeoutMs: 0 })
    await this.broker.close()
  }
}

const namesABatchThatIsNotThere: Lie = accumulator => {
  const { touched } = partsOf(accumulator).staging
  touched[Touched.BATCH] = 12_345
  touched[Touched.FIRST_INDEX] = 1
}

const countsOneMore: Lie = accumulator => {
  const { touched } = partsOf(accumulator).staging
  touched[Touched.RECORDS] = (touched[Touched.RECORDS] as number) + 1
}

const throws: Lie = () => {
  throw new RangeError('staged record 0: the partition does not exist')
}

const opensABatchOfNoTopic: Lie = accumulator => {
  const { touched } = partsOf(accumulator).staging
  touched[Touched.FIRST_INDEX] = 0
  touched[Touched.TOPIC] = 99
}

async function errorsOf(sent: Promise<unknown>): Promise<ReadonlyMap<number, KafkaError>> {
  const error = await sent.then(
    () => assert.fail('it resolved'),
    (rejected: unknown) => rejected,
  )
  assert.ok(error instanceof SendManyError)
  return error.errors
}

for (const lie of [namesABatchThatIsNotThere, opensABatchOfNoTopic, throws]) {
  test(`sendMany rejects where native code ${lie.name} amid the array, with no record tried again`, async () => {
    await using liar = await Liar.start()
    liar.after('drainRun', lie)
    const errors = await errorsOf(liar.producer.sendMany(recordsOf(600)))
    assert.deepEqual([...errors.keys()], [...Array(600).keys()])
    for (const error of errors.values()) assert.ok(error instanceof InternalError, String(error))
    assert.ok(liar.appended <= 600, `${liar.appended} records were appended`)
    await liar.assertFailedForGood()
  })
}

test('callbacks are called once with the error where native code contradicts amid their records', async () => {
  await using liar = await Liar.start()
  liar.after('drainRun', namesABatchThatIsNotThere)
  const calls: (KafkaError | null)[][] = Array.from({ length: 300 }, () => [])
  for (const [number, told] of calls.entries()) {
    liar.producer.send(recordOf(number), error => {
      told.push(error)
    })
  }
  await liar.producer.flush()
  for (const told of calls) {
    assert.equal(told.length, 1)
    assert.ok(told[0] instanceof InternalError, String(told[0]))
  }
  assert.ok(liar.appended <= 300, `${liar.appended} records were appended`)
  await liar.assertFailedForGood()
})

test('promises of records whose place was known reject where native code counts otherwise', async () => {
  await using liar = await Liar.start()
  const { producer } = liar
  const sent = [0, 1, 2].map(number => producer.send(recordOf(number)))
  liar.after('drainStaged', countsOneMore)
  // Has the staging drained, as it belongs to another run.
  const many = producer.sendMany([recordOf(3)])
  for (const promise of sent) await assert.rejects(promise, InternalError)
  assert.ok((await errorsOf(many)).get(0) instanceof InternalError)
  assert.ok(liar.appended <= 3, `${liar.appended} records were appended`)
  await liar.assertFailedForGood()
})

test('a record of a known place that finds no memory is no success', async () => {
  await using liar = await Liar.start()
  const { producer } = liar
  const sent = [0, 1].map(number => producer.send(recordOf(number)))
  const { core } = partsOf((producer as unknown as { accumulator: RecordAccumulator }).accumulator)
  core.drainStaged = () => 1
  const many = producer.sendMany([recordOf(2)])
  for (const promise of sent) await assert.rejects(promise, InternalError)
  await errorsOf(many)
  await liar.assertFailedForGood()
})

for (const way of ['promise', 'callback', 'array', 'waiting'] as const) {
  test(`a record written alone, of the way ${way}, fails where native code counts another one`, async () => {
    await using liar = await Liar.start(way === 'waiting' ? { batchSize: 16_384, bufferMemory: 32_768 } : {})
    const { producer } = liar
    const { core, staging } = partsOf((producer as unknown as { accumulator: RecordAccumulator }).accumulator)
    // What is so large goes past the staging.
    const record = { topic: TOPIC, value: 'x'.repeat(5000) }
    const large = { topic: TOPIC, value: 'x'.repeat(12_000) }
    const before = way === 'waiting' ? [large, large, large] : [record]
    const sent = Promise.allSettled(before.map(each => producer.send(each)))
    const { append } = core
    core.append = (...call) => {
      const status = append(...call)
      if (status === 0) staging.result[Result.INDEX] = 7
      return status
    }
    const told =
      way === 'promise' || way === 'waiting'
        ? producer.send(record)
        : way === 'callback'
          ? new Promise((_, reject) => producer.send(record, reject))
          : errorsOf(producer.sendMany([record])).then(errors => Promise.reject(errors.get(0)))
    await assert.rejects(told, InternalError)
    await sent
    await assert.rejects(producer.send(record), InternalError)
    await producer.flush()
  })
}

test('a contradiction found by the sender itself reaches those who wait, and does not end the process', async () => {
  await using liar = await Liar.start({ lingerMs: 0 })
  liar.after('drainRun', namesABatchThatIsNotThere)
  const errors = await errorsOf(liar.producer.sendMany(recordsOf(3)))
  assert.deepEqual([...errors.keys()], [0, 1, 2])
  await liar.assertFailedForGood()
})

test('a transactional producer fails for good at a contradiction, its commit too', async () => {
  // Amid the array, and in the commit.
  for (const count of [300, 3]) {
    await using liar = await Liar.start({ transactionalId: 'tx' })
    const { producer } = liar
    await producer.initTransactions()
    producer.beginTransaction()
    liar.after('drainRun', throws)
    const many = errorsOf(producer.sendMany(recordsOf(count)))
    const committed = assert.rejects(producer.commitTransaction(), { code: 'TRANSACTION_FAILED' })
    assert.equal((await many).size, count)
    await committed
    await assert.rejects(producer.abortTransaction(), { code: 'TRANSACTION_FAILED', fatal: true })
    assert.deepEqual(liar.stored, [])
  }
})

/** Getters may throw anything, an error that looks like the library's own included. */
const thrownByGetters: readonly (readonly [string, () => unknown])[] = [
  ['an InternalError', () => new InternalError('A record whose place was known has another.')],
  ['null', () => null],
  ['undefined', () => undefined],
  [
    'a proxy that throws at every look',
    () => {
      const never = () => {
        throw new Error('do not look')
      }
      return new Proxy({}, { get: never, has: never, getPrototypeOf: never })
    },
  ],
]

function unreadable(what: () => unknown) {
  return {
    topic: TOPIC,
    get value(): Buffer {
      throw what()
    },
  }
}

for (const [name, what] of thrownByGetters) {
  test(`a getter that throws ${name} fails its own record only`, async () => {
    await using liar = await Liar.start({ lingerMs: 0 })
    const { producer } = liar
    const records = [...recordsOf(5), unreadable(what), recordOf(5), unreadable(what), recordOf(6)]
    assert.deepEqual([...(await errorsOf(producer.sendMany(records))).keys()], [5, 7])
    const failed: number[] = []
    for (const [number, record] of [recordOf(7), unreadable(what), recordOf(8)].entries()) {
      producer.send(record, error => {
        if (error !== null) failed.push(number)
      })
    }
    await producer.flush()
    assert.deepEqual(failed, [1])
    await producer.send(recordOf(9))
    assert.deepEqual(liar.stored, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  })
}
