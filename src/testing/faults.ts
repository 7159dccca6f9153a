import { ConfigError } from '../errors/index.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import type { ProduceRecordError } from '../protocol/produce.js'
import { type ApiName, apiNames } from './handlers/api-names.js'
import { integer } from './options.js'

/** Which requests a fault concerns, and how often. */
interface FaultTarget {
  api: ApiName
  /** Id of the node; default: all. */
  node?: number
  /** How many requests it concerns; default 1. `Infinity` is allowed. */
  times?: number
}

/** Argument of {@link TestBroker.fail}. */
export interface FailOptions extends FaultTarget {
  /** Name or number of the protocol's error. */
  error: keyof typeof ErrorCodes | number
  /** Only partitions of this topic; default: all of the request. */
  topic?: string
  /** Only this partition; default: all. */
  partition?: number
  /** Produce: append first, then answer with the error. Default false. */
  afterAppend?: boolean
  /** The error message, where the response has a field for one. Default null. */
  message?: string
  /** Produce: the records to be blamed. Default none. */
  recordErrors?: readonly ProduceRecordError[]
}

/** Argument of {@link TestBroker.delay} and {@link TestBroker.throttle}. */
export interface DelayOptions extends FaultTarget {
  ms: number
}

/** Argument of {@link TestBroker.hold}. */
export interface HoldOptions {
  api: ApiName
  node?: number
}

/** Argument of {@link TestBroker.swallow}. */
export interface SwallowOptions extends FaultTarget {
  /** Whether the request has its effect. Default true. */
  processed?: boolean
}

/** Argument of {@link TestBroker.cut}. */
export interface CutOptions {
  /** Bytes that pass before the end, from this call on where the connection is open already. */
  afterBytes: number
  node?: number
  /** `in` counts what clients send, `out` what they are answered. Default `in`. */
  direction?: Direction
  /** How many connections it concerns; default 1. */
  times?: number
}

export type Direction = 'in' | 'out'

/** Takes a reply's frame with its length prefix; answers what to send instead, null for nothing. */
export type ReplyMutator = (api: ApiName, version: number, bytes: Buffer) => Buffer | null

/** The errors that one request is to be answered with. */
export class RequestFailures {
  private readonly candidates: readonly FailRule[]
  private readonly used = new Set<FailRule>()

  constructor(candidates: readonly FailRule[]) {
    this.candidates = candidates
  }

  /**
   * The failure planned for this part of the request. A rule counts once per request, however many parts it
   * hits.
   */
  match(topic?: string, partition?: number): FailRule | undefined {
    for (const rule of this.candidates) {
      if (rule.topic !== undefined && rule.topic !== topic) continue
      if (rule.partition !== undefined && rule.partition !== partition) continue
      if (!this.used.has(rule)) {
        this.used.add(rule)
        rule.timesLeft--
      }
      return rule
    }
    return undefined
  }
}

const NO_FAILURES = new RequestFailures([])

interface Rule {
  readonly api: ApiName
  readonly node: number | undefined
  timesLeft: number
}

export interface FailRule extends Rule {
  readonly errorCode: number
  readonly topic: string | undefined
  readonly partition: number | undefined
  readonly afterAppend: boolean
  readonly message: string | null
  readonly recordErrors: readonly ProduceRecordError[]
}

interface DelayRule extends Rule {
  readonly ms: number
}

interface SwallowRule extends Rule {
  readonly processed: boolean
}

interface HoldRule {
  readonly api: ApiName
  readonly node: number | undefined
  readonly released: Promise<void>
}

interface CutRule {
  readonly node: number | undefined
  readonly direction: Direction
  readonly afterBytes: number
  timesLeft: number
  /** What had passed already, of the connections that were open when the rule was made. */
  readonly passedBefore: ReadonlyMap<object, number>
}

/** What a test wants to go wrong. Rules are taken in the order they were made. */
export class Faults {
  private failures: FailRule[] = []
  private delays: DelayRule[] = []
  private throttles: DelayRule[] = []
  private swallows: SwallowRule[] = []
  private cuts: CutRule[] = []
  private readonly holds = new Set<HoldRule>()
  private readonly mutators = new Set<ReplyMutator>()

  fail(options: FailOptions): void {
    this.failures.push({
      ...ruleOf(options),
      errorCode: errorCodeOf(options.error),
      topic: options.topic,
      partition: options.partition,
      afterAppend: options.afterAppend ?? false,
      message: options.message ?? null,
      recordErrors: options.recordErrors ?? [],
    })
  }

  delay(options: DelayOptions): void {
    this.delays.push({ ...ruleOf(options), ms: integer('ms', options.ms, 0, 0x7fffffff) })
  }

  throttle(options: DelayOptions): void {
    this.throttles.push({ ...ruleOf(options), ms: integer('ms', options.ms, 0, 0x7fffffff) })
  }

  swallow(options: SwallowOptions): void {
    this.swallows.push({ ...ruleOf(options), processed: options.processed ?? true })
  }

  hold({ api, node }: HoldOptions): { release(): void } {
    checkApi(api)
    let release = () => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    const rule: HoldRule = { api, node, released }
    this.holds.add(rule)
    return {
      release: () => {
        this.holds.delete(rule)
        release()
      },
    }
  }

  /** `passedBefore` says what has passed in that direction, for every open connection. */
  cut(options: CutOptions, passedBefore: ReadonlyMap<object, number>): void {
    this.cuts.push({
      node: options.node,
      direction: options.direction ?? 'in',
      afterBytes: integer('afterBytes', options.afterBytes, 0, Number.MAX_SAFE_INTEGER),
      timesLeft: timesOf(options.times),
      passedBefore,
    })
  }

  addMutator(mutator: ReplyMutator): () => void {
    this.mutators.add(mutator)
    return () => this.mutators.delete(mutator)
  }

  /** Forgets all rules but the holds, which are released by who made them. */
  clear(): void {
    this.failures = []
    this.delays = []
    this.throttles = []
    this.swallows = []
    this.cuts = []
    this.mutators.clear()
  }

  failuresFor(api: ApiName, node: number): RequestFailures {
    if (this.failures.length === 0) return NO_FAILURES
    this.failures = this.failures.filter(rule => rule.timesLeft > 0)
    const candidates = this.failures.filter(rule => concerns(rule, api, node))
    return candidates.length === 0 ? NO_FAILURES : new RequestFailures(candidates)
  }

  /** Milliseconds to wait before the reply is sent. */
  takeDelayMs(api: ApiName, node: number): number {
    return take(this.delays, api, node)?.ms ?? 0
  }

  /** The throttle time to tell in the reply; undefined for what the handler says. */
  takeThrottleMs(api: ApiName, node: number): number | undefined {
    return take(this.throttles, api, node)?.ms
  }

  takeSwallow(api: ApiName, node: number): { readonly processed: boolean } | undefined {
    return take(this.swallows, api, node)
  }

  /** Resolves when the reply may go; undefined if nothing holds it. */
  heldBy(api: ApiName, node: number): Promise<unknown> | undefined {
    const holds = [...this.holds].filter(rule => concerns(rule, api, node))
    return holds.length === 0 ? undefined : Promise.all(holds.map(rule => rule.released))
  }

  mutate(api: ApiName, version: number, frame: Buffer): Buffer | null {
    let bytes: Buffer | null = frame
    for (const mutator of this.mutators) {
      if (bytes === null) return null
      bytes = mutator(api, version, bytes)
    }
    return bytes
  }

  /** Bytes that may still pass before the connection is to be cut; Infinity for all. */
  bytesUntilCut(connection: object, node: number, direction: Direction, passed: number): number {
    let least = Number.POSITIVE_INFINITY
    for (const rule of this.cuts) {
      if (rule.direction !== direction || (rule.node ?? node) !== node) continue
      const since = passed - (rule.passedBefore.get(connection) ?? 0)
      least = Math.min(least, Math.max(0, rule.afterBytes - since))
    }
    return least
  }

  /** A connection was cut: the rule that made it so counts down. */
  cutDone(connection: object, node: number, direction: Direction, passed: number): void {
    for (const [index, rule] of this.cuts.entries()) {
      if (rule.direction !== direction || (rule.node ?? node) !== node) continue
      if (rule.afterBytes > passed - (rule.passedBefore.get(connection) ?? 0)) continue
      rule.timesLeft--
      if (rule.timesLeft <= 0) this.cuts.splice(index, 1)
      return
    }
  }
}

function concerns(rule: { api: ApiName; node: number | undefined }, api: ApiName, node: number): boolean {
  return rule.api === api && (rule.node === undefined || rule.node === node)
}

/** The first rule for the request, counted down and removed when used up. */
function take<R extends Rule>(rules: R[], api: ApiName, node: number): R | undefined {
  const index = rules.findIndex(rule => concerns(rule, api, node))
  const rule = rules[index]
  if (rule !== undefined && --rule.timesLeft <= 0) rules.splice(index, 1)
  return rule
}

function ruleOf({ api, node, times }: FaultTarget): Rule {
  checkApi(api)
  return { api, node, timesLeft: timesOf(times) }
}

function checkApi(api: ApiName): void {
  if (apiNames.includes(api)) return
  throw new ConfigError(`api is ${JSON.stringify(api)}; this broker serves ${apiNames.join(', ')}`, 'api')
}

function timesOf(times = 1): number {
  return times === Number.POSITIVE_INFINITY ? times : integer('times', times, 1, Number.MAX_SAFE_INTEGER)
}

function errorCodeOf(error: string | number): number {
  if (typeof error === 'number') return integer('error', error, -32768, 32767)
  const code: unknown = Object.hasOwn(ErrorCodes, error) ? Reflect.get(ErrorCodes, error) : undefined
  if (typeof code === 'number') return code
  throw new ConfigError(`error is ${JSON.stringify(error)}, which is no error of the Kafka protocol`, 'error')
}
