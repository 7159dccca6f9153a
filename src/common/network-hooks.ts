import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'

/** What a {@link SocketFactory} is asked for. */
export interface SocketTarget {
  /** The broker's name as the bootstrap list or the cluster's metadata has it; it has not been resolved. */
  readonly host: string
  /** Its TCP port. */
  readonly port: number
  /** Options for `tls.connect`, where `security.protocol` asks for TLS; null for plain connections. */
  readonly tls: ConnectionOptions | null
  /** To be called once, when bytes may be written: after a proxy's own handshake, and after that of TLS. */
  readonly onConnect: () => void
}

/**
 * Opens the sockets to brokers, through a SOCKS or HTTP proxy for example. It answers at once, with a
 * `net.Socket` or a duplex stream like one, and calls `onConnect` later. With `tls` given, what it answers
 * has to be encrypted (Node's `TLSSocket`), or the connection is refused.
 */
export type SocketFactory = (target: SocketTarget) => Socket

/** A request to a broker that has been answered, written (where none answers) or given up. */
export interface RequestReport {
  /** `host:port`. */
  readonly broker: string
  /** The `client.id` of the producer. */
  readonly clientId: string
  /** The number of the API in Kafka's protocol, such as 0 for Produce. */
  readonly apiKey: number
  /** As in Kafka's protocol guide, such as `Produce`. */
  readonly apiName: string
  /** The version of the API that was used. */
  readonly apiVersion: number
  /** Counts the requests of one connection. */
  readonly correlationId: number
  /** Milliseconds since the epoch. */
  readonly sentAtMs: number
  /** From sending to the answer or to giving up, in milliseconds. */
  readonly durationMs: number
  /** Bytes of the answer, without its length; 0 where there is none. */
  readonly responseBytes: number
  /** Whether it was given up because `request.timeout.ms` was over. */
  readonly timedOut: boolean
}

/**
 * Sees each request to a broker when it has ended, unless its connection was lost. What it throws is logged.
 */
export type RequestListener = (report: RequestReport) => void
