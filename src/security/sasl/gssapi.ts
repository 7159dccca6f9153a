import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
import { reasonOf } from '../../common/foreign-text.js'
import { AuthenticationError, ConfigError } from '../../errors/index.js'
import type { KerberosTickets } from './kerberos-tickets.js'
import type { SaslBroker, SaslExchange, SaslMechanism } from './mechanism.js'

const require = createRequire(import.meta.url)

/** One security context of GSS-API; tokens are in base64. */
interface KerberosClient {
  /** The client's principal, once the context is complete. */
  readonly username: string | null
  readonly contextComplete: boolean
  step(challenge: string): Promise<string | null>
  /** Wraps "no security layer" and the user: of `challenge` only the size of messages is read. */
  wrap(challenge: string, options: { readonly user: string }): Promise<string>
  unwrap(challenge: string): Promise<string>
}

/** What is used of the package `kerberos`, which calls the system's GSS library or SSPI. */
export interface KerberosPackage {
  readonly GSS_MECH_OID_KRB5: number
  initializeClient(
    service: string,
    options: { readonly mechOID: number; readonly principal?: string },
  ): Promise<KerberosClient>
}

interface GssapiOptions {
  /** First part of the brokers' principals. */
  readonly serviceName: string
  /** The client's own; null: that of the tickets there are. */
  readonly principal: string | null
  readonly tickets: KerberosTickets
}

/** "No security layer", among those that a broker offers (RFC 4752, section 3.3). */
const NO_LAYER = 1
/** Of the four bytes of an offer, one says the layers and three the size of messages. */
const OFFER_BYTES = 4
/** No messages at all, as RFC 4752 asks for without a layer. The package may read eight bytes of it. */
const NO_MESSAGES = Buffer.alloc(2 * OFFER_BYTES).toString('base64')

/**
 * Kerberos (RFC 4752): the broker's service ticket, an answer that proves the broker, and the agreement that
 * neither side wraps what follows.
 *
 *     client                                broker
 *     AP-REQ (ticket, authenticator) ────▶
 *                                   ◀──── AP-REP: the broker knows the session key
 *     empty                          ────▶
 *                                   ◀──── wrapped: layers offered, largest message
 *     wrapped: no layer, principal   ────▶
 *                                   ◀──── empty
 */
export function gssapi(
  { serviceName, principal, tickets }: GssapiOptions,
  load: () => Promise<KerberosPackage> = loadKerberos,
): SaslMechanism {
  const turns = new Turns()
  return {
    name: 'GSSAPI',
    begin: async ({ host }: SaslBroker) => {
      const kerberos = await load()
      // As the package's platforms write it: a host-based name of GSS-API, or a service principal of SSPI.
      const service = `${serviceName}${process.platform === 'win32' ? '/' : '@'}${host}`
      const open = () =>
        turns.take(async () => {
          await tickets.ensure()
          const mechOID = kerberos.GSS_MECH_OID_KRB5
          const client = await kerberos.initializeClient(service, {
            mechOID,
            ...(principal === null ? {} : { principal }),
          })
          return { client, first: await client.step('') }
        })
      return new GssapiExchange(open)
    },
  }
}

/**
 * What may ask the KDC, one after the other: it holds a thread of the runtime's pool until the KDC has
 * answered, and a login replaces the cache that the others read.
 */
class Turns {
  private last: Promise<unknown> = Promise.resolve()

  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work)
    this.last = turn.catch(() => {})
    return turn
  }
}

class GssapiExchange implements SaslExchange {
  private readonly open: () => Promise<{ client: KerberosClient; first: string | null }>
  private client: KerberosClient | null = null
  private hasAgreed = false

  constructor(open: GssapiExchange['open']) {
    this.open = open
  }

  async start(): Promise<Uint8Array> {
    const { client, first } = await this.open()
    this.client = client
    return bytesOf(first)
  }

  async step(challenge: Uint8Array): Promise<Uint8Array | null> {
    const client = this.client as KerberosClient
    if (this.hasAgreed) {
      if (challenge.length > 0) refuse('the broker goes on after the exchange is complete')
      return null
    }
    if (challenge.length === 0) refuse('the broker sent an empty token')
    const token = Buffer.from(challenge).toString('base64')
    if (client.contextComplete) return this.agree(client, token)
    const answer = await client.step(token)
    if (answer === null && !client.contextComplete) refuse('the GSS library has no answer to the broker')
    return bytesOf(answer)
  }

  /** Answers the offer of security layers: Kafka's connections have none but TLS. */
  private async agree(client: KerberosClient, token: string): Promise<Uint8Array> {
    const offer = bytesOf(await client.unwrap(token))
    if (offer.length < OFFER_BYTES) refuse('the broker offers no security layers')
    if (((offer[0] as number) & NO_LAYER) === 0) {
      refuse('the broker insists on a security layer of Kerberos; use TLS for that (SASL_SSL)')
    }
    const user = client.username
    if (user === null || user === '') return refuse('the GSS library does not know its own principal')
    this.hasAgreed = true
    return bytesOf(await client.wrap(NO_MESSAGES, { user }))
  }
}

function bytesOf(token: string | null): Uint8Array {
  return Buffer.from(token ?? '', 'base64')
}

function refuse(reason: string): never {
  throw new AuthenticationError(reason)
}

/** An optional peer: it is native code of its own, and few need it. */
async function loadKerberos(): Promise<KerberosPackage> {
  try {
    return require('kerberos') as KerberosPackage
  } catch (cause) {
    throw new ConfigError(
      'sasl.mechanism = GSSAPI needs the package kerberos: npm install kerberos; on Linux the system needs ' +
        `libgssapi_krb5, too. It could not be loaded: ${reasonOf(cause)}`,
      'sasl.mechanism',
      { code: 'FEATURE_NOT_AVAILABLE', cause },
    )
  }
}
