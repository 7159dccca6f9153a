import type { ApiName } from '../api-names.js'
import { concerns, type Scope, scopeOf } from './rule.js'

/** Argument of {@link TestBroker.hold}. */
export interface HoldOptions {
  api: ApiName
  node?: number
}

interface HoldRule extends Scope {
  readonly released: Promise<void>
}

/** Replies that wait until they are released. */
export class Holds {
  private readonly rules = new Set<HoldRule>()

  add(options: HoldOptions): { release(): void } {
    const scope = scopeOf(options)
    let release = () => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    const rule: HoldRule = { ...scope, released }
    this.rules.add(rule)
    return {
      release: () => {
        this.rules.delete(rule)
        release()
      },
    }
  }

  /** Resolves when the reply may go; undefined if nothing holds it. */
  over(api: ApiName, node: number): Promise<unknown> | undefined {
    const holds = [...this.rules].filter(rule => concerns(rule, api, node))
    return holds.length === 0 ? undefined : Promise.all(holds.map(rule => rule.released))
  }
}
