import type { Producer } from '../../dist/index.js'

export interface Timeouts {
  deliveryTimeoutMs: number
  maxBlockMs: number
}

type Options = { options: Partial<Timeouts> }

interface Inside {
  config: Readonly<Timeouts>
  readonly accumulator: Options
  readonly waiting: Options
  readonly entry: Options
  readonly transactions: Options | null
  readonly sender: { wakeup(): void }
}

/**
 * Changes time-outs of a producer at work, so that only what is to time out has short ones: all else may be held
 * up for a second by a busy machine. The time for delivery goes for records sent before, too; that of calls does
 * not go for those that wait.
 */
export function setTimeouts(producer: Producer, timeouts: Partial<Timeouts>): void {
  const inside = producer as unknown as Inside
  const { accumulator, waiting, entry, transactions, sender } = inside
  inside.config = { ...inside.config, ...timeouts }
  for (const owner of [accumulator, waiting, entry, transactions]) {
    if (owner !== null) Object.assign(owner.options, timeouts)
  }
  sender.wakeup()
}
