// Our MockProducer beside Kafka's own: the same calls, in random order, must do the same.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import {
  type KafkaError,
  ProducerClosedError,
  ProducerFencedError,
  type RecordMetadata,
} from '../../dist/index.js'
import { MockProducer, type OffsetsByGroup } from '../../dist/testing/index.js'
import { kafkaSkip, startJava } from './java.js'

const SCRIPTS = 400
const CALLS_PER_SCRIPT = 40
const SEED = 20261130

/** Numbers from 0 to below 2³², the same for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const FAULTS = [
  ...['initTransactionException', 'beginTransactionException', 'sendOffsetsToTransactionException'],
  ...['commitTransactionException', 'abortTransactionException', 'sendException', 'flushException'],
  'closeException',
]

/** Calls by how often they come. */
const CALLS: readonly (readonly [weight: number, make: (random: (below: number) => number) => string])[] = [
  [30, random => `send ${random(2) === 0 ? 'a' : 'b'} v${random(1000)}`],
  [8, () => 'completeNext'],
  [5, () => 'errorNext'],
  [4, () => 'flush'],
  [5, () => 'initTransactions'],
  [8, () => 'beginTransaction'],
  [8, () => 'commitTransaction'],
  [4, () => 'abortTransaction'],
  [8, random => `offsets ${random(2) === 0 ? 'g' : 'h'} ${random(2)} ${random(100)}`],
  [1, () => 'offsets g'],
  [2, () => 'clear'],
  [1, () => 'fenceProducer'],
  [1, () => 'close'],
  [4, random => `fault ${FAULTS[random(FAULTS.length)]} ${random(3) === 0 ? 'on' : 'off'}`],
]

function scriptOf(random: (below: number) => number): string[] {
  const total = CALLS.reduce((sum, [weight]) => sum + weight, 0)
  const calls = Array.from({ length: CALLS_PER_SCRIPT }, () => {
    let point = random(total)
    for (const [weight, make] of CALLS) {
      if (point < weight) return make(random)
      point -= weight
    }
    throw new Error('no call')
  })
  return [`new ${random(2) === 0 ? 'auto' : 'manual'}`, ...calls]
}

/** The same as MockScript.java, with ours. */
class Script {
  private mock = new MockProducer()
  private sends: { outcome: string }[] = []

  async answer(line: string): Promise<string> {
    let did: string
    try {
      did = await this.call(line.split(' '))
    } catch (error) {
      did = nameOf(error)
    }
    // What a call has settled is known on the next turn.
    await new Promise(resolve => setImmediate(resolve))
    return `${did} ${this.state()}`
  }

  private async call([name, ...words]: string[]): Promise<string> {
    const { mock } = this
    switch (name) {
      case 'new':
        this.mock = new MockProducer({ autoComplete: words[0] === 'auto' })
        this.sends = []
        return 'ok'
      case 'send':
        return await this.send(words[0] as string, words[1] as string)
      case 'completeNext':
        return String(mock.completeNext())
      case 'errorNext':
        return String(mock.errorNext(new Error('scripted')))
      case 'offsets': {
        const [groupId = '', partition, offset = ''] = words
        const offsets = partition === undefined ? [] : [{ topic: 'in', partition: Number(partition), offset }]
        await mock.sendOffsetsToTransaction(offsets, { groupId })
        return 'ok'
      }
      case 'fault':
        Object.assign(mock, { [words[0] as string]: words[1] === 'on' ? new Error('fault') : null })
        return 'ok'
      default:
        await mock[name as 'flush']()
        return 'ok'
    }
  }

  /** Java refuses a record by throwing, ours by rejecting; what was taken has its outcome later. */
  private async send(topic: string, value: string): Promise<string> {
    const taken = this.mock.history().length + this.mock.uncommittedRecords().length
    const send = { outcome: 'pending' }
    const sent = this.mock.send({ topic, key: 'key', value })
    sent.then(
      ({ topic, partition, offset }: RecordMetadata) => {
        send.outcome = `${topic}-${partition}@${offset}`
      },
      (error: KafkaError) => {
        send.outcome = error.message
      },
    )
    if (this.mock.history().length + this.mock.uncommittedRecords().length > taken) this.sends.push(send)
    else await sent
    return 'ok'
  }

  private state(): string {
    const { mock, sends } = this
    const valuesOf = (records: { topic: string; value?: unknown }[]) =>
      records.map(({ topic, value }) => `${topic}:${value}`).join(',')
    return [
      valuesOf(mock.history()),
      valuesOf(mock.uncommittedRecords()),
      offsetsOf(mock.uncommittedOffsets()),
      mock.consumerGroupOffsetsHistory().map(offsetsOf).join('/'),
      [
        ...[mock.flushed, mock.closed, mock.transactionInitialized, mock.transactionInFlight],
        ...[mock.transactionCommitted, mock.transactionAborted, mock.sentOffsets(), mock.commitCount],
      ].join(','),
      sends.map(({ outcome }) => outcome).join(','),
    ].join('|')
  }
}

function nameOf(error: unknown): string {
  if (error instanceof ProducerFencedError) return 'fenced'
  if (error instanceof ProducerClosedError) return 'closed'
  return (error as KafkaError).code === 'ILLEGAL_STATE' ? 'illegal' : (error as Error).message
}

function offsetsOf(groups: OffsetsByGroup): string {
  return [...groups]
    .flatMap(([group, offsets]) =>
      offsets.map(({ topic, partition, offset }) => `${group}:${topic}-${partition}@${offset}`),
    )
    .sort()
    .join(',')
}

test('random calls do what they do with Kafka’s own MockProducer', {
  skip: kafkaSkip(),
  timeout: 240_000,
}, async () => {
  const random = randomOf(SEED)
  const lines = Array.from({ length: SCRIPTS }, () => scriptOf(random)).flat()
  const java = startJava('MockScript', [], { heapMb: 256, stderr: 'inherit' })
  assert.ok(java.stdin !== null && java.stdout !== null)
  java.stdin.end(`${lines.join('\n')}\n`)
  const [output] = await Promise.all([text(java.stdout), once(java, 'exit')])
  const expected = output.trimEnd().split('\n')
  assert.equal(expected.length, lines.length)
  const script = new Script()
  const kinds = new Set<string>()
  let began = 0
  for (const [i, line] of lines.entries()) {
    if (line.startsWith('new ')) began = i
    const answer = await script.answer(line)
    const calls = () => `after these calls, with seed ${SEED}:\n${lines.slice(began, i + 1).join('\n')}\n`
    assert.equal(answer, expected[i], calls())
    kinds.add(`${line.split(' ')[0]} ${answer.split(' ')[0]}`)
  }
  // That it has compared something: transactions that were committed, and each way to be refused.
  for (const kind of [
    'commitTransaction ok',
    'commitTransaction fault',
    'send fenced',
    'send closed',
    'offsets illegal',
  ])
    assert.ok(kinds.has(kind), `no ${kind}`)
})
