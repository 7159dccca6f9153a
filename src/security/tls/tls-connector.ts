import type { Buffer } from 'node:buffer'
import { isIP } from 'node:net'
import type {
  ConnectionOptions,
  DetailedPeerCertificate,
  SecureContext,
  SecureContextOptions,
  TLSSocket,
} from 'node:tls'
import { inspect } from 'node:util'
import { builtins } from '../../common/builtins.js'
import { reasonOf } from '../../common/foreign-text.js'
import type { Logger } from '../../common/logger.js'
import { isBun } from '../../common/runtime.js'
import { AuthenticationError, ConfigError } from '../../errors/index.js'
import { askForOptions, guardedOptions, identityFault } from './caller-functions.js'
import { ciphersOf } from './cipher-suites.js'
import { type Deriving, deriveBeside, deriveNow, TooLongError } from './derivation.js'
import { withPem } from './node-pem.js'
import type { TlsOptions } from './options.js'
import { type Files, StoreFiles, sameFiles } from './store-files.js'
import { identityOf, storeFiles, trustOf } from './stores.js'
import { sessionFault, type TlsPolicy } from './tls-session.js'
import { weaknessesOf } from './weaknesses.js'

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

/** What the stores hold, opened. */
interface Material {
  readonly ca: string[] | null
  readonly identity: SecureContextOptions
}

/** What connections are opened with. */
interface Setup {
  /** Of the preparation that made it: what an older one brings late counts no more. */
  readonly order: number
  readonly files: Files
  readonly context: SecureContext
  readonly given: ConnectionOptions
}

/**
 * Opens TLS connections. The certificate of a broker is checked against the trusted ones and the name the
 * broker is known by, before anything is sent. Store files are looked at again for each connection, so they
 * can be replaced while the producer runs; as long as a file cannot be used, its last good content is.
 *
 * What a store needs to be opened is derived at once where that takes no more than some milliseconds, and
 * else beside the event loop, so that a wrong password shows when the first connection is made.
 */
export class TlsConnector {
  private readonly options: TlsOptions
  private readonly logger: Logger
  /** OpenSSL's names of the suites allowed; empty: any. */
  private readonly suites: readonly string[]
  private readonly stores: StoreFiles
  private readonly warned = new Set<string>()
  private asked = 0
  // Keys are in these: out of reach of `util.inspect`.
  #opened: { readonly files: Files; readonly material: Promise<Material> }
  #setup: Setup | null = null

  /** @throws ConfigError for options and files that cannot be used */
  constructor(options: TlsOptions, logger: Logger) {
    this.options = options
    this.logger = logger
    this.suites = ciphersOf(options.cipherSuites)
    this.stores = new StoreFiles(storeFiles(options))
    const files = this.stores.readNow()
    const given = this.nodeOptions()
    const material = this.openNow(files)
    this.#opened = { files, material: Promise.resolve(material ?? this.openBeside(files)) }
    // Whoever connects is told.
    this.#opened.material.catch(() => {})
    if (material !== null) {
      this.#setup = { order: 0, files, given, context: this.createContext(material, given) }
    }
  }

  /** Reads anew what the next connection needs. */
  async prepare(): Promise<OpenSocket> {
    const setup = await this.prepared()
    return (address, port, host) => this.open(address, port, host, setup)
  }

  /** As {@link prepare}, for those who open sockets themselves: the options of `tls.connect` for a host. */
  async prepareOptions(): Promise<(host: string) => ConnectionOptions> {
    const { context, given } = await this.prepared()
    const own = given.checkServerIdentity
    return host => ({
      ...this.socketOptions(host, given),
      // Here it is asked by the runtime: whatever goes wrong in it has to be its answer.
      ...(own === undefined
        ? {}
        : {
            checkServerIdentity: (name, certificate) =>
              identityFault(own, name, {
                getPeerCertificate: () => certificate as DetailedPeerCertificate,
              }) ?? undefined,
          }),
      secureContext: context,
    })
  }

  private async prepared(): Promise<Setup> {
    const order = ++this.asked
    const given = this.nodeOptions()
    try {
      const files = await this.stores.read()
      if (!sameFiles(files, this.#opened.files)) {
        this.#opened = { files, material: this.openBeside(files) }
      }
      const opened = this.#opened
      this.take(order, opened.files, await opened.material, given)
    } catch (error) {
      const reason = reasonOf(error)
      if (this.#setup === null) {
        throw new AuthenticationError(`TLS cannot be set up: ${reason}`, { cause: error })
      }
      this.logger.warn(
        `TLS goes on with the certificates it has, because the new ones are of no use: ${reason}`,
      )
    }
    return this.#setup as Setup
  }

  /** Unless a preparation that began later was quicker. */
  private take(order: number, files: Files, material: Material, given: ConnectionOptions): void {
    const current = this.#setup
    if (current !== null && current.order > order) return
    const isFunction = typeof this.options.nodeOptions?.reveal() === 'function'
    const isSame = current !== null && !isFunction && sameFiles(files, current.files)
    const context = isSame ? current.context : this.createContext(material, given)
    this.#setup = { order, files, given, context }
  }

  /** Who the peer has to be. The application's own check is not among them, and takes the place of Node's. */
  private socketOptions(host: string, given: ConnectionOptions): ConnectionOptions {
    const isUnnamed = given.checkServerIdentity !== undefined || !this.options.verifiesName
    return {
      // Told outright, or an environment variable would decide.
      rejectUnauthorized: true,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...pick(given, false),
      ...(isUnnamed ? { checkServerIdentity: () => undefined } : {}),
    }
  }

  private nodeOptions(): ConnectionOptions {
    const given = guardedOptions(askForOptions(this.options.nodeOptions?.reveal() ?? {}))
    for (const weakness of weaknessesOf(this.options, given)) {
      if (this.warned.has(weakness)) continue
      this.warned.add(weakness)
      this.logger.warn(weakness)
    }
    return given
  }

  private *material(files: Files): Deriving<Material> {
    const read = (path: string) => files.get(path) as Buffer
    return { ca: yield* trustOf(this.options, read), identity: yield* identityOf(this.options, read) }
  }

  private openBeside(files: Files): Promise<Material> {
    return deriveBeside(this.material(files))
  }

  /** Null where it takes too long for the event loop. */
  private openNow(files: Files): Material | null {
    try {
      return deriveNow(this.material(files))
    } catch (error) {
      if (error instanceof TooLongError) return null
      throw error
    }
  }

  private createContext({ ca, identity }: Material, given: ConnectionOptions): SecureContext {
    const { options } = this
    if (given.secureContext !== undefined) return given.secureContext
    const all: SecureContextOptions = {
      ...versionsOf(options),
      ...(this.suites.length === 0 ? {} : { ciphers: this.suites.join(':') }),
      ...(ca === null ? {} : { ca }),
      ...identity,
      ...withPem(pick(given, true)),
      secureOptions: (given.secureOptions ?? 0) | builtins.crypto.constants.SSL_OP_NO_RENEGOTIATION,
    }
    try {
      return unprintable(builtins.tls.createSecureContext(all))
    } catch (cause) {
      throw new ConfigError(`TLS cannot be set up with these ssl.* and tls options: ${reasonOf(cause)}`)
    }
  }

  private open(address: string, port: number, host: string, { context, given }: Setup): TLSSocket {
    const own = given.checkServerIdentity
    const socket = builtins.tls.connect({
      // The application's own check is made below, where what it throws can be caught.
      ...this.socketOptions(host, given),
      host: address,
      port,
      secureContext: context,
    })
    socket.setNoDelay(true)
    socket.setKeepAlive(true)
    const policy = this.policyFor(host, given)
    socket.once('secureConnect', () => {
      // Where the context's option for it means nothing.
      if (isBun) socket.disableRenegotiation()
      const fault =
        sessionFault(socket, policy) ??
        (own === undefined ? null : identityFault(own, given.servername ?? host, socket))
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
