import type { ApiName } from '../api-names.js'
import { type FaultTarget, type Rule, Rules, ruleOf } from './rule.js'

/** Argument of {@link TestBroker.swallow}. */
export interface SwallowOptions extends FaultTarget {
  /** Whether the request has its effect. Default true. */
  processed?: boolean
}

interface SwallowRule extends Rule {
  readonly processed: boolean
}

/** Requests that are never answered. */
export class Swallows {
  private readonly rules = new Rules<SwallowRule>()

  add(options: SwallowOptions): void {
    this.rules.add({ ...ruleOf(options), processed: options.processed ?? true })
  }

  clear(): void {
    this.rules.clear()
  }

  take(api: ApiName, node: number): { readonly processed: boolean } | undefined {
    return this.rules.take(api, node)
  }
}
