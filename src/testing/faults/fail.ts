import { ConfigError } from '../../errors/index.js'
import { ErrorCodes } from '../../protocol/error-codes.js'
import type { ProduceRecordError } from '../../protocol/produce.js'
import type { ApiName } from '../api-names.js'
import { integer } from '../options.js'
import { concerns, type FaultTarget, type Rule, ruleOf } from './rule.js'

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
  /** Produce: where the log is said to begin, as brokers say with UNKNOWN_PRODUCER_ID. Default -1n. */
  logStartOffset?: bigint
}

/** A planned error, with every default filled in. */
export interface FailRule extends Rule {
  readonly errorCode: number
  readonly topic: string | undefined
  readonly partition: number | undefined
  readonly afterAppend: boolean
  readonly message: string | null
  readonly recordErrors: readonly ProduceRecordError[]
  readonly logStartOffset: bigint
}

/** The errors that one request is to be answered with. */
export class RequestFailures {
  private readonly candidates: readonly FailRule[]
  private readonly used = new Set<FailRule>()

  constructor(candidates: readonly FailRule[]) {
    this.candidates = candidates
  }

  /**
   * The error planned for this part of the request. A rule counts once per request, however many parts it
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

/** Errors instead of answers, or after them. */
export class PlannedErrors {
  private rules: FailRule[] = []

  add(options: FailOptions): void {
    this.rules.push({
      ...ruleOf(options),
      errorCode: errorCodeOf(options.error),
      topic: options.topic,
      partition: options.partition,
      afterAppend: options.afterAppend ?? false,
      message: options.message ?? null,
      recordErrors: options.recordErrors ?? [],
      logStartOffset: options.logStartOffset ?? -1n,
    })
  }

  clear(): void {
    this.rules = []
  }

  /** What is planned for one request, in the order in which it was planned. */
  for(api: ApiName, node: number): RequestFailures {
    if (this.rules.length === 0) return NO_FAILURES
    this.rules = this.rules.filter(rule => rule.timesLeft > 0)
    const candidates = this.rules.filter(rule => concerns(rule, api, node))
    return candidates.length === 0 ? NO_FAILURES : new RequestFailures(candidates)
  }
}

function errorCodeOf(error: string | number): number {
  if (typeof error === 'number') return integer('error', error, -32768, 32767)
  const code: unknown = Object.hasOwn(ErrorCodes, error) ? Reflect.get(ErrorCodes, error) : undefined
  if (typeof code === 'number') return code
  throw new ConfigError(`error is ${JSON.stringify(error)}, which is no error of the Kafka protocol`, 'error')
}
