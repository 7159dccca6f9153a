import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { AuthenticationError, ConfigError, Producer, type ProducerOptions } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { Authority, opensslSkip } from '../helpers/certificates.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { OauthServer, signedJwt } from '../helpers/oauth-server.js'

const JAAS = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required'
const RETRIEVER = 'org.apache.kafka.common.security.oauthbearer.JwtBearerJwtRetriever'
const FILE_RETRIEVER = 'org.apache.kafka.common.security.oauthbearer.FileJwtRetriever'
const PASSPHRASE = 'c4nary passphrase'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' })

describe('OAuth with assertions', { skip: opensslSkip() }, () => {
  let authority: Authority
  let oauth: OauthServer

  before(async () => {
    authority = new Authority()
    oauth = await OauthServer.start({
      certificate: authority.issue(),
      issuers: { 'rsa-app': rsa.publicKey, 'ec-app': ec.publicKey },
    })
  })
  after(async () => {
    await oauth?.[Symbol.asyncDispose]()
    authority?.remove()
  })

  const pem = (key: KeyObject) => authority.file(String(key.export({ type: 'pkcs8', format: 'pem' })))
  const base = (): Partial<ProducerOptions> => ({
    bootstrapServers: '127.0.0.1:1',
    securityProtocol: 'SASL_PLAINTEXT',
    saslMechanism: 'OAUTHBEARER',
    saslOauthbearerTokenEndpointUrl: oauth.tokenUrl,
    saslJaasConfig: `${JAAS} ssl.truststore.location="${authority.ca.certFile}";`,
    saslLoginRetryBackoffMaxMs: 200,
    maxBlockMs: 20_000,
    logger: new RecordingLogger(),
  })
  const bearer = (more: Partial<ProducerOptions> = {}): Partial<ProducerOptions> => ({
    ...base(),
    saslOauthbearerJwtRetrieverClass: RETRIEVER,
    saslOauthbearerAssertionPrivateKeyFile: pem(rsa.privateKey),
    saslOauthbearerAssertionClaimIss: 'rsa-app',
    saslOauthbearerAssertionClaimSub: 'me',
    saslOauthbearerAssertionClaimAud: oauth.tokenUrl,
    ...more,
  })

  /** Sends a record through a broker that lets those in who have a token of the server. */
  async function deliver(options: Partial<ProducerOptions>) {
    oauth.grants.length = 0
    oauth.refusals.length = 0
    const sasl = { acceptsToken: (token: string) => oauth.accepts(token) }
    await using broker = await startBroker({ quiet: true, sasl })
    await using producer = new Producer({ ...options, bootstrapServers: broker.bootstrapServers })
    const { offset } = await producer.send({ topic: 't', value: 'v' })
    assert.equal(offset, 0n)
    const [grant] = oauth.grants
    assert.ok(grant !== undefined && oauth.grants.length === 1, 'one token for all connections')
    return grant
  }

  function refused(options: Partial<ProducerOptions>, ...patterns: RegExp[]): void {
    assert.throws(
      () => new Producer(options as ProducerOptions),
      (error: Error) => {
        assert.ok(error instanceof ConfigError, inspect(error))
        for (const pattern of patterns) assert.match(error.message, pattern)
        assert.ok(!inspect(error).includes('c4nary'))
        return true
      },
    )
  }

  test('jwt-bearer: an assertion signed with RS256 is exchanged for a token', async () => {
    const grant = await deliver(bearer({ saslOauthbearerScope: 'write' }))
    const { header, claims } = grant.assertion as NonNullable<typeof grant.assertion>
    assert.equal(grant.grantType, 'urn:ietf:params:oauth:grant-type:jwt-bearer')
    assert.equal(grant.scope, 'write')
    assert.deepEqual(header, { alg: 'RS256', typ: 'JWT' })
    const { iat, exp, nbf, ...rest } = claims as Record<string, number>
    assert.deepEqual(rest, { iss: 'rsa-app', sub: 'me', aud: oauth.tokenUrl })
    assert.ok(Math.abs((iat as number) - Date.now() / 1000) < 60)
    assert.equal((exp as number) - (iat as number), 300)
    assert.equal((iat as number) - (nbf as number), 60)
  })

  test('jwt-bearer: ES256, lifetimes, ids and an encrypted key', async () => {
    const encrypted = ec.privateKey.export({
      ...({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc' } as const),
      passphrase: PASSPHRASE,
    })
    const options = bearer({
      saslOauthbearerAssertionAlgorithm: 'es256' as 'ES256',
      saslOauthbearerAssertionPrivateKeyFile: authority.file(String(encrypted)),
      saslOauthbearerAssertionPrivateKeyPassphrase: PASSPHRASE,
      saslOauthbearerAssertionClaimIss: 'ec-app',
      saslOauthbearerAssertionClaimExpSeconds: 30,
      saslOauthbearerAssertionClaimNbfSeconds: 0,
      saslOauthbearerAssertionClaimJtiInclude: true,
    })
    const ids = new Set<unknown>()
    for (let turn = 0; turn < 2; turn++) {
      const { header, claims } = (await deliver(options)).assertion as { header: object; claims: never }
      const { iat, exp, nbf, jti } = claims as Record<string, number>
      assert.deepEqual(header, { alg: 'ES256', typ: 'JWT' })
      assert.deepEqual([exp, nbf], [(iat as number) + 30, iat])
      ids.add(jti)
    }
    assert.equal(ids.size, 2)
    refused({ ...options, saslOauthbearerAssertionPrivateKeyPassphrase: 'c4nary' }, /passphrase is wrong/)
  })

  test('a template gives header and claims, which are not those that are made anew', async () => {
    const template = {
      header: { kid: 'key-1', alg: 'none' },
      payload: { sub: 'from-the-template', tenant: ['a'], exp: 1 },
    }
    const file = authority.file(JSON.stringify(template))
    const grant = await deliver(bearer({ saslOauthbearerAssertionTemplateFile: file }))
    const { header, claims } = grant.assertion as NonNullable<typeof grant.assertion>
    assert.deepEqual(header, { kid: 'key-1', alg: 'RS256', typ: 'JWT' })
    assert.equal(claims.sub, 'from-the-template')
    assert.deepEqual(claims.tenant, ['a'])
    assert.ok((claims.exp as number) > Date.now() / 1000)
    for (const text of ['', 'no JSON', '[]', '{"header":5}', '{"payload":[]}']) {
      const bad = authority.file(text)
      refused(bearer({ saslOauthbearerAssertionTemplateFile: bad }), /template\.file is of no use/)
    }
  })

  test('a ready-made assertion is read again for each token', async () => {
    const made = (subject: string) => {
      const claims = { iss: 'rsa-app', sub: subject, aud: oauth.tokenUrl, exp: Date.now() / 1000 + 60 }
      return signedJwt(rsa.privateKey, { alg: 'RS256' }, claims)
    }
    const file = authority.file(made('first'))
    const options = bearer({
      saslOauthbearerAssertionFile: file,
      saslOauthbearerAssertionPrivateKeyFile: null,
    })
    assert.equal((await deliver(options)).client, 'first')
    const sasl = { acceptsToken: (token: string) => oauth.accepts(token), sessionLifetimeMs: 1000 }
    await using broker = await startBroker({ quiet: true, sasl })
    // A refresh at once: the next authentication asks for another token.
    const eager = { saslLoginRefreshBufferSeconds: 3600, saslLoginRefreshMinPeriodSeconds: 0 }
    await using producer = new Producer({
      ...options,
      ...eager,
      bootstrapServers: broker.bootstrapServers,
    } as ProducerOptions)
    await producer.send({ topic: 't', value: 'v' })
    writeFileSync(file, made('the second'))
    const until = Date.now() + 20_000
    while (!oauth.grants.some(({ client }) => client === 'the second')) {
      assert.ok(Date.now() < until, 'the new assertion was not used')
      await producer.send({ topic: 't', value: 'v' })
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    refused({ ...options, saslOauthbearerAssertionFile: authority.file('c4nary') }, /holds no JWT/)
    refused({ ...options, saslOauthbearerAssertionFile: '/nowhere/at.all' }, /cannot be read: ENOENT/)
  })

  test('client credentials take an assertion in place of the secret', async () => {
    const { saslOauthbearerJwtRetrieverClass: _, ...options } = bearer()
    const grant = await deliver({ ...options, saslOauthbearerClientCredentialsClientId: 'me' })
    assert.equal(grant.grantType, 'client_credentials')
    assert.equal(grant.assertion?.claims.iss, 'rsa-app')
  })

  test('a token comes from a file by its URL, with the retriever of files or the default one', async () => {
    const before = await deliver(bearer())
    assert.equal(before.client, 'me')
    const claims = { iss: 'x', sub: 'me', exp: Date.now() / 1000 + 60 }
    const token = signedJwt(ec.privateKey, { alg: 'ES256' }, claims)
    const file = authority.file(`${token}\n`)
    for (const more of [{ saslOauthbearerJwtRetrieverClass: FILE_RETRIEVER }, {}]) {
      const sasl = { acceptsToken: (given: string) => given === token }
      await using broker = await startBroker({ quiet: true, sasl })
      await using producer = new Producer({
        ...base(),
        ...more,
        bootstrapServers: broker.bootstrapServers,
        saslOauthbearerTokenEndpointUrl: `file://${file}`,
      })
      assert.equal((await producer.send({ topic: 't', value: 'v' })).offset, 0n)
    }
    const bad = authority.file('c4nary')
    assert.throws(
      () => new Producer({ ...base(), saslOauthbearerTokenEndpointUrl: `file://${bad}` } as ProducerOptions),
      (error: Error) => /holds no JWT/.test(error.message) && !error.message.includes('c4nary'),
    )
    refused({ ...base(), saslOauthbearerJwtRetrieverClass: FILE_RETRIEVER }, /FileJwtRetriever/)
  })

  test('what the server refuses fails sends with its code and without the assertion', async () => {
    await using broker = await startBroker({ quiet: true, sasl: { acceptsToken: () => true } })
    for (const more of [
      { saslOauthbearerAssertionClaimIss: 'nobody' },
      { saslOauthbearerAssertionClaimAud: 'https://elsewhere' },
      {
        saslOauthbearerAssertionPrivateKeyFile: pem(
          generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
        ),
      },
    ]) {
      const options = { ...bearer(more), bootstrapServers: broker.bootstrapServers }
      await using producer = new Producer(options as ProducerOptions)
      await assert.rejects(producer.send({ topic: 't', value: 'v' }), (error: Error) => {
        assert.ok(error instanceof AuthenticationError, inspect(error))
        assert.match(error.message, /status 400, invalid_grant/)
        assert.ok(!inspect(error).includes('eyJ'))
        return true
      })
    }
    assert.deepEqual(oauth.refusals.slice(-3), [
      'an unknown issuer: nobody',
      'the audience https://elsewhere',
      'a wrong signature',
    ])
  })

  test('keys of the wrong kind and missing options are refused by the constructor', () => {
    const key = (option: KeyObject) => bearer({ saslOauthbearerAssertionPrivateKeyFile: pem(option) })
    refused(key(ec.privateKey), /RS256 needs an RSA key, and it is ec prime256v1/)
    refused(
      { ...key(rsa.privateKey), saslOauthbearerAssertionAlgorithm: 'ES256' },
      /needs a key of the curve/,
    )
    refused({ ...key(otherCurve.privateKey), saslOauthbearerAssertionAlgorithm: 'ES256' }, /secp384r1/)
    const notKey = authority.file('c4nary')
    refused(bearer({ saslOauthbearerAssertionPrivateKeyFile: notKey }), /no private key in PEM/)
    refused(bearer({ saslOauthbearerAssertionPrivateKeyFile: null }), /private\.key\.file is required/)
    refused(bearer({ saslOauthbearerTokenEndpointUrl: null }), /token\.endpoint\.url is required/)
    refused(bearer({ saslOauthbearerTokenEndpointUrl: 'http://127.0.0.1/' }), /https/)
    refused(bearer({ saslOauthbearerJwtRetrieverClass: 'com.example.Own' }), /names a Java class/)
  })
})

describe('functions in place of Java classes', () => {
  const options = (more: Partial<ProducerOptions>): ProducerOptions => ({
    bootstrapServers: '127.0.0.1:1',
    securityProtocol: 'SASL_PLAINTEXT',
    saslMechanism: 'OAUTHBEARER',
    logger: new RecordingLogger(),
    ...more,
  })
  const token = signedJwt(ec.privateKey, { alg: 'ES256' }, { sub: 'me', exp: Date.now() / 1000 + 60 })

  async function deliver(more: Partial<ProducerOptions>): Promise<void> {
    const sasl = { acceptsToken: (given: string) => given === token, users: { me: 'pw' } }
    await using broker = await startBroker({ quiet: true, sasl })
    const { bootstrapServers } = broker
    await using producer = new Producer({ ...options(more), bootstrapServers })
    await producer.send({ topic: 't', value: 'v' })
  }

  test('give tokens and passwords: retriever, login and client callback handlers', async () => {
    const own = async () => token
    await deliver({ saslOauthbearerJwtRetrieverClass: own })
    await deliver({ saslLoginCallbackHandlerClass: own })
    await deliver({ saslClientCallbackHandlerClass: own })
    const credentials = () => ({ username: 'me', password: 'pw' })
    for (const saslMechanism of ['PLAIN', 'SCRAM-SHA-256']) {
      await deliver({ saslMechanism, saslClientCallbackHandlerClass: credentials })
      await deliver({ saslMechanism, saslLoginCallbackHandlerClass: credentials })
    }
    const both = options({ saslClientCallbackHandlerClass: own, saslOauthTokenProvider: own })
    assert.throws(() => new Producer(both), /both given/)
    const gssapi = options({ saslMechanism: 'OTHER', saslClientCallbackHandlerClass: own })
    assert.throws(() => new Producer(gssapi), /has no meaning with sasl\.mechanism = OTHER/)
  })

  test('check tokens: a validator refuses them before they are sent', async () => {
    const seen: string[] = []
    await deliver({
      saslOauthTokenProvider: () => token,
      saslOauthbearerJwtValidatorClass: async given => void seen.push(given),
    })
    assert.deepEqual(seen, [token])
    const refusing = {
      saslOauthTokenProvider: () => token,
      saslOauthbearerJwtValidatorClass: () => {
        throw new Error('not of us')
      },
    }
    await assert.rejects(deliver(refusing), (error: Error) => {
      assert.ok(error instanceof AuthenticationError)
      return /validator\.class refuses the token: not of us/.test(error.message)
    })
  })

  test("check tokens as Java's client does where an option asks for it", async () => {
    const java = { saslOauthbearerSubClaimName: 'user' }
    const jwt = (claims: object) => signedJwt(ec.privateKey, { alg: 'ES256' }, { ...claims })
    const rows: [string, RegExp][] = [
      ['opaque', /it is no JWT/],
      [jwt({ user: 'me' }), /exp is not a time/],
      [jwt({ exp: 2e9 }), /claim user, the subject/],
      [jwt({ exp: 2e9, user: ' ' }), /claim user, the subject/],
      [jwt({ exp: 2e9, user: 'me', iat: 'x' }), /iat is not a time/],
      [jwt({ exp: 2e9, user: 'me', scope: ['a', 'a'] }), /a scope twice/],
      [jwt({ exp: 2e9, user: 'me', scope: [5] }), /not a text/],
    ]
    for (const [given, reason] of rows) {
      await assert.rejects(deliver({ ...java, saslOauthTokenProvider: () => given }), reason)
    }
    // Without such an option tokens are taken as they come, and the broker decides.
    await assert.rejects(deliver({ saslOauthTokenProvider: () => 'opaque' }), /invalid_token|FAILED/)
  })

  test('log in first, once, and again after a failure', async () => {
    let logins = 0
    const counted = { saslOauthTokenProvider: () => token }
    await deliver({ ...counted, saslLoginClass: async () => void logins++ })
    assert.equal(logins, 1)
    const failing = async () => {
      throw new Error('no way in')
    }
    await assert.rejects(
      deliver({ ...counted, saslLoginClass: failing }),
      (error: Error) =>
        error instanceof AuthenticationError && /sasl\.login\.class failed: no way in/.test(error.message),
    )
  })

  test('options that only brokers act on are said once', () => {
    const logger = new RecordingLogger()
    const producer = new Producer({
      ...options({ saslOauthTokenProvider: () => token }),
      logger,
      saslOauthbearerExpectedAudience: 'x',
      saslOauthbearerJwksEndpointUrl: 'https://x/',
    })
    void producer.close({ timeoutMs: 0 })
    const said = logger.lines.filter(({ message }) => /brokers check OAuth tokens/.test(message))
    assert.equal(said.length, 1)
    assert.match(said[0]?.message ?? '', /expected\.audience.*jwks\.endpoint\.url/)
  })
})
