import type { ConnectionOptions } from 'node:tls'
import type { Secret } from '../../common/secret.js'

/** Node's own options of a TLS connection, or a function that gives them anew for each. */
export type NodeTlsOptions = ConnectionOptions | (() => ConnectionOptions)

/** A key or trust store as the options `ssl.keystore.*` and `ssl.truststore.*` describe it. */
export interface StoreOptions {
  readonly location: string | null
  /** `JKS`, which is also what stands where none was given, `PKCS12` or `PEM`. */
  readonly type: string
  readonly password: Secret | null
}

/** What TLS is to be like. */
export interface TlsOptions {
  /** TLS versions allowed: `TLSv1.2`, `TLSv1.3`. */
  readonly enabledProtocols: readonly string[]
  /** The highest version to offer. */
  readonly protocol: string
  /** Names of the standards or of OpenSSL; none: the runtime's choice. */
  readonly cipherSuites: readonly string[]
  /** False only where `ssl.endpoint.identification.algorithm` is empty: any trusted certificate will do. */
  readonly verifiesName: boolean
  readonly truststore: StoreOptions & { readonly certificates: Secret | null }
  readonly keystore: StoreOptions & { readonly key: Secret | null; readonly chain: Secret | null }
  readonly keyPassword: Secret | null
  /** Come last and win. */
  readonly nodeOptions: Secret<NodeTlsOptions> | null
}
