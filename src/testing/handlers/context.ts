import type { Cluster, ClusterNode } from '../cluster.js'
import type { RequestFailures } from '../faults/fail.js'
import type { SaslServer } from '../sasl.js'

/** What a handler knows of the request it answers, beside its body. */
export interface RequestContext {
  readonly cluster: Cluster
  /** The node that was asked. */
  readonly node: ClusterNode
  readonly version: number
  /** The errors a test wants in the answer. */
  readonly failures: RequestFailures
  /** The connection's authentication; null where none is asked for. */
  readonly sasl: SaslServer | null
  /** Tells whoever runs the broker what is wrong with a request, the same thing once. */
  readonly warn: (problem: string) => void
}

/** The request has no answer: Produce with acks 0. */
export const NO_REPLY = Symbol('no reply')
/** The connection is to be closed: the only way to say that Produce with acks 0 failed. */
export class Disconnect {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}
