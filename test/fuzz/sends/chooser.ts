import type { Random } from '../../hostile/random.js'
import { IDENTITY_TIME } from './contents.js'
import { Content, HeaderKind, type Ledger, Way } from './ledger.js'
import type { Plan } from './plan.js'

/** Records larger than this are appended past the staging. */
const STAGED_BYTES = 4096
/** Bursts of a phase, on average; long bursts cost less a record, so there may be as many of them. */
const BURSTS_PER_PHASE = 40
const RECORDS_PER_PHASE_MIN = 200

type Size = 'tiny' | 'small' | 'medium' | 'at the staging limit' | 'at the batch size' | 'large'

/** Odds that change under way, so that all pure and all mixed loads come up. */
interface Phase {
  readonly until: number
  readonly ways: readonly Way[]
  readonly topics: readonly number[]
  readonly sizes: readonly Size[]
  readonly keys: readonly Content[]
  readonly values: readonly Content[]
  /** One record in so many has it. */
  readonly headersOnceIn: number
  readonly partitionOnceIn: number
  readonly timestampOnceIn: number
  readonly burstMax: number
  readonly keyRing: number
}

const NEVER = 1 << 30

/** Chooses what the next record is, and writes it into its row of the ledger. */
export class Chooser {
  private readonly plan: Plan
  private readonly random: Random
  private readonly ledger: Ledger
  private phase: Phase
  private bytes = 0

  constructor(plan: Plan, random: Random, ledger: Ledger) {
    this.plan = plan
    this.random = random
    this.ledger = ledger
    this.phase = this.newPhase()
  }

  get way(): Way {
    return this.random.pick(this.phase.ways)
  }

  /** Records of the next burst: sent without giving the event loop a turn. */
  get burst(): number {
    if (this.ledger.count >= this.phase.until) this.phase = this.newPhase()
    return 1 + this.random.below(this.phase.burstMax)
  }

  /** The number of a new record, all of whose columns are filled but `order`. */
  record(way: Way, transaction: number): number {
    const { ledger, random, phase, plan } = this
    const id = ledger.next()
    const topic = random.pick(phase.topics)
    ledger.topic[id] = topic
    ledger.way[id] = way
    ledger.transaction[id] = transaction
    ledger.key[id] = random.pick(phase.keys)
    ledger.keyNumber[id] = random.below(phase.keyRing)
    ledger.value[id] = random.pick(phase.values)
    ledger.valueLength[id] = this.lengthOf(id)
    ledger.headers[id] = random.once(phase.headersOnceIn)
      ? random.pick([HeaderKind.OBJECT, HeaderKind.OBJECT, HeaderKind.PAIRS])
      : HeaderKind.NONE
    const { partitions, isStampedByBroker } = plan.topics[topic] as Plan['topics'][number]
    ledger.partition[id] = random.once(phase.partitionOnceIn) ? random.below(partitions) : -1
    ledger.timestamp[id] = random.once(phase.timestampOnceIn) ? this.timestamp() : Number.NaN
    const content = ledger.value[id]
    if (content === Content.NULL || content === Content.BARE) this.identifyOtherwise(id, isStampedByBroker)
    return id
  }

  private identifyOtherwise(id: number, isStampedByBroker: boolean): void {
    const { ledger, random } = this
    if (isStampedByBroker || random.once(3)) ledger.headers[id] = HeaderKind.IDENTITY
    else ledger.timestamp[id] = IDENTITY_TIME + id
  }

  private timestamp(): number {
    const { random } = this
    // Far from each other, too: the tables of the producer keep differences in 32 bits.
    return random.pick([0, 1, 1_690_000_000_000 + random.below(1000), 4_000_000_000_000, Date.now()])
  }

  private lengthOf(id: number): number {
    const { ledger, random, plan } = this
    if (ledger.value[id] === Content.BARE) return random.below(7)
    if (ledger.value[id] === Content.NULL) return 0
    const size = this.bytes > plan.bytes ? 'small' : random.pick(this.phase.sizes)
    const length = this.bytesOf(size)
    this.bytes += length
    return length
  }

  private bytesOf(size: Size): number {
    const { random, plan } = this
    switch (size) {
      case 'tiny':
        return random.below(12)
      case 'small':
        return random.below(120)
      case 'medium':
        return random.below(1200)
      case 'at the staging limit':
        return STAGED_BYTES - 60 + random.below(120)
      case 'at the batch size':
        return Math.min(Math.max(plan.batchBytes - 100 + random.below(120), 0), 200_000)
      default:
        return Math.min(random.below(3 * plan.batchBytes), 300_000)
    }
  }

  private newPhase(): Phase {
    const { random, plan, ledger } = this
    const burstMax = random.pick([1, 3, 20, 20, 100, 100, 400])
    const records = Math.max(RECORDS_PER_PHASE_MIN, (BURSTS_PER_PHASE * burstMax) / 2)
    return {
      until: ledger.count + random.below(2 * records),
      topics: random.once(2) ? plan.topics.map((_, index) => index) : [random.below(plan.topics.length)],
      burstMax,
      keyRing: random.pick([1, 8, 1000]),
      ...(random.once(2) ? this.plainRecords() : this.anyRecords()),
    }
  }

  /** Bytes with and without a key, as most load is: all of them take the fast ways. */
  private plainRecords() {
    const { random } = this
    const { BYTES, NULL } = Content
    const { PROMISE, CALLBACK, MANY } = Way
    return {
      ways: random.pick([
        [PROMISE, CALLBACK],
        [PROMISE, CALLBACK, MANY],
        [PROMISE, MANY],
        [CALLBACK, MANY],
      ]),
      sizes: random.pick<readonly Size[]>([['small'], ['small', 'medium'], ['medium'], ['medium']]),
      keys: random.pick([[NULL], [NULL, BYTES], [NULL, BYTES], [NULL, BYTES]]),
      values: [BYTES],
      headersOnceIn: random.pick([NEVER, 3]),
      partitionOnceIn: random.pick([NEVER, NEVER, 5]),
      timestampOnceIn: NEVER,
    }
  }

  private anyRecords() {
    const { random } = this
    const odds = () => random.pick([NEVER, NEVER, 2, 5, 20])
    const { BYTES, ASCII, WIDE, NULL, BARE } = Content
    return {
      ways: this.some([Way.PROMISE, Way.PROMISE, Way.CALLBACK, Way.MANY]),
      sizes: this.sizes(),
      keys: this.some([NULL, NULL, BYTES, ASCII, WIDE, BARE]),
      values: this.some([BYTES, BYTES, BYTES, ASCII, WIDE, NULL, BARE]),
      headersOnceIn: odds(),
      partitionOnceIn: odds(),
      timestampOnceIn: odds(),
    }
  }

  private some<T>(from: readonly T[]): T[] {
    const chosen = from.filter(() => this.random.once(2))
    return chosen.length > 0 ? chosen : [this.random.pick(from)]
  }

  private sizes(): Size[] {
    const { random } = this
    const sizes: Size[] = ['tiny', 'small', 'small', 'small', 'small', 'small', 'medium', 'medium']
    if (random.once(4)) sizes.push('at the staging limit')
    if (random.once(4)) sizes.push('at the batch size')
    if (random.once(8)) sizes.push('large')
    return random.once(3) ? [random.pick(sizes)] : sizes
  }
}
