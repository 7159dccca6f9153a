// Made from the option table by scripts/option-types.mjs. Change it there.
import type { NodeTlsOptions } from '../../security/index.js'

/** Options of the part `tls` of the table, under Java's keys. */
export interface TlsDottedOptions {
  /**
   * Whether connections use TLS, SASL authentication, both or neither. Default: PLAINTEXT. Takes one of
   * SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT (in any case). The same as `securityProtocol`.
   */
  readonly 'security.protocol'?:
    | 'SASL_SSL'
    | 'sasl_ssl'
    | 'PLAINTEXT'
    | 'plaintext'
    | 'SSL'
    | 'ssl'
    | 'SASL_PLAINTEXT'
    | 'sasl_plaintext'
    | null
    | undefined
  /**
   * Java security providers to register. Only its default is accepted: it selects a part of the JVM, which
   * is not there. Default: none. The same as `securityProviders`.
   */
  readonly 'security.providers'?: null | undefined
  /**
   * Cipher suites allowed; empty for the runtime's own choice. Default: none. Takes an array of strings, or
   * one string with commas. The same as `sslCipherSuites`.
   */
  readonly 'ssl.cipher.suites'?: readonly string[] | string | null | undefined
  /**
   * TLS versions allowed. Default: TLSv1.2,TLSv1.3. Takes an array of strings, or one string with commas.
   * The same as `sslEnabledProtocols`.
   */
  readonly 'ssl.enabled.protocols'?:
    | readonly ('TLSv1.2' | 'TLSv1.3')[]
    | 'TLSv1.2'
    | 'TLSv1.3'
    | 'TLSv1.2,TLSv1.3'
    | 'TLSv1.3,TLSv1.2'
    | null
    | undefined
  /**
   * https checks that a broker's certificate names its host; empty does not check. Default: https. Takes
   * one of https, an empty text (in any case). The same as `sslEndpointIdentificationAlgorithm`.
   */
  readonly 'ssl.endpoint.identification.algorithm'?: 'https' | 'HTTPS' | '' | null | undefined
  /**
   * Function that returns Node's options of tls.connect for each connection. Default: none. Takes a
   * function () => options of tls.connect. The same as `sslEngineFactoryClass`.
   */
  readonly 'ssl.engine.factory.class'?:
    | Extract<NodeTlsOptions, (...parameters: never[]) => unknown>
    | null
    | undefined
  /**
   * Passphrase of the client's private key. Default: none. Takes a string. The same as `sslKeyPassword`.
   */
  readonly 'ssl.key.password'?: string | null | undefined
  /**
   * Java algorithm for managing keys. Only its default is accepted: it selects a part of the JVM, which is
   * not there. Default: SunX509. The same as `sslKeymanagerAlgorithm`.
   */
  readonly 'ssl.keymanager.algorithm'?: 'SunX509' | null | undefined
  /**
   * The client's certificate chain, as PEM text. Default: none. Takes a string. The same as
   * `sslKeystoreCertificateChain`.
   */
  readonly 'ssl.keystore.certificate.chain'?: string | null | undefined
  /**
   * The client's private key, as PEM text. Default: none. Takes a string. The same as `sslKeystoreKey`.
   */
  readonly 'ssl.keystore.key'?: string | null | undefined
  /**
   * Key store: the file that holds the client's key and certificates, PEM or PKCS#12. Default: none. Takes
   * a string. The same as `sslKeystoreLocation`.
   */
  readonly 'ssl.keystore.location'?: string | null | undefined
  /**
   * Password of the key store. Default: none. Takes a string. The same as `sslKeystorePassword`.
   */
  readonly 'ssl.keystore.password'?: string | null | undefined
  /**
   * Format of the key store: PKCS12 or PEM. JKS, the default, accepts both. Default: JKS. Takes one of JKS,
   * PKCS12, PEM (in any case). The same as `sslKeystoreType`.
   */
  readonly 'ssl.keystore.type'?: 'JKS' | 'jks' | 'PKCS12' | 'pkcs12' | 'PEM' | 'pem' | null | undefined
  /**
   * Highest TLS version that is asked for. Default: TLSv1.3. Takes one of TLSv1.3, TLSv1.2, TLS (in any
   * case). The same as `sslProtocol`.
   */
  readonly 'ssl.protocol'?:
    | 'TLSv1.3'
    | 'tlsv1.3'
    | 'TLSV1.3'
    | 'TLSv1.2'
    | 'tlsv1.2'
    | 'TLSV1.2'
    | 'TLS'
    | 'tls'
    | null
    | undefined
  /**
   * Java security provider of TLS. Only its default is accepted: it selects a part of the JVM, which is not
   * there. Default: none. The same as `sslProvider`.
   */
  readonly 'ssl.provider'?: null | undefined
  /**
   * Java source of random numbers for TLS. Only its default is accepted: it selects a part of the JVM,
   * which is not there. Default: none. The same as `sslSecureRandomImplementation`.
   */
  readonly 'ssl.secure.random.implementation'?: null | undefined
  /**
   * Java algorithm for deciding on trust. Only its default is accepted: it selects a part of the JVM, which
   * is not there. Default: PKIX. The same as `sslTrustmanagerAlgorithm`.
   */
  readonly 'ssl.trustmanager.algorithm'?: 'PKIX' | null | undefined
  /**
   * Certificates of trusted authorities, as PEM text. Default: none. Takes a string. The same as
   * `sslTruststoreCertificates`.
   */
  readonly 'ssl.truststore.certificates'?: string | null | undefined
  /**
   * Trust store: the file that holds the certificates of trusted authorities. Default: none. Takes a
   * string. The same as `sslTruststoreLocation`.
   */
  readonly 'ssl.truststore.location'?: string | null | undefined
  /**
   * Password of the trust store. Default: none. Takes a string. The same as `sslTruststorePassword`.
   */
  readonly 'ssl.truststore.password'?: string | null | undefined
  /**
   * Format of the trust store: PKCS12 or PEM. JKS, the default, accepts both. Default: JKS. Takes one of
   * JKS, PKCS12, PEM (in any case). The same as `sslTruststoreType`.
   */
  readonly 'ssl.truststore.type'?: 'JKS' | 'jks' | 'PKCS12' | 'pkcs12' | 'PEM' | 'pem' | null | undefined
}
