/** The broker an exchange is with, as the cluster's metadata names it. */
export interface SaslBroker {
  /** Name or address of the broker. */
  readonly host: string
  /** Its TCP port. */
  readonly port: number
}

/**
 * One authentication of one connection, or its renewal. Each message is sent and answered before the next is
 * asked for. What is thrown refuses the broker: the connection ends, and the message of the error is shown.
 */
export interface SaslExchange {
  /** Texts that are hidden wherever the broker repeats them. */
  readonly secrets?: readonly string[]
  /** The first message; empty where the broker speaks first. */
  start(): Uint8Array | Promise<Uint8Array>
  /**
   * The answer to a message of the broker, which may be empty; null when the exchange is complete and the
   * broker has proved all that the mechanism asks of it. The bytes are only valid during the call.
   */
  step(challenge: Uint8Array): Uint8Array | null | Promise<Uint8Array | null>
}

/**
 * A SASL mechanism (RFC 4422). The built-in ones implement it, and so may an application's own: pass it in
 * the option `saslMechanisms` and name it in `sasl.mechanism`.
 */
export interface SaslMechanism {
  /** As registered, such as `GSSAPI`: what SaslHandshake asks the broker for. */
  readonly name: string
  /** Called for every connection and for every re-authentication, so credentials may change meanwhile. */
  begin(broker: SaslBroker): SaslExchange | Promise<SaslExchange>
}
