import { type Producer, ProducerFencedError, TransactionError } from '../../dist/index.js'
import type { KafkaGround } from '../kafka-ground.js'
import { Random } from '../random.js'
import { atLeast } from '../result.js'
import type { Generation } from '../transactions/generations.js'
import { Account, eachGeneration, type RaceOptions, transactionalProducer } from '../transactions/races.js'
import { type TransactionResult, transactionResult } from '../transactions/result.js'

const RACES = 200
const RACES_SMALL = 8
const PARTITIONS = 2
const BURST = 5
const PROGRESS_RACES = 50
/** The younger comes so much later at most. */
const HEAD_START_MS_MAX = 30

/** Two producers with one transactional.id: the younger takes over whatever the older is doing. */
export function fencing(options: RaceOptions, shared?: KafkaGround): Promise<TransactionResult[]> {
  return eachGeneration(options, shared, (ground, generation) => new Races(ground, options, generation).run())
}

class Races {
  private readonly ground: KafkaGround
  private readonly options: RaceOptions
  private readonly generation: Generation
  private readonly topic: string
  private readonly random: Random
  private readonly account = new Account()
  private readonly counts: Record<string, number> = { races: 0, fenced: 0, wonByTheOlder: 0 }

  constructor(ground: KafkaGround, options: RaceOptions, generation: Generation) {
    this.ground = ground
    this.options = options
    this.generation = generation
    this.random = new Random(options.seed + generation)
    this.topic = `fencing-${options.seed}-v${generation}`
  }

  async run(): Promise<TransactionResult> {
    const startedAt = new Date()
    const { ground, topic, account, counts } = this
    const { seed, isSmall, say } = this.options
    const races = this.options.faults ?? (isSmall ? RACES_SMALL : RACES)
    await ground.createTopics({ topics: [topic], partitions: PARTITIONS })
    let older = transactionalProducer(ground, topic)
    try {
      await older.initTransactions()
      for (let race = 0; race < races; race++) {
        const younger = transactionalProducer(ground, topic)
        await this.race(older, younger, race)
        await older.close({ timeoutMs: 0 })
        older = younger
        if ((race + 1) % PROGRESS_RACES === 0) say(`${race + 1} of ${races} races`)
      }
    } finally {
      await older.close({ timeoutMs: 0 })
    }
    const { classes, examples } = await account.judge(ground, topic)
    return transactionResult({
      lane: 'fencing',
      isSmall,
      seed,
      transactionVersion: this.generation,
      partitions: PARTITIONS,
      startedAt,
      versions: ground.versions,
      records: account.size,
      faults: counts,
      classes,
      criteria: [
        atLeast('races', counts.races as number, races),
        atLeast('older producers that were fenced', counts.fenced as number, races),
      ],
      examples,
    })
  }

  private async race(older: Producer, younger: Producer, race: number): Promise<void> {
    const { account, counts, random, topic } = this
    older.beginTransaction()
    const first = this.burst(older, `race ${race} first`)
    if (race % 2 === 0) await Promise.allSettled(first.outcomes)
    const initialized = younger.initTransactions()
    // Half of the time the younger has taken over before the older goes on; else they race.
    const isOver = race % 4 < 2
    if (isOver) await initialized
    else await new Promise(resolve => setTimeout(resolve, random.integer(0, HEAD_START_MS_MAX)))
    const second = this.burst(older, `race ${race} second`)
    const isCommit = race % 3 !== 0
    const end = await outcomeOf(() => (isCommit ? older.commitTransaction() : older.abortTransaction()))
    await initialized
    const hasWon = end === null
    if (hasWon && isOver) account.fail(`race ${race}: ended although the younger had taken over`)
    account[hasWon && isCommit ? 'visible' : 'hidden'](...first.values, ...second.values)
    if (hasWon) counts.wonByTheOlder = (counts.wonByTheOlder as number) + 1
    await this.checkFenced(older, race, end)
    await younger.transaction(() =>
      younger.send({ topic, partition: race % PARTITIONS, value: `race ${race}` }),
    )
    account.visible(`race ${race}`)
    counts.races = (counts.races as number) + 1
  }

  /** From now on the older can do nothing any more, and hears why. */
  private async checkFenced(older: Producer, race: number, end: unknown): Promise<void> {
    const { account, counts } = this
    let error = end
    if (end === null) {
      older.beginTransaction()
      account.hidden(...this.burst(older, `race ${race} late`).values)
      error = await outcomeOf(() => older.commitTransaction())
    }
    // A refused record can be aborted for all a client knows; the abort tells the truth.
    if (error instanceof TransactionError && error.abortable) {
      error = await outcomeOf(() => older.abortTransaction())
    }
    const last = await outcomeOf(() => older.beginTransaction())
    for (const each of [error, last]) {
      if (!(each instanceof ProducerFencedError && each.fatal)) account.fail(`race ${race}: ${String(each)}`)
      else if (each === last) counts.fenced = (counts.fenced as number) + 1
    }
  }

  private burst(producer: Producer, name: string) {
    const values = Array.from({ length: BURST }, (_, i) => `${name} ${i}`)
    const outcomes = values.map((value, i) =>
      producer.send({ topic: this.topic, partition: i % PARTITIONS, value }).catch(() => {}),
    )
    return { values, outcomes }
  }
}

/** Null: it succeeded. */
async function outcomeOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
    return null
  } catch (error) {
    return error
  }
}
