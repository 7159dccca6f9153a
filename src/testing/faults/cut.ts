import { integer } from '../options.js'
import { timesOf } from './rule.js'

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

type Direction = 'in' | 'out'

interface CutRule {
  readonly node: number | undefined
  readonly direction: Direction
  readonly afterBytes: number
  timesLeft: number
  /** What had passed already, of the connections that were open when the rule was made. */
  readonly passedBefore: ReadonlyMap<object, number>
}

/** Connections that end at a certain byte. */
export class Cuts {
  private rules: CutRule[] = []

  /** `passedBefore` says what has passed in that direction, for every open connection. */
  add(options: CutOptions, passedBefore: ReadonlyMap<object, number>): void {
    this.rules.push({
      node: options.node,
      direction: options.direction ?? 'in',
      afterBytes: integer('afterBytes', options.afterBytes, 0, Number.MAX_SAFE_INTEGER),
      timesLeft: timesOf(options.times),
      passedBefore,
    })
  }

  clear(): void {
    this.rules = []
  }

  /** Bytes that may still pass before the connection is to be cut; Infinity for all. */
  bytesLeft(connection: object, node: number, direction: Direction, passed: number): number {
    let least = Number.POSITIVE_INFINITY
    for (const rule of this.rules) {
      if (rule.direction !== direction || (rule.node ?? node) !== node) continue
      const since = passed - (rule.passedBefore.get(connection) ?? 0)
      least = Math.min(least, Math.max(0, rule.afterBytes - since))
    }
    return least
  }

  /** A connection was cut: the rule that made it so counts down. */
  done(connection: object, node: number, direction: Direction, passed: number): void {
    for (const [index, rule] of this.rules.entries()) {
      if (rule.direction !== direction || (rule.node ?? node) !== node) continue
      if (rule.afterBytes > passed - (rule.passedBefore.get(connection) ?? 0)) continue
      rule.timesLeft--
      if (rule.timesLeft <= 0) this.rules.splice(index, 1)
      return
    }
  }
}
