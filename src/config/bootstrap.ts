import { shownValue } from '../common/secret.js'
import { ConfigError } from '../errors/index.js'

/** Where a broker listens. `host` is a name or an address, without brackets. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

// [PROTOCOL://] host | [v6] : port. The characters of a host are those Java's client takes.
const ADDRESS =
  /^(?:([A-Za-z][A-Za-z0-9_+.-]*):\/\/)?(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([\w.%-]+)):(\d{1,5})$/

/** Schemes that say how a listener is secured. */
const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

/**
 * The address in one entry of `bootstrap.servers`. A scheme that contradicts `security.protocol` is refused,
 * or records would go in plain text to where their sender wants them secured.
 */
export function parseHostPort(entry: string, securityProtocol: string): HostPort {
  const [, scheme, v6, name, portText] = ADDRESS.exec(entry) ?? []
  const protocol = scheme?.toUpperCase()
  if (protocol !== undefined && PROTOCOLS.includes(protocol) && protocol !== securityProtocol.toUpperCase())
    throw new ConfigError(
      `bootstrap.servers names a listener for ${protocol}, but security.protocol is ${securityProtocol}; ` +
        `set security.protocol to ${protocol}, or leave the scheme out`,
      'bootstrap.servers',
    )
  const host = v6 ?? name
  const port = Number(portText)
  if (host === undefined || !(port >= 1 && port <= 65535))
    throw new ConfigError(
      `bootstrap.servers: ${shownValue(entry)} is not valid; ` +
        'allowed: host:port with a port from 1 to 65535, and [address]:port for IPv6',
      'bootstrap.servers',
    )
  return Object.freeze({ host, port })
}
