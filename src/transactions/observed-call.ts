import type { Clock } from '../common/clock.js'
import type { ObservedTransactionCall, Observer } from '../common/observer.js'
import type { KafkaError } from '../errors/index.js'

/** Makes a call and tells the observer when it begins and what the caller gets when. */
export function observedCall(
  observer: Observer,
  clock: Clock,
  name: ObservedTransactionCall,
  call: () => Promise<void>,
): Promise<void> {
  const beganAt = clock.now()
  observer.transactionCallBegan(name)
  const end = (error: KafkaError | null) => observer.transactionCallEnded(name, clock.now() - beganAt, error)
  const outcome = call()
  outcome.then(() => end(null), end)
  return outcome
}

/** The same of a call that ends before it returns. */
export function observedStep(
  observer: Observer,
  clock: Clock,
  name: ObservedTransactionCall,
  step: () => void,
): void {
  const beganAt = clock.now()
  observer.transactionCallBegan(name)
  try {
    step()
    observer.transactionCallEnded(name, clock.now() - beganAt, null)
  } catch (error) {
    observer.transactionCallEnded(name, clock.now() - beganAt, error as KafkaError)
    throw error
  }
}
