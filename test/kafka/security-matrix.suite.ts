// Runs on every runtime, through test/runtimes/run.mjs, against the Kafka that security-matrix.test.ts has started.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Producer, type ProducerOptions } from '../../dist/index.js'
import type { SecuredRig } from './secured-kafka.js'

const { MILLRACE_SECURED_RIG, MILLRACE_RUNTIME = 'current' } = process.env
const rig = JSON.parse(MILLRACE_SECURED_RIG as string) as SecuredRig & { user: string; jaasPassword: string }

const RECORDS = 40
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const trust = { sslTruststoreLocation: rig.caFile, sslTruststoreType: 'PEM' } as const
const module = (path: string, options: string) =>
  `org.apache.kafka.common.security.${path} required ${options};`
const login = `username="${rig.user}" password="${rig.jaasPassword}"`

const mechanisms: Record<string, Partial<ProducerOptions>> = {
  PLAIN: { saslJaasConfig: module('plain.PlainLoginModule', login) },
  'SCRAM-SHA-256': { saslJaasConfig: module('scram.ScramLoginModule', login) },
  'SCRAM-SHA-512': { saslJaasConfig: module('scram.ScramLoginModule', login) },
  OAUTHBEARER: {
    saslJaasConfig: module(
      'oauthbearer.OAuthBearerLoginModule',
      `unsecuredLoginStringClaim_sub="${rig.user}"`,
    ),
  },
}

async function deliver(name: string, options: ProducerOptions): Promise<void> {
  const topic = `${MILLRACE_RUNTIME}-${name}`
  await using producer = new Producer({
    logger: quiet,
    deliveryTimeoutMs: 30_000,
    requestTimeoutMs: 20_000,
    ...options,
  })
  const sent = Array.from({ length: RECORDS }, (_, i) =>
    producer.send({ topic, key: `k${i}`, value: `${name} ${i}` }),
  )
  const offsets = (await Promise.all(sent)).map(({ partition, offset }) => `${partition}-${offset}`)
  assert.equal(new Set(offsets).size, RECORDS)
}

const { PLAINTEXT, SSL, MTLS, SASL_PLAINTEXT, SASL_SSL, SASL_MTLS } = rig.bootstrapServers
const pemKeystore = { sslKeystoreKey: rig.client.key, sslKeystoreCertificateChain: rig.client.cert }

test('PLAINTEXT', () => deliver('PLAINTEXT', { bootstrapServers: PLAINTEXT }))
test('SSL', () => deliver('SSL', { bootstrapServers: SSL, securityProtocol: 'SSL', ...trust }))
test('mTLS with PEM', () => {
  return deliver('mTLS-PEM', { bootstrapServers: MTLS, securityProtocol: 'SSL', ...trust, ...pemKeystore })
})
test('mTLS with PKCS#12, TLS 1.2 only', () => {
  const keystore = { sslKeystoreLocation: rig.clientPkcs12, sslKeystorePassword: 'pass/word' }
  // Deno passes over suites and takes what the broker likes, which is then refused: see tls-session.ts.
  const suites = MILLRACE_RUNTIME === 'deno' ? [] : ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256']
  const tls12 = { sslEnabledProtocols: 'TLSv1.2', sslCipherSuites: suites } as const
  return deliver('mTLS-PKCS12', {
    bootstrapServers: MTLS,
    securityProtocol: 'SSL',
    ...trust,
    ...keystore,
    ...tls12,
  })
})
test("mTLS with Node's own options", () => {
  const { cert, key } = rig.client
  const tls = { ca: readFileSync(rig.caFile), cert, key }
  return deliver('mTLS-tls', { bootstrapServers: MTLS, securityProtocol: 'SSL', tls })
})
for (const [mechanism, options] of Object.entries(mechanisms)) {
  const sasl = { saslMechanism: mechanism, ...options }
  test(`SASL_PLAINTEXT with ${mechanism}`, () => {
    const plaintext = { bootstrapServers: SASL_PLAINTEXT, securityProtocol: 'SASL_PLAINTEXT' as const }
    return deliver(`SASL_PLAINTEXT-${mechanism}`, { ...plaintext, ...sasl })
  })
  test(`SASL_SSL with ${mechanism}`, () => {
    const ssl = { bootstrapServers: SASL_SSL, securityProtocol: 'SASL_SSL' as const, ...trust }
    return deliver(`SASL_SSL-${mechanism}`, { ...ssl, ...sasl })
  })
  test(`SASL_SSL with mTLS and ${mechanism}`, () => {
    const ssl = { bootstrapServers: SASL_MTLS, securityProtocol: 'SASL_SSL' as const, ...trust }
    return deliver(`SASL_MTLS-${mechanism}`, { ...ssl, ...pemKeystore, ...sasl })
  })
}
