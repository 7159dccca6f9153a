import type { Buffer } from 'node:buffer'
import { promises, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ConnectionOptions, SecureContext, SecureContextOptions, TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import { builtins } from '../../common/builtins.js'
import type { Logger } from '../../common/logger.js'
import { ConfigError } from '../../errors/index.js'
import { ciphersOf } from './cipher-suites.js'
import type { TlsOptions } from './options.js'
import { identityOf, storeFiles, trustOf } from './stores.js'
import { sessionFault, type TlsPolicy } from './tls-session.js'

/** Opens a socket to `address`, which `host` resolved to. */
type OpenSocket = (address: string, port: number, host: string) => TLSSocket

/**
 * Those of Node's options that make a context. They are kept from the socket, which holds on to its options
 * where `util.inspect` finds them, keys and passphrases included.
 */
const CONTEXT_OPTIONS = [
  ...[
    'ALPNCallback',
    'allowPartialTrustChain',
    'ca',
    'cert',
    'ciphers',
    'clientCertEngine',
    'crl',
    'dhparam',
  ],
  ...['ecdhCurve', 'honorCipherOrder', 'key', 'maxVersion', 'minVersion', 'passphrase', 'pfx'],
  ...['privateKeyEngine', 'privateKeyIdentifier', 'secureOptions', 'secureProtocol', 'sessionIdContext'],
  ...['sessionTimeout', 'sigalgs', 'ticketKeys'],
]

/** Where a connection goes, the producer decides. */
const IGNORED_OPTIONS = ['host', 'path', 'port', 'secureContext', 'socket']

type Files = ReadonlyMap<string, Buffer>

/**
 * Opens TLS connections. The certificate of a broker is checked against the trusted ones and the name the
 * broker is known by, before anything is sent. Store files are read again for each connection, so they can be
 * replaced while the producer runs; as long as a file cannot be used, its last good content is.
 */
export class TlsConnector {
  private readonly options: TlsOptions
  private readonly logger: Logger
  /** OpenSSL's names of the suites allowed; empty: any. */
  private readonly suites: readonly string[]
  private files: Files
  private context: SecureContext

  /** @throws ConfigError for options and files that cannot be used */
  constructor(options: TlsOptions, logger: Logger) {
    this.options = options
    this.logger = logger
    this.suites = ciphersOf(options.cipherSuites)
    this.files = new Map(storeFiles(options).map(path => [path, readNow(path)]))
    const given = this.nodeOptions()
    this.context = this.createContext(this.files, given)
    const isBlind = given.rejectUnauthorized === false
    if (isBlind) logger.warn('tls.rejectUnauthorized is false: certificates of brokers are not checked')
    else if (!options.verifiesName) {
      logger.warn('ssl.endpoint.identification.algorithm is empty: names in certificates are not checked')
    }
  }

  /** Reads anew what the next connection needs. */
  async prepare(): Promise<OpenSocket> {
    const given = await this.refresh()
    const secureContext = this.context
    return (address, port, host) => this.open(address, port, host, secureContext, given)
  }

  /** As {@link prepare}, for those who open sockets themselves: the options of `tls.connect` for a host. */
  async prepareOptions(): Promise<(host: string) => ConnectionOptions> {
    const given = await this.refresh()
    const secureContext = this.context
    return host => ({ ...this.socketOptions(host, given), secureContext })
  }

  private async refresh(): Promise<ConnectionOptions> {
    const given = this.nodeOptions()
    try {
      const entries = storeFiles(this.options).map(
        async path => [path, await promises.readFile(path)] as const,
      )
      const files: Files = new Map(await Promise.all(entries))
      const isFresh =
        typeof this.options.nodeOptions?.reveal() === 'function' || !sameFiles(files, this.files)
      if (isFresh) {
        this.context = this.createContext(files, given)
        this.files = files
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.logger.warn(
        `TLS goes on with the certificates it has, because the new ones are of no use: ${reason}`,
      )
    }
    return given
  }

  private socketOptions(host: string, given: ConnectionOptions): ConnectionOptions {
    return {
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(this.options.verifiesName ? {} : { checkServerIdentity: () => undefined }),
      ...pick(given, false),
    }
  }

  private nodeOptions(): ConnectionOptions {
    const given = this.options.nodeOptions?.reveal() ?? {}
    if (typeof given !== 'function') return given
    let options: unknown
    try {
      options = given()
    } catch (cause) {
      throw new ConfigError(`the function given as tls threw: ${reasonOf(cause)}`, 'tls', { cause })
    }
    if (typeof options === 'object' && options !== null) return options
    throw new ConfigError('the function given as tls did not return an object', 'tls')
  }

  private createContext(files: Files, given: ConnectionOptions): SecureContext {
    const { options } = this
    if (given.secureContext !== undefined) return given.secureContext
    const read = (path: string) => files.get(path) as Buffer
    const ca = trustOf(options, read)
    const all: SecureContextOptions = {
      ...versionsOf(options),
      ...(this.suites.length === 0 ? {} : { ciphers: this.suites.join(':') }),
      ...(ca === null ? {} : { ca }),
      ...identityOf(options, read),
      ...pick(given, true),
    }
    try {
      return unprintable(builtins.tls.createSecureContext(all))
    } catch (cause) {
      throw new ConfigError(`TLS cannot be set up with these ssl.* and tls options: ${reasonOf(cause)}`)
    }
  }

  private open(
    address: string,
    port: number,
    host: string,
    secureContext: SecureContext,
    given: ConnectionOptions,
  ): TLSSocket {
    const socket = builtins.tls.connect({
      ...this.socketOptions(host, given),
      host: address,
      port,
      secureContext,
    })
    socket.setNoDelay(true)
    socket.setKeepAlive(true)
    const policy = this.policyFor(host, given)
    socket.once('secureConnect', () => {
      const fault = sessionFault(socket, policy)
      if (fault !== null) socket.destroy(fault)
    })
    return socket
  }

  /** What the application says itself in `tls` is its own matter. */
  private policyFor(host: string, given: ConnectionOptions): TlsPolicy {
    const { options, suites } = this
    const { minVersion, maxVersion } = versionsOf(options)
    const verifies = given.rejectUnauthorized !== false
    const checksName = verifies && options.verifiesName && given.checkServerIdentity === undefined
    const hasOwn = (...names: string[]) => names.some(name => name in given)
    const hasOwnVersions = hasOwn('minVersion', 'maxVersion', 'secureContext', 'secureProtocol')
    return {
      host: checksName ? (given.servername ?? host) : null,
      verifies,
      versions: hasOwnVersions ? [] : [minVersion, maxVersion],
      suites: hasOwn('ciphers', 'secureContext') ? [] : suites,
    }
  }
}

/** Own options that belong to a context, or those that do not. */
function pick(given: ConnectionOptions, context: boolean): ConnectionOptions {
  const entries = Object.entries(given).filter(
    ([name]) => CONTEXT_OPTIONS.includes(name) === context && !IGNORED_OPTIONS.includes(name),
  )
  return Object.fromEntries(entries)
}

function versionsOf({ enabledProtocols, protocol }: TlsOptions) {
  const has = (version: string) =>
    enabledProtocols.length === 0 || enabledProtocols.some(each => each === version)
  const isCapped = protocol === 'TLSv1.2' || !has('TLSv1.3')
  return {
    minVersion: has('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3',
    maxVersion: isCapped ? 'TLSv1.2' : 'TLSv1.3',
  } as const
}

/** Some runtimes keep keys and passphrases in the context, where `util.inspect` would find them. */
function unprintable(context: SecureContext): SecureContext {
  return Object.defineProperty(context, inspect.custom, { value: () => '[hidden]' })
}

function sameFiles(left: Files, right: Files): boolean {
  return [...left].every(([path, bytes]) => right.get(path)?.equals(bytes))
}

function readNow(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new ConfigError(`the store file ${JSON.stringify(path)} cannot be read: ${reasonOf(cause)}`)
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
