import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createSecureContext, type DetailedPeerCertificate, getCiphers } from 'node:tls'
import { AuthenticationError, ConfigError, Producer, type ProducerOptions } from '../../dist/index.js'
import { ciphersOf } from '../../dist/security/tls/cipher-suites.js'
import { deriveNow } from '../../dist/security/tls/derivation.js'
import { readPkcs12 } from '../../dist/security/tls/pkcs12.js'
import { sessionFault, TlsPolicyError } from '../../dist/security/tls/tls-session.js'
import { startBroker } from '../../dist/testing/index.js'
import { Authority, type Certificate, openssl, opensslSkip } from '../helpers/certificates.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'

const hasKeytool = spawnSync('keytool', ['-help']).error === undefined
const skip = opensslSkip()

function producerOf(bootstrapServers: string, options: Partial<ProducerOptions>): Producer {
  const logger = new RecordingLogger()
  return new Producer({ bootstrapServers, securityProtocol: 'SSL', logger, maxBlockMs: 30_000, ...options })
}

/** That the constructor refuses the options with a message that matches and shows no secret. */
function refuses(options: Partial<ProducerOptions>, ...patterns: RegExp[]): void {
  assert.throws(
    () => producerOf('127.0.0.1:1', options),
    (error: Error) => {
      assert.ok(error instanceof ConfigError, String(error))
      for (const pattern of [...patterns, /^(?!.*hunter2)/s]) assert.match(error.message, pattern)
      return true
    },
  )
}

/** That sends fail at once, with a message that matches and shows no secret. */
async function isRefusedWhenConnecting(options: Partial<ProducerOptions>, pattern: RegExp): Promise<void> {
  await using producer = producerOf('127.0.0.1:1', options)
  await assert.rejects(producer.send({ topic: 't', value: 'v' }), (error: Error) => {
    assert.ok(error instanceof AuthenticationError, String(error))
    for (const each of [pattern, /^(?!.*hunter2)/s]) assert.match(error.message, each)
    return true
  })
}

describe('stores', { skip }, () => {
  let authority: Authority
  let client: Certificate
  const file = (name: string) => join(authority.folder, name)
  before(() => {
    authority = new Authority()
    client = authority.issue({ commonName: 'client' })
  })
  after(() => authority.remove())

  /** Delivers a record to a broker that wants a client certificate. */
  async function deliver(options: Partial<ProducerOptions>): Promise<void> {
    const { cert, key } = authority.issue()
    const tls = { cert, key, ca: authority.ca.cert, requestCert: true, rejectUnauthorized: true }
    await using broker = await startBroker({ quiet: true, tls })
    await using producer = producerOf(broker.bootstrapServers, {
      sslTruststoreLocation: authority.ca.certFile,
      ...options,
    })
    await producer.send({ topic: 't', value: 'v' })
    assert.equal([...broker.records('t')].length, 1)
  }

  test('may be PEM, in files and as text, with and without their line ends', async () => {
    const oneLine = (pem: string) => pem.trim().replaceAll('\n', ' ')
    await deliver({ sslKeystoreLocation: authority.file(client.cert + client.key), sslKeystoreType: 'pem' })
    await deliver({
      sslKeystoreKey: client.key,
      sslKeystoreCertificateChain: client.cert + authority.ca.cert,
    })
    await deliver({
      sslTruststoreLocation: null,
      sslTruststoreCertificates: oneLine(authority.ca.cert),
      sslKeystoreKey: oneLine(client.key),
      sslKeystoreCertificateChain: oneLine(client.cert),
    })
  })

  test('may be PEM with an encrypted key', async () => {
    const encrypted = openssl(['pkcs8', '-topk8', '-in', client.keyFile, '-passout', 'pass:hunter2'])
    const keystore = { sslKeystoreKey: encrypted, sslKeystoreCertificateChain: client.cert }
    await deliver({ ...keystore, sslKeyPassword: 'hunter2' })
    refuses(keystore, /is ssl\.key\.password right/)
    refuses({ ...keystore, sslKeyPassword: 'wrong' }, /is ssl\.key\.password right/)
  })

  for (const [title, args] of Object.entries({
    'of OpenSSL': [],
    'with triple DES': ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'],
    'without encryption': ['-keypbe', 'NONE', '-certpbe', 'NONE'],
    'with SHA-512': ['-macalg', 'sha512'],
  })) {
    test(`may be PKCS#12 ${title}`, async () => {
      const path = authority.pkcs12(client, 'hunter2', ...args)
      await deliver({ sslKeystoreLocation: path, sslKeystorePassword: 'hunter2', sslKeystoreType: 'PKCS12' })
    })
  }

  test('of PKCS#12 have a checksum where they have a password', async () => {
    const path = authority.pkcs12(client, 'hunter2', '-nomac')
    refuses({ sslKeystoreLocation: path, sslKeystorePassword: 'hunter2' }, /has no checksum \(MAC\)/)
    await deliver({ sslKeystoreLocation: path, sslKeyPassword: 'hunter2' })
    const open = authority.pkcs12(client, 'hunter2', '-nomac', '-keypbe', 'NONE', '-certpbe', 'NONE')
    refuses({ sslKeystoreLocation: open, sslKeystorePassword: 'any other' }, /has no checksum \(MAC\)/)
    await deliver({ sslKeystoreLocation: open })
  })

  test('may be PKCS#12 of keytool, also where only certificates are in them', {
    skip: !hasKeytool,
  }, async () => {
    const keytool = (...args: string[]) => {
      const { status, stdout } = spawnSync('keytool', [...args, '-noprompt'], { encoding: 'utf8' })
      assert.equal(status, 0, stdout)
    }
    const [trust, keys, jks] = [file('trust.p12'), file('keys.p12'), file('trust.jks')]
    const certificate = [
      '-importcert',
      '-alias',
      'ca',
      '-file',
      authority.ca.certFile,
      '-storepass',
      'hunter2',
    ]
    keytool(...certificate, '-keystore', trust, '-storetype', 'PKCS12')
    keytool(...certificate, '-keystore', jks, '-storetype', 'JKS')
    const from = ['-srckeystore', authority.pkcs12(client, 'hunter2'), '-srcstorepass', 'hunter2']
    keytool(
      '-importkeystore',
      ...from,
      '-destkeystore',
      keys,
      '-deststoretype',
      'PKCS12',
      '-deststorepass',
      'hunter2',
    )
    await deliver({
      sslTruststoreLocation: trust,
      sslTruststorePassword: 'hunter2',
      sslKeystoreLocation: keys,
      sslKeystorePassword: 'hunter2',
    })
    const conversion = /JKS.*keytool -importkeystore -srckeystore .* -deststoretype PKCS12$/s
    refuses({ sslTruststoreLocation: jks, sslTruststorePassword: 'hunter2' }, conversion)
    // Ten thousand iterations are too many for the constructor.
    await isRefusedWhenConnecting({ sslTruststoreLocation: trust }, /password is wrong/)
    const keyless = { sslKeystoreLocation: trust, sslKeystorePassword: 'hunter2' }
    await isRefusedWhenConnecting(keyless, /has no private key/)
  })

  test('that cannot be used are refused by the constructor, with the reason', () => {
    const p12 = authority.pkcs12(client, 'hunter2')
    refuses({ sslKeystoreLocation: p12, sslKeystorePassword: 'hunter22' }, /password is wrong/)
    refuses({ sslKeystoreLocation: p12, sslKeystoreType: 'PEM' }, /is PKCS12, but ssl.keystore.type is PEM/)
    refuses({ sslTruststoreLocation: client.certFile, sslTruststoreType: 'PKCS12' }, /is PEM, but/)
    refuses({ sslTruststoreLocation: client.certFile, sslTruststorePassword: 'hunter2' }, /PEM, which has no/)
    refuses({ sslTruststoreLocation: file('none') }, /cannot be read: ENOENT/)
    refuses({ sslTruststoreLocation: authority.file('hunter2') }, /neither PEM nor PKCS#12/)
    refuses({ sslTruststoreCertificates: 'hunter2' }, /no PEM block "CERTIFICATE"/)
    refuses({ sslKeystoreKey: client.key }, /certificate\.chain/)
    refuses({ sslKeystoreCertificateChain: client.cert }, /ssl\.keystore\.key/)
    refuses({ sslKeystoreKey: 'hunter2', sslKeystoreCertificateChain: client.cert }, /PRIVATE KEY/)
    const both = { sslTruststoreLocation: client.certFile, sslTruststoreCertificates: client.cert }
    refuses(both, /both given/)
    const other = authority.issue()
    refuses({ sslKeystoreKey: other.key, sslKeystoreCertificateChain: client.cert }, /does not belong/)
  })

  test('of PKCS#12 that are damaged anywhere are refused, or read where it does not matter', () => {
    const whole = Buffer.from(openssl(['base64', '-in', authority.pkcs12(client, 'x')]), 'base64')
    const open = (file: Buffer) => deriveNow(readPkcs12(file, { password: 'x' }))
    const { key, certificates } = open(whole)
    assert.equal(certificates.length, 2)
    createSecureContext({ key: key as string, cert: certificates.join('\n') })
    let refused = 0
    for (let at = 0; at < Math.min(whole.length, 400); at++) {
      const damaged = Buffer.from(whole)
      damaged[at] = (damaged[at] as number) ^ 0xff
      try {
        // What is not looked at, such as the version, may be anything.
        assert.deepEqual(open(damaged), { key, certificates }, `byte ${at}`)
      } catch (error) {
        assert.ok(error instanceof Error && !(error instanceof assert.AssertionError), String(error))
        refused++
      }
      assert.throws(() => open(whole.subarray(0, at)), Error, `cut at ${at}`)
    }
    assert.ok(refused > 390, `${refused} of 400`)
  })

  test('are read again for each connection: a new authority takes effect without a restart', async () => {
    const other = new Authority()
    const trust = authority.file(authority.ca.cert)
    const first = authority.issue()
    const second = other.issue()
    const broker = await startBroker({ quiet: true, tls: first })
    const port = broker.nodes[0]?.port ?? 0
    const logger = new RecordingLogger()
    await using producer = producerOf(broker.bootstrapServers, { sslTruststoreLocation: trust, logger })
    await producer.send({ topic: 't', value: '1' })
    writeFileSync(trust, 'half written')
    broker.disconnect()
    await producer.send({ topic: 't', value: '2' })
    await eventually('a warning', () =>
      logger.lines.some(({ message }) => /certificates it has/.test(message)),
    )
    await broker.close()
    await using renewed = await startBroker({ quiet: true, port, tls: second })
    await assert.rejects(async () => {
      for (;;) await producer.partitionsFor(`unknown-${Math.random()}`)
    }, AuthenticationError)
    copyFileSync(other.ca.certFile, trust)
    await producer.send({ topic: 't', value: '3' })
    assert.equal([...renewed.records('t')].length, 1)
    other.remove()
  })

  test("are read again for each connection: a client's new key and certificate take effect, too", async () => {
    const other = new Authority()
    const { cert, key } = authority.issue()
    const required = { cert, key, ca: authority.ca.cert, requestCert: true, rejectUnauthorized: true }
    await using broker = await startBroker({ quiet: true, tls: required })
    const stranger = other.issue({ commonName: 'client' })
    const client = authority.issue({ commonName: 'client' })
    const pem = authority.file(`${stranger.key}${stranger.cert}`)
    const p12 = authority.pkcs12(stranger, 'pass/word')
    const stores: ['PEM' | 'PKCS12', Partial<ProducerOptions>, replace: () => void][] = [
      ['PEM', {}, () => writeFileSync(pem, `${client.key}${client.cert}`)],
      [
        'PKCS12',
        { sslKeystorePassword: 'pass/word' },
        () => copyFileSync(authority.pkcs12(client, 'pass/word'), p12),
      ],
    ]
    for (const [type, options, replace] of stores) {
      await using producer = producerOf(broker.bootstrapServers, {
        sslTruststoreLocation: authority.ca.certFile,
        sslKeystoreLocation: type === 'PEM' ? pem : p12,
        sslKeystoreType: type,
        maxBlockMs: 700,
        ...options,
      })
      await assert.rejects(producer.send({ topic: 't', value: 'refused' }), type)
      replace()
      // The first attempts may still be of a connection that has read the old files.
      let isStored = false
      for (let attempt = 0; !isStored && attempt < 20; attempt++) {
        isStored = await producer.send({ topic: 't', value: type }).then(
          () => true,
          () => false,
        )
      }
      assert.ok(isStored, type)
    }
    assert.equal([...broker.records('t')].length, 2)
    other.remove()
  })

  test("Node's own options come last, and a function is asked for each connection", async () => {
    const { cert, key } = authority.issue({ names: 'DNS:other.example' })
    await using broker = await startBroker({ quiet: true, tls: { cert, key } })
    let asked = 0
    const tls = () => {
      asked++
      return { ca: authority.ca.cert, servername: 'other.example', host: '192.0.2.1', port: 1 }
    }
    await using producer = producerOf(broker.bootstrapServers, { tls })
    await producer.send({ topic: 't', value: 'v' })
    assert.ok(asked >= 3, 'once by the constructor, then for the bootstrap and the node')
  })

  test('an empty identification algorithm lets any name pass, with a warning, but not any authority', async () => {
    const { cert, key } = authority.issue({ names: 'DNS:other.example' })
    await using broker = await startBroker({ quiet: true, tls: { cert, key } })
    const logger = new RecordingLogger()
    const blind = { sslEndpointIdentificationAlgorithm: '', logger } as const
    await using producer = producerOf(broker.bootstrapServers, {
      sslTruststoreLocation: authority.ca.certFile,
      ...blind,
    })
    await producer.send({ topic: 't', value: 'v' })
    assert.match(String(logger.lines[0]?.message), /names in certificates are not checked/)
    await using stranger = producerOf(broker.bootstrapServers, blind)
    await assert.rejects(stranger.send({ topic: 't', value: 'v' }), AuthenticationError)
  })
})

test('cipher suites are named as in the standards or as in OpenSSL', () => {
  const suites = {
    TLS_AES_256_GCM_SHA384: 'TLS_AES_256_GCM_SHA384',
    TLS_CHACHA20_POLY1305_SHA256: 'TLS_CHACHA20_POLY1305_SHA256',
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
    TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
    TLS_DHE_RSA_WITH_AES_256_CBC_SHA: 'DHE-RSA-AES256-SHA',
    TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
    TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
    'ECDHE-RSA-AES128-GCM-SHA256': 'ECDHE-RSA-AES128-GCM-SHA256',
  }
  // Not every runtime has all of them.
  const known = Object.entries(suites).filter(([, name]) => getCiphers().includes(name.toLowerCase()))
  assert.ok(known.length >= 6)
  assert.deepEqual(
    ciphersOf(known.map(([name]) => name)),
    known.map(([, name]) => name),
  )
  assert.deepEqual(ciphersOf([]), [])
  assert.throws(() => ciphersOf(['TLS_RSA_WITH_RC4_128_MD5']), ConfigError)
  assert.throws(() => ciphersOf(['AES128-SHA:ALL']), ConfigError)
})

test('a session is checked once more, whatever the runtime was content with', () => {
  const session = {
    authorized: true,
    getCipher: () => ({ name: 'A-B', standardName: 'TLS_A_B', version: 'TLSv1.3' }),
    getProtocol: () => 'TLSv1.3',
    getPeerCertificate: () =>
      ({ subject: { CN: 'x' }, subjectaltname: 'DNS:good' }) as unknown as DetailedPeerCertificate,
  }
  const policy = { host: 'good', verifies: true, versions: ['TLSv1.3'], suites: ['TLS_A_B'] }
  assert.equal(sessionFault(session, policy), null)
  assert.equal(sessionFault(session, { ...policy, suites: ['A-B'] }), null)
  assert.equal(sessionFault({ ...session, authorized: false }, { ...policy, verifies: false }), null)
  assert.equal(sessionFault(session, { host: null, verifies: true, versions: [], suites: [] }), null)
  const faults: [object, object, RegExp][] = [
    [{ authorized: false }, {}, /not verified/],
    [{}, { host: 'bad' }, /another name/],
    [{}, { versions: ['TLSv1.2'] }, /TLSv1.3 was agreed on/],
    [{ getProtocol: () => null }, {}, /none was agreed on/],
    [{}, { suites: ['A-C'] }, /TLS_A_B, is not among/],
  ]
  for (const [made, asked, reason] of faults) {
    const fault = sessionFault({ ...session, ...made }, { ...policy, ...asked })
    assert.ok(fault instanceof TlsPolicyError)
    assert.match(fault.message, reason)
  }
})
