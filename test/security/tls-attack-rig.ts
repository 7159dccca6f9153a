import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { CapturingProxy } from '../helpers/capturing-proxy.js'
import { Authority, openssl } from '../helpers/certificates.js'
import { pemSecrets, secretForms } from '../helpers/secret-listener.js'

/** What a client would give away if it trusted one of these servers. */
export const CANARY = 'c4nary-0f-the-passw0rd'
/** Of the client's key, which no server gets to know. */
const KEY_CANARY = 'c4nary-0f-the-key/+ü'

/** One hostile server as the suite of clients is told of it. */
export interface TlsAttack {
  readonly title: string
  readonly port: number
  /** The code of the error that ends a send, or of its cause. */
  readonly code: 'AUTHENTICATION_FAILED' | 'NETWORK' | 'TIMED_OUT'
  /** What the message must have, by runtime if it differs. */
  readonly reason: string
  /** Options of the client besides those all have. */
  readonly options: object
}

interface Target {
  readonly attack: TlsAttack
  readonly proxy: CapturingProxy
  readonly broker: TestBroker | null
}

const AUTHENTICATION = 'AUTHENTICATION_FAILED'
const runner = fileURLToPath(new URL('../../test/runtimes/run.mjs', import.meta.url))
const suite = fileURLToPath(new URL('tls-attacks.suite.js', import.meta.url))

/** Lets clients of a runtime connect to every hostile server, and looks at what they have given away. */
export async function attackRuntime(runtime: string): Promise<void> {
  const authority = new Authority()
  const targets: Target[] = []
  try {
    targets.push(...(await tlsTargets(authority)), ...(await otherTargets()))
    assert.ok(targets.length >= 12)
    const attacks = targets.map(target => target.attack)
    const { cert, keyFile, key } = authority.issue({ commonName: 'client' })
    const encrypted = openssl(['pkcs8', '-topk8', '-in', keyFile, '-passout', `pass:${KEY_CANARY}`])
    const secrets = [CANARY, KEY_CANARY, ...[key, encrypted].flatMap(pemSecrets)]
    const store = { sslKeystoreCertificateChain: cert, sslKeystoreKey: encrypted, sslKeyPassword: KEY_CANARY }
    const rig = JSON.stringify({ attacks, caFile: authority.ca.certFile, canary: CANARY, secrets, store })
    const env = { ...process.env, MILLRACE_TLS_ATTACKS: rig }
    const child = spawn(process.execPath, [runner, '--suite', suite, runtime], { env })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
    const [status] = await once(child, 'close')
    assert.equal(status, 0, output)
    for (const target of targets) assertNothingLeaked(target)
  } finally {
    for (const { proxy, broker } of targets) {
      await proxy[Symbol.asyncDispose]()
      await broker?.close()
    }
    authority.remove()
  }
}

/** No record, no SASL, and the password in no byte: neither on the wire nor where the server could decrypt it. */
function assertNothingLeaked({ attack, proxy, broker }: Target): void {
  const { title } = attack
  assert.ok(proxy.connections > 0, `${title}: nobody connected`)
  const { captured } = proxy
  for (const form of secretForms(CANARY)) {
    assert.ok(!captured.includes(form), `${title}: the password was on the wire`)
  }
  if (broker === null) return
  const { requests, records } = broker.counters()
  assert.equal(records, 0, title)
  const { ApiVersions: _, ...afterwards } = requests
  assert.deepEqual(afterwards, {}, `${title}: requests were sent`)
}

async function tlsTargets(authority: Authority): Promise<Target[]> {
  const other = new Authority()
  const own = authority.issue()
  const stranger = other.issue({ commonName: 'stranger' })
  const target = async (
    title: string,
    reason: string,
    tls: TlsOptions,
    options: object = {},
    code: TlsAttack['code'] = AUTHENTICATION,
    serverBytesMax?: number,
  ): Promise<Target> => {
    const users = { alice: CANARY }
    const broker = await startBroker({ quiet: true, tls, sasl: { users } })
    const proxy = await CapturingProxy.start(broker.nodes[0]?.port ?? 0, serverBytesMax)
    return { attack: { title, code, reason, options, port: proxy.port }, proxy, broker }
  }
  const required = { requestCert: true, rejectUnauthorized: true, ca: authority.ca.cert }
  const expired = authority.issue({ days: -1 })
  const selfSigned = authority.selfSigned('127.0.0.1')
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  const none = { sslKeystoreCertificateChain: null, sslKeystoreKey: null, sslKeyPassword: null }
  const strangerStore = {
    sslKeyPassword: null,
    sslKeystoreKey: stranger.key,
    sslKeystoreCertificateChain: stranger.cert,
    sslKeystoreType: 'PEM',
  }
  const wrongName = authority.issue({ names: 'DNS:other.example' })
  const targets = [
    await target('a certificate of an authority that is not trusted', 'not trusted', stranger),
    await target('a certificate that has expired', 'expired', expired),
    await target('a certificate for another name', 'another name', wrongName),
    await target(
      'an IP address that the certificate does not name',
      'another name',
      authority.issue({ names: 'DNS:localhost' }),
    ),
    await target(
      'a certificate without any name but a common one that fits',
      'another name',
      authority.issue({ names: '', commonName: '127.0.0.1' }),
    ),
    await target('a self-signed certificate', 'not (among the )?trusted|self-signed', selfSigned),
    await target('nothing newer than TLS 1.1', 'TLS versions|TLS', { ...own, ...old }),
    await target(
      'TLS 1.2 where 1.3 is asked for',
      'TLS versions',
      { ...own, maxVersion: 'TLSv1.2' },
      { sslEnabledProtocols: 'TLSv1.3' },
    ),
    await target(
      'a client certificate is required and there is none',
      'client certificate',
      {
        ...own,
        ...required,
      },
      none,
    ),
    await target(
      'a client certificate is required and there is none, TLS 1.2',
      'client certificate',
      {
        ...own,
        ...required,
        maxVersion: 'TLSv1.2',
      },
      none,
    ),
    await target(
      'a client certificate of another authority',
      'closed by the broker right after',
      { ...own, ...required },
      strangerStore,
      'NETWORK',
    ),
    await target(
      'no cipher suite in common',
      'cipher',
      { ...own, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
      { sslCipherSuites: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', sslEnabledProtocols: 'TLSv1.2' },
    ),
    await target('a handshake that is cut short', 'closed|disconnected|ECONNRESET', own, {}, 'NETWORK', 300),
  ]
  other.remove()
  return targets
}

async function otherTargets(): Promise<Target[]> {
  const target = async (
    title: string,
    code: TlsAttack['code'],
    reason: string,
    port: number,
  ): Promise<Target> => {
    const proxy = await CapturingProxy.start(port)
    return { attack: { title, code, reason, port: proxy.port, options: {} }, proxy, broker: null }
  }
  const raw = async (answer: string | null) => {
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.on('data', () => answer !== null && socket.end(answer))
    }).unref()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as { port: number }).port
  }
  const plaintext = await startBroker({ quiet: true, unref: true })
  return [
    await target('a handshake that never goes on', 'TIMED_OUT', 'No TLS handshake', await raw(null)),
    await target('an HTTP server', AUTHENTICATION, 'not TLS', await raw('HTTP/1.1 400 Bad Request\r\n\r\n')),
    {
      ...(await target(
        'a Kafka without TLS',
        'NETWORK',
        'uses TLS|disconnected|ECONNRESET|closed',
        plaintext.nodes[0]?.port ?? 0,
      )),
      broker: plaintext,
    },
  ]
}
