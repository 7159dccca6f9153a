import type { ApiName } from '../api-names.js'
import { integer } from '../options.js'
import { type FaultTarget, type Rule, Rules, ruleOf } from './rule.js'

/** Argument of {@link TestBroker.delay} and {@link TestBroker.throttle}. */
export interface DelayOptions extends FaultTarget {
  ms: number
}

interface DelayRule extends Rule {
  readonly ms: number
}

/** Times planned for replies: to wait before they are sent, or to be named in them as throttle time. */
export class Delays {
  private readonly rules = new Rules<DelayRule>()

  add(options: DelayOptions): void {
    this.rules.add({ ...ruleOf(options), ms: integer('ms', options.ms, 0, 0x7fffffff) })
  }

  clear(): void {
    this.rules.clear()
  }

  /** Milliseconds planned for a reply; undefined if none are. */
  takeMs(api: ApiName, node: number): number | undefined {
    return this.rules.take(api, node)?.ms
  }
}
