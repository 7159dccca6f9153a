import { shownValue } from '../common/secret.js'
import { ConfigError } from '../errors/index.js'

/** Where a broker listens. `host` is a name or an address, without brackets. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

// [PROTOCOL://] host | [v6] : port. The characters of a host are those Java's client takes.
const ADDRESS =
  /^(?:[A-Za-z][A-Za-z0-9_+.-]*:\/\/)?(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([\w.%-]+)):(\d{1,5})$/

/** The address in one entry of `bootstrap.servers`. */
export function parseHostPort(entry: string): HostPort {
  const [, v6, name, portText] = ADDRESS.exec(entry) ?? []
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
