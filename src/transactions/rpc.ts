import type { ClusterClient } from '../cluster/cluster-client.js'
import type { KafkaError } from '../errors/index.js'
import type { RpcName } from './rpc-errors.js'

/** Who is asked: any broker, or the coordinator of the transactional id or of a consumer group. */
export type RpcTarget = { readonly kind: 'any' | 'transaction' } | { readonly kind: 'group'; groupId: string }

/** Under whose name a request goes. */
export interface RpcIdentity {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** One error of an answer; NONE is one, too. */
export interface RpcError {
  readonly errorCode: number
  readonly topic?: string
  readonly partition?: number
  readonly message?: string | null
}

/**
 * Lower goes first: nothing is added before the last transaction is completed, EndTxn ends what all others
 * have added, and a bump follows the end it is for.
 */
export const Priority = {
  FIND_COORDINATOR: 0,
  INIT_PRODUCER_ID: 1,
  AWAIT_COMPLETION: 2,
  ADD: 3,
  END: 4,
  BUMP_EPOCH: 5,
} as const
export type Priority = (typeof Priority)[keyof typeof Priority]

/** One request of a transaction, asked again until its answer decides something. */
export interface Rpc<Response = unknown> {
  readonly name: RpcName
  readonly priority: Priority
  readonly target: RpcTarget
  /** An attempt had no answer: it may have been carried out, or may be yet. */
  isUnsure: boolean
  ask(
    client: ClusterClient,
    nodeId: number | 'any',
    identity: RpcIdentity,
    timeoutMs: number,
  ): Promise<Response>
  /** True: there is nothing left to ask for, and `skipped` is called instead. */
  isMoot?(): boolean
  skipped?(): void
  /** The errors of the answer; null where the answer leaves out what was asked, or is nonsense. */
  errorsOf(response: Response): readonly RpcError[] | null
  /** The answer has no error. */
  done(response: Response): void
  /** It is given up. */
  failed(error: KafkaError): void
}

/** Requests that wait to be sent: by priority, then in the order they were made. */
export class RpcQueue {
  private waiting: Rpc[] = []

  /** The request that goes next. */
  peek(): Rpc | undefined {
    return this.waiting[0]
  }

  add(rpc: Rpc): void {
    const at = this.waiting.findIndex(other => other.priority > rpc.priority)
    this.waiting.splice(at < 0 ? this.waiting.length : at, 0, rpc)
  }

  /** Puts a request back before all others of its priority. */
  putBack(rpc: Rpc): void {
    const at = this.waiting.findIndex(other => other.priority >= rpc.priority)
    this.waiting.splice(at < 0 ? this.waiting.length : at, 0, rpc)
  }

  take(): Rpc | undefined {
    return this.waiting.shift()
  }

  has(predicate: (rpc: Rpc) => boolean): boolean {
    return this.waiting.some(predicate)
  }

  /** Takes out all that match, in order. */
  remove(predicate: (rpc: Rpc) => boolean): Rpc[] {
    const removed = this.waiting.filter(predicate)
    this.waiting = this.waiting.filter(rpc => !predicate(rpc))
    return removed
  }
}
