import assert from 'node:assert/strict'
import crypto, { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, mock, test } from 'node:test'
import { AuthenticationError } from '../../dist/errors/index.js'
import { alreadyPrepared } from '../../dist/security/sasl/sasl-prep.js'
import { scram } from '../../dist/security/sasl/scram.js'
import { parseServerFinal, parseServerFirst } from '../../dist/security/sasl/scram-messages.js'
import { randomOf } from '../protocol/schema-codec.js'

const BROKER = { host: 'localhost', port: 9092 }
const CLIENT_NONCE = 'rOprNGfwEbeRWgbNEkqO'
const SALT = 'W22ZaJ0SNY7soEsUEjb6gQ=='

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())

async function exchangeOf(
  credentials: { username: string; password: string; isDelegationToken?: boolean },
  name: 'SCRAM-SHA-256' | 'SCRAM-SHA-512' = 'SCRAM-SHA-256',
) {
  return scram(
    name,
    () => credentials,
    () => CLIENT_NONCE,
  ).begin(BROKER)
}

/** The exchange of the example in RFC 7677, up to the message given. */
async function upTo(serverFirst: string, serverFinal?: string) {
  const exchange = await exchangeOf({ username: 'user', password: 'pencil' })
  await exchange.start()
  const answer = await exchange.step(Buffer.from(serverFirst))
  return serverFinal === undefined ? answer : exchange.step(Buffer.from(serverFinal))
}

const FIRST = `r=${CLIENT_NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=${SALT},i=4096`
const FINAL = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='

/** A server of RFC 5802, written for this test alone. */
function serverFinalOf(hash: string, password: string, exchanged: string, iterations: number): string {
  const bytes = hash === 'sha256' ? 32 : 64
  const salted = pbkdf2Sync(password, Buffer.from(SALT, 'base64'), iterations, bytes, hash)
  const serverKey = createHmac(hash, salted).update('Server Key').digest()
  return `v=${createHmac(hash, serverKey).update(exchanged).digest('base64')}`
}

describe('SCRAM', () => {
  test('speaks the example of RFC 7677', async () => {
    const exchange = await exchangeOf({ username: 'user', password: 'pencil' })
    assert.equal(text(await exchange.start()), `n,,n=user,r=${CLIENT_NONCE}`)
    assert.equal(
      text(await exchange.step(Buffer.from(FIRST))),
      `c=biws,r=${CLIENT_NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,` +
        'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    )
    assert.equal(await exchange.step(Buffer.from(FINAL)), null)
  })

  test('proves the password with SHA-512, and takes 1,000,000 iterations', async () => {
    const exchange = await exchangeOf({ username: 'u', password: 'p' }, 'SCRAM-SHA-512')
    const first = text(await exchange.start()) as string
    const serverFirst = `r=${CLIENT_NONCE}x,s=${SALT},i=1000000`
    const final = text(await exchange.step(Buffer.from(serverFirst))) as string
    const [, proof] = /,p=(.*)$/.exec(final) as unknown as [string, string]
    const exchanged = `${first.slice(3)},${serverFirst},${final.replace(/,p=.*$/, '')}`
    // The server's half of the proof: the stored key is the hash of what the proof gives back.
    const salted = pbkdf2Sync('p', Buffer.from(SALT, 'base64'), 1_000_000, 64, 'sha512')
    const clientKey = createHmac('sha512', salted).update('Client Key').digest()
    const stored = createHash('sha512').update(clientKey).digest()
    const signature = createHmac('sha512', stored).update(exchanged).digest()
    const recovered = Buffer.from(Buffer.from(proof, 'base64').map((byte, at) => byte ^ (signature[at] ?? 0)))
    assert.deepEqual(recovered, clientKey)
    const serverFinal = serverFinalOf('sha512', 'p', exchanged, 1_000_000)
    assert.equal(await exchange.step(Buffer.from(serverFinal)), null)
  })

  test('escapes every comma and equals sign of a user name, and says what a delegation token is', async () => {
    const exchange = await exchangeOf({ username: 'a,b=c,,==', password: 'p', isDelegationToken: true })
    assert.equal(text(await exchange.start()), `n,,n=a=2Cb=3Dc=2C=2C=3D=3D,r=${CLIENT_NONCE},tokenauth=true`)
  })

  test('draws a new nonce for each exchange', async () => {
    const mechanism = scram('SCRAM-SHA-256', () => ({ username: 'u', password: 'p' }))
    const nonces = new Set<string>()
    for (let i = 0; i < 50; i++) nonces.add(text(await (await mechanism.begin(BROKER)).start()) as string)
    assert.equal(nonces.size, 50)
    for (const nonce of nonces) assert.match(nonce, /^n,,n=u,r=[A-Za-z0-9+/]{32}$/)
  })

  test('ignores extension attributes at the end of both messages, as the RFC asks', async () => {
    const exchange = await exchangeOf({ username: 'user', password: 'pencil' })
    const first = text(await exchange.start()) as string
    const serverFirst = `${FIRST},x=1,y=a=b`
    const final = text(await exchange.step(Buffer.from(serverFirst))) as string
    const exchanged = `${first.slice(3)},${serverFirst},${final.replace(/,p=.*$/, '')}`
    const serverFinal = serverFinalOf('sha256', 'pencil', exchanged, 4096)
    assert.equal(await exchange.step(Buffer.from(`${serverFinal},z=later`)), null)
  })

  test('hashes off the event loop', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await upTo(FIRST.replace('i=4096', 'i=400000'))
    clearInterval(timer)
    assert.ok(turns >= 3, `${turns} turns of the event loop`)
  })

  test("compares the server's signature in constant time", async () => {
    const compare = mock.method(crypto, 'timingSafeEqual')
    try {
      assert.equal(await upTo(FIRST, FINAL), null)
      await assert.rejects(upTo(FIRST, `v=${'A'.repeat(43)}=`), /signature/)
      assert.deepEqual(
        compare.mock.calls.map(({ result }) => result),
        [true, false],
      )
    } finally {
      compare.mock.restore()
    }
  })
})

const N = CLIENT_NONCE
const refusedFirst: [title: string, message: string, reason: RegExp][] = [
  ['a nonce equal to ours', `r=${N},s=${SALT},i=4096`, /does not extend/],
  ['a nonce shorter than ours', `r=${N.slice(0, -1)},s=${SALT},i=4096`, /does not extend/],
  ['a nonce that is not ours', `r=x${N},s=${SALT},i=4096`, /does not extend/],
  ['1 iteration', `r=${N}x,s=${SALT},i=1`, /1 iterations; 4096 to 1000000/],
  ['4,095 iterations', `r=${N}x,s=${SALT},i=4095`, /4095 iterations/],
  ['1,000,001 iterations', `r=${N}x,s=${SALT},i=1000001`, /1000001 iterations/],
  ['10⁷ iterations', `r=${N}x,s=${SALT},i=10000000`, /10000000 iterations/],
  ['2³¹ iterations', `r=${N}x,s=${SALT},i=2147483648`, /2147483648 iterations/],
  ['2³² + 4,096 iterations', `r=${N}x,s=${SALT},i=4294971392`, /iterations/],
  ['iterations that are no number', `r=${N}x,s=${SALT},i=4096x`, /no valid number/],
  ['a negative number of iterations', `r=${N}x,s=${SALT},i=-4096`, /no valid number/],
  ['a salt that is not base64', `r=${N}x,s=W22Z!J0S,i=4096`, /salt is not base64/],
  ['an empty salt', `r=${N}x,s=,i=4096`, /malformed/],
  ['attributes in another order', `s=${SALT},r=${N}x,i=4096`, /"s" where "r" belongs/],
  ['an attribute twice', `r=${N}x,s=${SALT},i=4096,i=8192`, /more than once/],
  ['no iterations', `r=${N}x,s=${SALT}`, /has no "i"/],
  ['a mandatory extension', `m=ext,r=${N}x,s=${SALT},i=4096`, /extension/],
  ['a mandatory extension at the end', `r=${N}x,s=${SALT},i=4096,m=ext`, /extension/],
  ['an error', 'e=unknown-user', /error: unknown-user/],
  ['an error that repeats the password', 'e=pencil rubber', /with an error$/],
  ['nothing', '', /malformed/],
  ['the final message at once', FINAL, /"v" where "r" belongs/],
]

describe('SCRAM refuses in the first message of a server', () => {
  for (const [title, message, reason] of refusedFirst) {
    test(title, async t => {
      const hash = t.mock.method(crypto, 'pbkdf2')
      await assert.rejects(upTo(message), (error: Error) => {
        assert.ok(error instanceof AuthenticationError, String(error))
        assert.match(error.message, reason)
        return true
      })
      assert.equal(hash.mock.callCount(), 0, 'it was refused before any hashing')
    })
  }

  test('bytes that are not UTF-8', async () => {
    const exchange = await exchangeOf({ username: 'user', password: 'pencil' })
    await exchange.start()
    await assert.rejects(async () => exchange.step(Buffer.from([0xff, 0xfe])), /not UTF-8/)
  })
})

const refusedFinal: [title: string, message: string, reason: RegExp][] = [
  ['a wrong signature', `v=${Buffer.alloc(32, 1).toString('base64')}`, /signature is wrong/],
  ['a signature cut short', `v=${FINAL.slice(2, 22)}`, /signature is wrong/],
  ['a signature that is not base64', 'v=!!!!', /not base64/],
  ['no message, as if the exchange were over', '', /malformed/],
  ['no signature', 'x=1', /"x" where "v" belongs/],
  ['an error', 'e=invalid-proof', /error: invalid-proof/],
  ['the first message again', FIRST, /"r" where "v" belongs/],
]

describe('SCRAM refuses in the final message of a server', () => {
  for (const [title, message, reason] of refusedFinal) {
    test(title, async () => {
      await assert.rejects(upTo(FIRST, message), (error: Error) => {
        assert.ok(error instanceof AuthenticationError, String(error))
        assert.match(error.message, reason)
        assert.doesNotMatch(error.message, /6rriTRBi/, 'the expected signature is not told')
        return true
      })
    })
  }
})

describe('SASLprep', () => {
  test('lets through what it would not change', () => {
    for (const password of ['pencil', ' ~!"§', 'äöüß', 'пароль', '密码', 'I⃣'.normalize('NFKC')]) {
      assert.equal(alreadyPrepared('password', password), password)
    }
  })

  test('refuses what it would change or prohibit, without showing it', () => {
    const refused = [
      'a\u00adb',
      'a\u00a0b',
      '\u2168',
      'e\u0301',
      'x\u0000',
      'x\u007f',
      'x\ud800',
      'ﬁ',
      'x\ufe0f',
    ]
    for (const password of [...refused, 'x\u2028', 'x\ue000', 'x\u0378']) {
      assert.throws(
        () => alreadyPrepared('password', password),
        (error: Error) => error instanceof AuthenticationError && !error.message.includes(password),
        JSON.stringify(password),
      )
    }
  })
})

describe('a mutated message of a SCRAM server', () => {
  const random = randomOf(11)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T

  function mutate(text: string): Buffer {
    let bytes = Buffer.from(text)
    for (let edits = 1 + Math.floor(random() * 4); edits > 0; edits--) {
      const at = Math.floor(random() * bytes.length)
      const piece = pick([',', '=', 'r=', ',s=', ',i=', 'm=x,', 'e=', 'v=', '\0', 'é', '9', '-', ''])
      const cut = pick([0, 0, 1, 2, 10])
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(piece), bytes.subarray(at + cut)])
      if (random() < 0.1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    }
    return bytes
  }

  test('is refused, or is one that the rules allow, 40,000 times', () => {
    let refused = 0
    for (let i = 0; i < 40_000; i++) {
      const isFirst = i % 2 === 0
      const message = mutate(isFirst ? FIRST : FINAL)
      try {
        if (isFirst) {
          const first = parseServerFirst(message, CLIENT_NONCE)
          assert.ok(first.iterations >= 4096 && first.iterations <= 1_000_000)
          assert.ok(first.nonce.startsWith(CLIENT_NONCE) && first.nonce.length > CLIENT_NONCE.length)
          assert.ok(first.salt.length > 0)
        } else assert.ok(parseServerFinal(message).length > 0)
      } catch (error) {
        assert.ok(error instanceof AuthenticationError, `${error} for ${message.toString('hex')}`)
        assert.ok(error.message.length < 300)
        refused++
      }
    }
    assert.ok(refused > 10_000 && refused < 40_000, `${refused} were refused`)
  })
})
