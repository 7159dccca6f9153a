import { IllegalStateError, type KafkaError, ProducerClosedError } from '../errors/index.js'
import type { Sender } from '../sender/sender.js'
import type { TransactionManager } from '../transactions/transaction-manager.js'

/** Whether a producer takes records now, and why not. Every way in asks here. */
export class ProducerState {
  private readonly sender: Sender
  /** Null without `transactional.id`. */
  private readonly manager: TransactionManager | null
  private hasClosed = false

  constructor(sender: Sender, transactions: TransactionManager | null) {
    this.sender = sender
    this.manager = transactions
  }

  close(): void {
    this.hasClosed = true
  }

  /** Whether the producer is open, and in a transaction if it has them. Costs nothing where it is. */
  get takesRecords(): boolean {
    if (this.hasClosed || this.sender.fatal !== null) return false
    return this.manager === null || this.manager.state === 'IN_TRANSACTION'
  }

  /** Why no record can be sent any more; null while some can. */
  get fatal(): KafkaError | null {
    if (this.hasClosed) return new ProducerClosedError('The producer is closed.')
    return this.sender.fatal ?? this.manager?.fatal ?? null
  }

  /** Throws if the producer is closed, or no record can be sent any more. */
  checkOpen(): void {
    if (this.hasClosed) throw new ProducerClosedError('The producer is closed.')
    if (this.sender.fatal !== null) throw this.sender.fatal
  }

  /** Throws if a record cannot be sent now. */
  checkSendable(): void {
    this.checkOpen()
    this.manager?.checkSend()
  }

  /** The transactions of an open producer. Throws where there are none. */
  transactionsFor(call: string): TransactionManager {
    if (this.manager === null) {
      throw new IllegalStateError(`${call} needs the option transactional.id, which turns transactions on.`)
    }
    if (this.hasClosed) throw new ProducerClosedError('The producer is closed.')
    return this.manager
  }
}
