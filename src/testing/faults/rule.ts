import { ConfigError } from '../../errors/index.js'
import { type ApiName, apiNames } from '../api-names.js'
import { integer } from '../options.js'

/** Which requests a fault concerns, and how often. */
export interface FaultTarget {
  api: ApiName
  /** Id of the node; default: all. */
  node?: number
  /** How many requests it concerns; default 1. `Infinity` is allowed. */
  times?: number
}

/** The requests that a fault concerns. */
export interface Scope {
  readonly api: ApiName
  readonly node: number | undefined
}

/** A planned fault of requests, counted down to its end. */
export interface Rule extends Scope {
  timesLeft: number
}

export function concerns(scope: Scope, api: ApiName, node: number): boolean {
  return scope.api === api && (scope.node === undefined || scope.node === node)
}

export function scopeOf({ api, node }: Pick<FaultTarget, 'api' | 'node'>): Scope {
  if (apiNames.includes(api)) return { api, node }
  throw new ConfigError(`api is ${JSON.stringify(api)}; this broker serves ${apiNames.join(', ')}`, 'api')
}

export function ruleOf(target: FaultTarget): Rule {
  return { ...scopeOf(target), timesLeft: timesOf(target.times) }
}

export function timesOf(times = 1): number {
  return times === Number.POSITIVE_INFINITY ? times : integer('times', times, 1, Number.MAX_SAFE_INTEGER)
}

/** Rules of one kind, used in the order in which they were made. */
export class Rules<R extends Rule> {
  private readonly rules: R[] = []

  add(rule: R): void {
    this.rules.push(rule)
  }

  clear(): void {
    this.rules.length = 0
  }

  /** The first rule for the request, counted down and removed when used up. */
  take(api: ApiName, node: number): R | undefined {
    const index = this.rules.findIndex(rule => concerns(rule, api, node))
    const rule = this.rules[index]
    if (rule !== undefined && --rule.timesLeft <= 0) this.rules.splice(index, 1)
    return rule
  }
}
