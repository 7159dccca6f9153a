import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuthenticationError } from '../../dist/errors/index.js'
import { checkedProvider } from '../../dist/security/sasl/credentials.js'
import { TokenCache } from '../../dist/security/sasl/oauth-token.js'
import { oauthbearer } from '../../dist/security/sasl/oauthbearer.js'
import { plain } from '../../dist/security/sasl/plain.js'
import { unsecuredTokenProvider } from '../../dist/security/sasl/unsecured-token.js'

const BROKER = { host: 'localhost', port: 9092 }
const RULE = { windowFactor: 0.8, windowJitter: 0, minPeriodSeconds: 60, bufferSeconds: 300 }
const EMPTY = new Uint8Array()

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())
const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`

describe('PLAIN', () => {
  test('sends user name and password and expects no challenge', async () => {
    const exchange = await plain(() => ({ username: 'ü', password: 'p w' })).begin(BROKER)
    assert.equal(text(await exchange.start()), '\0ü\0p w')
    assert.equal(await exchange.step(EMPTY), null)
    await assert.rejects(async () => exchange.step(Buffer.from('more')), AuthenticationError)
  })

  test('refuses what would end a field of its message', async () => {
    const mechanism = plain(() => ({ username: 'u', password: 'p\0x' }))
    await assert.rejects(async () => mechanism.begin(BROKER), /NUL in the password/)
  })

  test('asks for credentials at every exchange', async () => {
    let turn = 0
    const mechanism = plain(checkedProvider(async () => ({ username: 'u', password: `p${++turn}` })))
    for (const expected of ['\0u\0p1', '\0u\0p2']) {
      assert.equal(text(await (await mechanism.begin(BROKER)).start()), expected)
    }
  })

  test('refuses credentials that are none', async () => {
    for (const answer of [undefined, null, 'u:p', {}, { username: 'u' }, { username: '', password: 'p' }]) {
      const source = checkedProvider(async () => answer as never)
      await assert.rejects(async () => source(), /answered without a (username|password)/)
    }
  })
})

describe('OAUTHBEARER', () => {
  const begin = async (answer: unknown) =>
    oauthbearer(new TokenCache(() => answer as never, RULE)).begin(BROKER)

  test('sends the token and its extensions', async () => {
    const exchange = await begin({ value: 'a.b.c', extensions: { logicalCluster: 'lkc-1', Pool: 'x y' } })
    const parts = ['n,,', 'auth=Bearer a.b.c', 'logicalCluster=lkc-1', 'Pool=x y', '', '']
    assert.equal(text(await exchange.start()), parts.join('\x01'))
    assert.equal(await exchange.step(EMPTY), null)
    assert.equal(text(await (await begin('t0ken')).start()), 'n,,\x01auth=Bearer t0ken\x01\x01')
  })

  test('acknowledges a refusal, tells its status and never takes it for a success', async () => {
    const exchange = await begin('t0ken')
    await exchange.start()
    const refusal = Buffer.from('{"status":"invalid_token","openid-configuration":"https://x"}')
    assert.equal(text(await exchange.step(refusal)), '\x01')
    await assert.rejects(async () => exchange.step(EMPTY), /refused the token: invalid_token/)
  })

  test('shows nothing of a refusal but a plain status', async () => {
    for (const refusal of ['{"status":"the t0ken"}', 't0ken', 'null', '{"status":5}']) {
      const exchange = await begin('t0ken')
      await exchange.start()
      await exchange.step(Buffer.from(refusal))
      await assert.rejects(
        async () => exchange.step(EMPTY),
        (error: Error) => error instanceof AuthenticationError && !error.message.includes('t0ken'),
      )
    }
  })

  test('refuses tokens and extensions that could end the field they stand in', async () => {
    const wrong = [
      ...['', 'a b', 'a\x01auth=Bearer x', 'a\n', 'é', null, undefined, {}, { value: 5 }, ['a']],
      ...[
        { value: 'a', extensions: { auth: 'x' } },
        { value: 'a', extensions: { 'a-b': 'x' } },
      ],
      ...[
        { value: 'a', extensions: { a: 'x\x01' } },
        { value: 'a', extensions: { a: '' } },
      ],
      ...[
        { value: 'a', extensions: 'x' },
        { value: 'a', expiresAtMs: 'soon' },
      ],
    ]
    for (const answer of wrong)
      await assert.rejects(begin(answer), AuthenticationError, JSON.stringify(answer))
  })
})

describe('a token', () => {
  function cacheOf(answers: unknown[], rule = RULE) {
    const clock = { now: 0, asked: 0 }
    const provider = async () => {
      const answer = answers[clock.asked++]
      if (answer instanceof Error) throw answer
      return answer as string
    }
    return { clock, cache: new TokenCache(provider, rule, () => clock.now) }
  }

  test('is used until the window for its renewal, then asked for again', async () => {
    const life = { value: 'first', expiresAtMs: 10_000_000 }
    const { clock, cache } = cacheOf([life, { value: 'second', expiresAtMs: 20_000_000 }])
    assert.equal((await cache.get()).value, 'first')
    clock.now = 7_999_999
    assert.equal((await cache.get()).value, 'first')
    clock.now = 8_000_000
    assert.equal((await cache.get()).value, 'second')
    assert.equal(clock.asked, 2)
  })

  test('is renewed before the buffer at its end, but not sooner than the shortest period', async () => {
    const long = cacheOf([{ value: 'a', expiresAtMs: 400_000 }, 'b'])
    await long.cache.get()
    long.clock.now = 99_999
    assert.equal((await long.cache.get()).value, 'a')
    long.clock.now = 100_000
    assert.equal((await long.cache.get()).value, 'b')
    const short = cacheOf([{ value: 'a', expiresAtMs: 100_000 }, 'b'])
    await short.cache.get()
    short.clock.now = 59_999
    assert.equal((await short.cache.get()).value, 'a')
  })

  test('tells its end itself where it is a JWT, and is not kept where nothing tells', async () => {
    const { clock, cache } = cacheOf([jwt({ exp: 1000 }), 'opaque', 'other'])
    await cache.get()
    clock.now = 600_000
    await cache.get()
    assert.equal(clock.asked, 1)
    clock.now = 800_000
    assert.equal((await cache.get()).value, 'opaque')
    assert.equal((await cache.get()).value, 'other')
  })

  test('is asked for once by all who need one at the same time', async () => {
    const { clock, cache } = cacheOf(['a', 'b'])
    const tokens = await Promise.all([cache.get(), cache.get(), cache.get()])
    assert.deepEqual(
      tokens.map(token => token.value),
      ['a', 'a', 'a'],
    )
    assert.equal(clock.asked, 1)
  })

  test('that has not ended goes on serving while no newer one can be had', async () => {
    const life = { value: 'a', expiresAtMs: 10_000_000 }
    const { clock, cache } = cacheOf([life, new Error('down'), new Error('down')])
    await cache.get()
    clock.now = 9_000_000
    assert.equal((await cache.get()).value, 'a')
    clock.now = 10_000_000
    await assert.rejects(cache.get(), /down/)
  })

  test('that a broker refused is not offered again', async () => {
    const { cache } = cacheOf([{ value: 'a', expiresAtMs: 10_000_000 }, 'b'])
    const exchange = await oauthbearer(cache).begin(BROKER)
    await exchange.step(Buffer.from('{"status":"invalid_token"}'))
    assert.equal((await cache.get()).value, 'b')
  })
})

describe('unsecured tokens', () => {
  test('carry the claims that options of the login module name', async () => {
    const provider = unsecuredTokenProvider(
      new Map([
        ['unsecuredLoginStringClaim_sub', 'alice'],
        ['unsecuredLoginNumberClaim_level', '3'],
        ['unsecuredLoginListClaim_scope', ',a,b'],
        ['unsecuredLoginLifetimeSeconds', '60'],
        ['unsecuredLoginExtension_pool', 'x'],
      ]),
    )
    assert.ok(provider)
    const { value, extensions } = (await provider()) as { value: string; extensions: object }
    const [header = '', payload = '', signature] = value.split('.')
    const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
    assert.deepEqual(decode(header), { alg: 'none' })
    const { iat, exp, ...claims } = decode(payload)
    assert.deepEqual(claims, { sub: 'alice', level: 3, scope: ['a', 'b'] })
    assert.equal(Math.round(exp - iat), 60)
    assert.equal(signature, '')
    assert.deepEqual(extensions, { pool: 'x' })
  })

  test('need a name, and are not made where no option asks for them', () => {
    assert.equal(unsecuredTokenProvider(new Map([['clientId', 'x']])), null)
    assert.throws(
      () => unsecuredTokenProvider(new Map([['unsecuredLoginNumberClaim_a', '1']])),
      /StringClaim_sub/,
    )
  })
})
