import { promises as dns } from 'node:dns'
import { isIP } from 'node:net'
import { type ForeignTexts, foreignTexts } from '../common/foreign-text.js'
import { isDenied, mayConnectAnywhere } from '../common/permissions.js'
import { NetworkError } from '../errors/index.js'
import { notPermitted } from './not-permitted.js'

/** All addresses of a host, in the order to try them. */
export type Lookup = (host: string) => Promise<readonly string[]>

/** The name of an address; rejects where it has none. */
type ReverseLookup = (address: string) => Promise<string>

/** Deno that permits some hosts only permits them by the names it was given: their addresses are others. */
const systemLookup: Lookup = async host =>
  mayConnectAnywhere() ? (await dns.lookup(host, { all: true })).map(entry => entry.address) : [host]

const systemReverseLookup: ReverseLookup = async address => (await dns.lookupService(address, 0)).hostname

/** How a client's names become addresses, and addresses names. */
export interface NameOptions {
  /** How names are resolved; default the system's. */
  readonly lookup?: Lookup
  /** How addresses are; default the system's. */
  readonly reverseLookup?: ReverseLookup
  /** Whether bootstrap servers are known by the canonical names of their addresses; default false. */
  readonly canonicalBootstrapNames?: boolean
}

/** Who resolves names, as the options say. `areForeign`: the application opens the sockets. */
export function nameResolution(options: NameOptions, areForeign: boolean): NameResolution {
  // Whoever opens the sockets may know names that this machine does not.
  const lookup = options.lookup ?? (areForeign ? async (host: string) => [host] : systemLookup)
  const reverse = options.reverseLookup ?? systemReverseLookup
  const isCanonical = options.canonicalBootstrapNames === true
  return { lookup, canonicalName: isCanonical ? address => canonicalName(address, lookup, reverse) : null }
}

interface NameResolution {
  readonly lookup: Lookup
  /** The name that a bootstrap server of that address is known by; null: that of the configuration. */
  readonly canonicalName: ((address: string) => Promise<string>) | null
}

/**
 * The name of an address, if the name has that address in turn, and else the address itself (Java:
 * `InetAddress.getCanonicalHostName`).
 */
async function canonicalName(address: string, lookup: Lookup, reverse: ReverseLookup): Promise<string> {
  if (isIP(address) === 0) return address
  try {
    const name = await reverse(address)
    return (await lookup(name)).includes(address) ? name : address
  } catch {
    return address
  }
}

/**
 * The addresses of one host, one per connection attempt; resolved anew when all were tried, or when an
 * established connection was lost (Java: `client.dns.lookup=use_all_dns_ips`).
 */
export class Addresses {
  private readonly host: string
  private readonly lookup: Lookup
  private readonly texts: ForeignTexts
  private addresses: readonly string[] = []
  private index = 0
  private lastUsed: string | undefined

  /** `texts`: the door that the name goes through where it is shown; a broker may have made it up. */
  constructor(host: string, lookup: Lookup, texts: ForeignTexts = foreignTexts) {
    this.host = host
    this.lookup = lookup
    this.texts = texts
  }

  /** The address for the next attempt; rejects with {@link NetworkError} where the name does not resolve. */
  async next(): Promise<string> {
    if (isIP(this.host) !== 0) return this.host
    if (this.index >= this.addresses.length) await this.resolve()
    this.lastUsed = this.addresses[this.index++] as string
    return this.lastUsed
  }

  private get shownHost(): string {
    return this.texts.shownName(this.host)
  }

  /** What was resolved may be out of date. */
  forget(): void {
    this.addresses = []
    this.index = 0
  }

  private async resolve(): Promise<void> {
    try {
      this.addresses = await this.lookup(this.host)
    } catch (thrown) {
      const cause = this.texts.error(thrown)
      if (isDenied(thrown)) throw notPermitted(this.shownHost, cause)
      throw new NetworkError(`The host name "${this.shownHost}" could not be resolved: ${cause.message}`, {
        cause,
      })
    }
    if (this.addresses.length === 0) {
      throw new NetworkError(`The host name "${this.shownHost}" has no address`)
    }
    // The one that just failed goes last.
    this.index = this.addresses.length > 1 && this.addresses[0] === this.lastUsed ? 1 : 0
  }
}
