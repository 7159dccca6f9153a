import type { SaslBroker, SaslExchange, SaslMechanism } from '../../index.js'
import type { Logger, Mechanism, SaslAuthenticateArgs } from './types.js'

const LENGTH_BYTES = 4

/** KafkaJS's providers write and read messages with their length in front. */
function withLength(bytes: Uint8Array): Buffer {
  const framed = Buffer.alloc(LENGTH_BYTES + bytes.length)
  framed.writeInt32BE(bytes.length)
  framed.set(bytes, LENGTH_BYTES)
  return framed
}

function withoutLength(framed: Uint8Array): Uint8Array {
  const buffer = Buffer.from(framed.buffer, framed.byteOffset, framed.byteLength)
  const isFramed = buffer.length >= LENGTH_BYTES && buffer.readInt32BE() === buffer.length - LENGTH_BYTES
  return isFramed ? buffer.subarray(LENGTH_BYTES) : buffer
}

interface Turn {
  resolve(message: Uint8Array | null): void
  reject(error: unknown): void
}

/**
 * One authentication by a provider of KafkaJS's kind. It calls `saslAuthenticate` when it pleases; millrace
 * asks for the next message when it is time. Each waits for the other.
 */
class ProviderExchange implements SaslExchange {
  private readonly run: (
    saslAuthenticate: (args: SaslAuthenticateArgs<unknown>) => Promise<unknown>,
  ) => Promise<void>
  private asked: Turn | null = null
  private answer: ((challenge: Buffer) => void) | null = null

  constructor(run: ProviderExchange['run']) {
    this.run = run
  }

  async start(): Promise<Uint8Array> {
    const first = this.next()
    this.run(args => this.converse(args)).then(
      () => this.asked?.resolve(null),
      error => this.asked?.reject(error),
    )
    return (await first) ?? new Uint8Array(0)
  }

  step(challenge: Uint8Array): Promise<Uint8Array | null> {
    const next = this.next()
    const { answer } = this
    this.answer = null
    answer?.(withLength(challenge))
    return next
  }

  private next(): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      this.asked = { resolve, reject }
    })
  }

  private async converse({ request, response }: SaslAuthenticateArgs<unknown>): Promise<unknown> {
    const message = withoutLength(await request.encode())
    const challenge = new Promise<Buffer>(resolve => {
      this.answer = resolve
    })
    this.asked?.resolve(message)
    this.asked = null
    const received = await challenge
    return response === undefined ? undefined : response.parse(await response.decode(received))
  }
}

/** A mechanism made of `authenticationProvider`. */
export function mechanismOf(sasl: Mechanism, logger: Logger): SaslMechanism {
  const name = sasl.mechanism.toUpperCase()
  return {
    name,
    begin: ({ host, port }: SaslBroker) =>
      new ProviderExchange(saslAuthenticate =>
        sasl
          .authenticationProvider({
            host,
            port,
            logger: logger.namespace(`SaslAuthenticator-${name}`),
            saslAuthenticate: saslAuthenticate as Parameters<
              Mechanism['authenticationProvider']
            >[0]['saslAuthenticate'],
          })
          .authenticate(),
      ),
  }
}
