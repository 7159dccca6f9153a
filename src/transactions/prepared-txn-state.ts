import { shownValue } from '../common/secret.js'
import { ConfigError } from '../errors/index.js'

const INT64_MAX = 2n ** 63n - 1n
const INT16_MAX = 0x7fff
const FORM = /^(\d{1,19}):(\d{1,5})$/

/**
 * Which transaction has been prepared, for the coordinator of a two-phase commit to keep (KIP-939; Java:
 * `PreparedTxnState`). Its text, `producerId:epoch`, is what Java writes and reads.
 */
export class PreparedTxnState {
  /** -1n where there is no transaction. */
  readonly producerId: bigint
  /** -1 where there is no transaction. */
  readonly epoch: number

  /**
   * @param text what `toString` gave; '', the default, for no transaction
   * @throws ConfigError (`CONFIG_INVALID`) for any other text
   */
  constructor(text = '') {
    const [, id, epoch] = FORM.exec(text) ?? []
    this.producerId = id === undefined ? -1n : BigInt(id)
    this.epoch = epoch === undefined ? -1 : Number(epoch)
    const isWithin = this.producerId <= INT64_MAX && this.epoch <= INT16_MAX
    if (text === '' || (id !== undefined && isWithin)) return
    throw new ConfigError(
      `${shownValue(text)} is no prepared transaction; allowed: producerId:epoch, or nothing for none`,
    )
  }

  /** Whether it names a transaction. */
  get hasTransaction(): boolean {
    return this.producerId >= 0n
  }

  /** Whether both name the same transaction, or none. */
  equals(other: PreparedTxnState): boolean {
    return this.producerId === other.producerId && this.epoch === other.epoch
  }

  /** `producerId:epoch`, or '' for no transaction: what the constructor takes. */
  toString(): string {
    return this.hasTransaction ? `${this.producerId}:${this.epoch}` : ''
  }

  /** As {@link toString}. */
  toJSON(): string {
    return this.toString()
  }
}
