import { setTimeout } from 'node:timers/promises'
import { Producer } from '../../dist/index.js'
import { JavaClient } from '../../dist-test/kafka/java-client.js'
import { KafkaGround } from '../kafka-ground.js'
import { Random } from '../random.js'
import { atLeast, atMost } from '../result.js'
import { COPIER_PHASES, type CopierPlant } from '../transactions/copier-job.js'
import { CopierProcess, type CopierStory, newStory } from '../transactions/copier-process.js'
import { CopyChecker, inputRecord } from '../transactions/copies.js'
import { GENERATIONS, type Generation, useGeneration } from '../transactions/generations.js'
import { type TransactionResult, transactionResult } from '../transactions/result.js'
import { waitUntil } from '../wait.js'
import type { LaneOptions } from './lane.js'

const RECORDS_PER_POLL = 100
const PARTITIONS = [1, 4]
/** A client that has not committed anything for so long will not by itself. */
const RESUME_TIMEOUT_MS = 120_000
const UNTOLD_COMMITS_MAX = 4
const PHASE_PATIENCE_MS = 3_000
/** Longer than a transaction takes, so that a kill may also come after what it was meant for. */
const KILL_DELAY_MS_MAX = 8

interface Plan {
  readonly transactionVersion: Generation
  readonly partitions: number
  readonly records: number
  readonly clientKills: number
  readonly brokerKills: number
  readonly plant: CopierPlant | null
}

export interface TransactionLaneOptions extends Pick<LaneOptions, 'seed' | 'isSmall' | 'records' | 'say'> {
  /** Kills of the client; half as many of brokers. Undefined: the lane's own. */
  faults: number | undefined
  plant?: CopierPlant
  /** Undefined: both. */
  generations?: readonly Generation[] | undefined
  partitions?: readonly number[] | undefined
  /** Hears each result as soon as there is one. */
  onResult?: (result: TransactionResult) => void
}

/** Consume-transform-produce with the group's offsets in the transactions, while client and brokers are killed. */
export async function transactions(
  options: TransactionLaneOptions,
  shared?: KafkaGround,
): Promise<TransactionResult[]> {
  const { isSmall, plant = null } = options
  const results: TransactionResult[] = []
  const clientKills = options.faults ?? (isSmall ? 3 : 30)
  for (const transactionVersion of options.generations ?? GENERATIONS) {
    // A cluster of its own is formatted with the version; a shared one is upgraded or downgraded.
    await using own = shared
      ? null
      : await KafkaGround.start({ features: { 'transaction.version': transactionVersion } })
    const ground = shared ?? (own as KafkaGround)
    await useGeneration(ground, transactionVersion)
    for (const partitions of options.partitions ?? PARTITIONS) {
      const brokerKills = Math.floor(clientKills / 2)
      const records = options.records ?? (isSmall ? 4_000 : 100_000)
      const plan = { transactionVersion, partitions, records, clientKills, brokerKills, plant }
      const result = await new CopyRun(ground, options, plan).run()
      results.push(result)
      options.onResult?.(result)
    }
  }
  return results
}

/** One input that is copied through all kills, and what came of it. */
class CopyRun {
  private readonly ground: KafkaGround
  private readonly options: TransactionLaneOptions
  private readonly plan: Plan
  private readonly random: Random
  private readonly story: CopierStory = newStory()
  private readonly name: string
  private readonly feeder: Producer
  /** Records of the input so far, by partition. */
  private readonly fed: number[]
  private readonly counts: Record<string, number> = { clientKills: 0, brokerKills: 0 }
  private copier: CopierProcess | null = null
  private lives = 0

  constructor(ground: KafkaGround, options: TransactionLaneOptions, plan: Plan) {
    this.ground = ground
    this.options = options
    this.plan = plan
    const { partitions, transactionVersion, plant } = plan
    this.random = new Random(options.seed + partitions + transactionVersion)
    const planted = plant === null ? '' : `-${plant.replaceAll(' ', '-')}`
    this.name = `copy-${options.seed}-v${transactionVersion}-p${partitions}${planted}`
    this.fed = Array.from({ length: partitions }, () => 0)
    this.feeder = new Producer({ bootstrapServers: ground.directServers })
  }

  async run(): Promise<TransactionResult> {
    const startedAt = new Date()
    const { partitions } = this.plan
    await using java = new JavaClient()
    try {
      await this.ground.createTopics({ topics: [this.input, this.output], partitions })
      await this.feed(partitions)
      this.copier = this.live()
      await this.progressed(0)
      await this.strikeAll()
      await this.feed(this.plan.records - this.totalFed)
      await this.finished(java)
    } finally {
      await this.copier?.end()
      await this.feeder.close({ timeoutMs: 0 })
    }
    return await this.judge(startedAt, java)
  }

  private get input(): string {
    return `${this.name}-in`
  }

  private get output(): string {
    return `${this.name}-out`
  }

  private get totalFed(): number {
    return this.fed.reduce((sum, count) => sum + count, 0)
  }

  private live(): CopierProcess {
    const { name, input, output, story } = this
    const { bootstrapServers } = this.ground
    this.lives++
    const { plant } = this.plan
    const job = { bootstrapServers, input, output, groupId: name, life: this.lives, plant }
    return new CopierProcess({ ...job, recordsPerPoll: RECORDS_PER_POLL }, story)
  }

  /** More input, so that there is something to copy while the next blow falls. */
  private async feed(count: number): Promise<void> {
    const { partitions } = this.plan
    const values = Array.from({ length: Math.max(0, count) }, () => {
      const partition = this.totalFed % partitions
      const sequence = this.fed[partition] as number
      this.fed[partition] = sequence + 1
      return { topic: this.input, partition, value: inputRecord(this.options.seed, partition, sequence) }
    })
    await this.feeder.sendMany(values)
  }

  /** Waits until more transactions than so many are committed. A client that has ended by itself lives again. */
  private async progressed(committed: number): Promise<void> {
    await waitUntil('the client commits again', RESUME_TIMEOUT_MS, () => {
      if (!this.copier?.isAlive) this.copier = this.live()
      return this.story.committed > committed
    })
  }

  private async strikeAll(): Promise<void> {
    const { clientKills, brokerKills, records } = this.plan
    const { random, story } = this
    // A broker dies with every other kill of the client, before it or after, and comes back in between.
    const share = Math.floor(records / (clientKills + 1) / 2)
    // What is told of commits lacks those of which the client was killed before it could tell.
    const transactionsAtLeast = Math.max(1, Math.floor((2 * share) / RECORDS_PER_POLL) - UNTOLD_COMMITS_MAX)
    for (let strike = 1; strike <= clientKills; strike++) {
      const before = story.committed
      await this.feed(share)
      const isBrokerToo = (this.counts.brokerKills as number) < brokerKills && strike % 2 === 0
      const node = isBrokerToo ? await this.killBroker(strike) : null
      if (node !== null) await setTimeout(random.integer(0, 4000))
      await this.killClient()
      const killedAt = story.committed
      await this.feed(share)
      if (node !== null) {
        await this.ground.node(node).start()
        await this.ground.settled([this.input, this.output])
      }
      // Most of what has come is copied before the next blow falls.
      await this.progressed(Math.max(killedAt, before + transactionsAtLeast - 1))
      const { committed, aborted } = story
      this.options.say(
        `kill ${strike}/${clientKills}${node === null ? '' : `, with node ${node}`}: ` +
          `${committed} committed, ${aborted} aborted, ${this.totalFed} records in`,
      )
    }
  }

  private async killClient(): Promise<void> {
    const phase = this.random.pick(COPIER_PHASES.filter(each => each !== 'polling'))
    const delayMs = this.random.integer(0, KILL_DELAY_MS_MAX)
    const isMet = await this.copier?.killIn(phase, delayMs, PHASE_PATIENCE_MS)
    const kind = isMet ? `killsWhile${phase.replace(/^./, first => first.toUpperCase())}` : 'killsElsewhere'
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
    this.counts.clientKills = (this.counts.clientKills as number) + 1
    this.copier = this.live()
  }

  /** In turn the node that coordinates the transactions, the group, and that leads the output. */
  private async killBroker(strike: number): Promise<number> {
    const topics = ['__transaction_state', '__consumer_offsets', this.output]
    const topic = topics[(strike >> 1) % topics.length] as string
    const [place] = await this.ground.admin.describe([topic])
    const node = place?.leader ?? 1
    await this.ground.node(node).stop('SIGKILL')
    this.counts.brokerKills = (this.counts.brokerKills as number) + 1
    return node
  }

  /** Waits until the group has come to the end of the input, for as long as the client gets on. */
  private async finished(java: JavaClient): Promise<void> {
    const end = this.fed.map((count, partition) => [`${this.input}-${partition}`, count] as const)
    let { committed } = this.story
    let committedAt = performance.now()
    for (;;) {
      if (!this.copier?.isAlive) this.copier = this.live()
      const offsets = await java.offsets(this.ground.directServers, this.name).catch(() => null)
      if (offsets !== null && end.every(([place, count]) => offsets[place] === count)) return
      if (this.story.committed > committed) {
        committed = this.story.committed
        committedAt = performance.now()
      } else if (performance.now() - committedAt > RESUME_TIMEOUT_MS) {
        throw new Error(`the client has come to ${JSON.stringify(offsets)} and gets no further`)
      }
      await setTimeout(200)
    }
  }

  private async judge(startedAt: Date, java: JavaClient): Promise<TransactionResult> {
    const { plan, story, fed, output, ground } = this
    const { seed, isSmall } = this.options
    const visible = await java.read(ground.directServers, output, 'read_committed')
    const stored = await java.read(ground.directServers, output, 'read_uncommitted')
    const checker = new CopyChecker(seed, fed, story.never)
    for (const { partition, value } of visible) checker.take(partition, String(value))
    const { classes, examples, transactions: count } = checker.finish()
    return transactionResult({
      lane: 'transactions',
      isSmall,
      seed,
      transactionVersion: plan.transactionVersion,
      partitions: plan.partitions,
      startedAt,
      versions: ground.versions,
      records: this.totalFed,
      faults: {
        ...this.counts,
        transactionsVisible: count,
        transactionsAborted: story.aborted,
        failures: story.failures.length,
        timeouts: story.timeouts,
        recordsHidden: stored.length - visible.length,
      },
      classes: { ...classes },
      criteria: [
        atLeast('records', this.totalFed, plan.records),
        atLeast('kills of the client', this.counts.clientKills as number, plan.clientKills),
        atLeast('kills of brokers', this.counts.brokerKills as number, plan.brokerKills),
        atLeast('records in the log that are never seen', stored.length - visible.length, 1),
        atMost('ends of the client by itself', story.deaths.length, 0),
      ],
      examples: [...examples, ...story.deaths, ...story.failures.slice(0, 5)],
    })
  }
}
