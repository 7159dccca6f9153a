// The client under test of the lane `transactions`: copies one topic to another, each poll in a transaction with
// its group's offsets, as an application would. Its consumer is Java's, in a process of its own that ends with
// this one. Says on standard output what it does, a line at a time.
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Producer, type ProducerOptions, type TransactionError } from '../../dist/index.js'
import { startJava } from '../../dist-test/kafka/java.js'
import type { CopierJob } from '../transactions/copier-job.js'
import { copyOf, type Tag } from '../transactions/copies.js'

const CONSUMER_HEAP_MB = 96
/** Every so many transactions one is aborted on purpose: the first of a life with all its records stored. */
const ABORT_EVERY = 7

interface Polled {
  group: { groupId: string; generationId: number; memberId: string; groupInstanceId: string }
  records: { partition: number; offset: number; value: string }[]
}

class Consumer {
  private readonly child: ChildProcess
  private readonly lines: AsyncIterator<string>

  constructor({ bootstrapServers, groupId, input, recordsPerPoll }: CopierJob) {
    const args = [bootstrapServers, groupId, 'copier', input, String(recordsPerPoll)]
    this.child = startJava('TransactionConsumer', args, { heapMb: CONSUMER_HEAP_MB, stderr: 'inherit' })
    const lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream })
    this.lines = lines[Symbol.asyncIterator]()
  }

  async poll(): Promise<Polled> {
    const [first, ...rest] = await this.command('poll')
    const [groupId, generation, memberId, groupInstanceId] = (first as string).split('\t') as [
      string,
      string,
      string,
      string,
    ]
    const records = rest.map(line => {
      const [partition, offset, value] = line.split('\t') as [string, string, string]
      return { partition: Number(partition), offset: Number(offset), value }
    })
    return { group: { groupId, generationId: Number(generation), memberId, groupInstanceId }, records }
  }

  async command(name: 'poll' | 'rewind' | 'commit'): Promise<string[]> {
    this.child.stdin?.write(`${name}\n`)
    const answer: string[] = []
    for (;;) {
      const { value, done } = await this.lines.next()
      if (done) throw new Error('the consumer has ended')
      if (value === 'ok') return answer
      if (value.startsWith('error\t')) throw new Error(value.slice('error\t'.length))
      answer.push(value)
    }
  }
}

function say(...words: readonly (string | number)[]): void {
  process.stdout.write(`${words.join(' ')}\n`)
}

/** The offsets from which the group goes on after these records. */
function offsetsAfter({ input }: CopierJob, { records }: Polled) {
  const next = new Map(records.map(({ partition, offset }) => [partition, offset + 1]))
  return Array.from(next, ([partition, offset]) => ({ topic: input, partition, offset }))
}

/** A call that timed out goes on, and is to be made again for its outcome. */
async function insisting(call: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await call()
      return
    } catch (error) {
      if ((error as { code?: string }).code !== 'TIMED_OUT') throw error
      say('timeout')
    }
  }
}

/** Sends the copies; those that are not awaited are left to the commit, or to the abort, which may drop them. */
async function sendCopies(
  producer: Producer,
  job: CopierJob,
  polled: Polled,
  tag: Tag,
  isAwaited: boolean,
): Promise<void> {
  const copies = polled.records.map(({ partition, value }, i) => ({
    topic: job.output,
    partition,
    value: copyOf(value, tag, i, polled.records.length),
  }))
  if (job.plant === 'two records swapped' && copies.length > 1) copies.unshift(...copies.splice(1, 1))
  if (job.plant === 'some records not sent') copies.splice(1)
  if (job.plant === 'one transaction made two') {
    await producer.sendMany(copies.splice(0, copies.length >> 1))
    await producer.commitTransaction()
    producer.beginTransaction()
  }
  if (isAwaited) await producer.sendMany(copies)
  else for (const copy of copies) void producer.send(copy).catch(() => {})
}

/** One transaction. True if it was committed. */
async function copy(producer: Producer, consumer: Consumer, job: CopierJob, polled: Polled, tag: Tag) {
  const number = Number(tag.split('.')[1])
  const isAborted = number % ABORT_EVERY === 0
  // Said before the first record: nothing of it may ever be seen.
  if (isAborted) say('never', tag)
  say('phase', 'sending')
  producer.beginTransaction()
  await sendCopies(producer, job, polled, tag, (number % 2 === 0) !== isAborted)
  say('phase', 'offsets')
  if (job.plant === 'offsets outside the transaction') await consumer.command('commit')
  else await producer.sendOffsetsToTransaction(offsetsAfter(job, polled), polled.group)
  if (isAborted && job.plant !== 'commit instead of abort') {
    say('phase', 'aborting')
    await insisting(() => producer.abortTransaction())
    await consumer.command('rewind')
    say('aborted', tag)
    return
  }
  say('phase', 'committing')
  await insisting(() => producer.commitTransaction())
  say('committed', tag, polled.records.length)
}

async function main(job: CopierJob): Promise<void> {
  const options = { bootstrapServers: job.bootstrapServers, transactionalId: job.groupId, lingerMs: 5 }
  const producer = new Producer(options as ProducerOptions)
  const consumer = new Consumer(job)
  await insisting(() => producer.initTransactions())
  for (let number = 1; ; ) {
    say('phase', 'polling')
    const polled = await consumer.poll()
    if (polled.records.length === 0) continue
    const tag: Tag = `${job.life}.${number++}`
    try {
      await copy(producer, consumer, job, polled, tag)
    } catch (error) {
      say('failed', tag, String(error))
      if ((error as TransactionError).fatal) throw error
      // A failed commit has aborted nothing yet, nor have failed offsets.
      await insisting(() => producer.abortTransaction())
      await consumer.command('rewind')
    }
  }
}

// Whoever ends its input has died: a process group of its own would live on.
process.stdin.once('end', () => process.exit()).resume()
await main(JSON.parse(process.argv[2] as string)).catch(error => {
  say('died', String(error))
  process.exit(1)
})
