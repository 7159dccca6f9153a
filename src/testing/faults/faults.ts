import { Cuts } from './cut.js'
import { Delays } from './delay.js'
import { PlannedErrors } from './fail.js'
import { Holds } from './hold.js'
import { Mutators } from './mutate.js'
import { Swallows } from './swallow.js'

/** What a test wants to go wrong, one kind a member. */
export class Faults {
  readonly errors = new PlannedErrors()
  readonly delays = new Delays()
  /** Throttle times to name in replies. */
  readonly throttles = new Delays()
  readonly swallows = new Swallows()
  readonly holds = new Holds()
  readonly cuts = new Cuts()
  readonly mutators = new Mutators()

  /** Forgets all but the holds, which are released by who made them. */
  clear(): void {
    const { errors, delays, throttles, swallows, cuts, mutators } = this
    for (const kind of [errors, delays, throttles, swallows, cuts, mutators]) kind.clear()
  }
}
