import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuthenticationError, Producer } from '../../dist/index.js'
import { type SaslAnswer, type SaslServerOptions, startBroker } from '../../dist/testing/index.js'
import { CapturingProxy } from '../helpers/capturing-proxy.js'
import { SecretListener, secretForms } from '../helpers/secret-listener.js'

const PASSWORD = 'c4nary-0f-the-passw0rd'

interface Attack {
  readonly title: string
  readonly reason: RegExp
  readonly server: SaslServerOptions
}

/** Changes the text of the n-th message of the broker. */
const saying = (step: number, change: (text: string) => string): SaslServerOptions => ({
  tamper: answer =>
    answer.step === step && answer.authenticate !== undefined
      ? withText(answer, change(Buffer.from(answer.authenticate.authBytes).toString()))
      : answer,
})

function withText(answer: SaslAnswer, text: string): SaslAnswer {
  const { authenticate } = answer
  assert.ok(authenticate)
  return { ...answer, authenticate: { ...authenticate, errorCode: 0, authBytes: Buffer.from(text) } }
}

const shaking = (errorCode: number, mechanisms: string[]): SaslServerOptions => ({
  tamper: answer => (answer.step === 0 ? { ...answer, handshake: { errorCode, mechanisms } } : answer),
})

const iterations = (count: string) => saying(1, text => text.replace('i=4096', `i=${count}`))
/** The client's nonce is the first 32 characters of the broker's. */
const nonce = (change: (nonce: string) => string) =>
  saying(1, text => text.replace(/^r=([^,]*)/, (_, whole: string) => `r=${change(whole)}`))

const scramAttacks: Attack[] = [
  {
    title: 'only PLAIN is offered',
    reason: /does not offer.*it offers PLAIN$/s,
    server: { mechanisms: ['PLAIN'] },
  },
  { title: 'no mechanism is offered', reason: /it offers none/, server: { mechanisms: [] } },
  {
    title: 'the handshake agrees on another mechanism',
    reason: /without offering it/,
    server: shaking(0, ['PLAIN']),
  },
  { title: 'the listener has no SASL', reason: /ILLEGAL_SASL_STATE/, server: shaking(34, []) },
  { title: "the nonce is the client's own", reason: /nonce/, server: nonce(whole => whole.slice(0, 32)) },
  {
    title: "the nonce is a part of the client's",
    reason: /nonce/,
    server: nonce(whole => whole.slice(0, 31)),
  },
  { title: "the nonce is not the client's", reason: /nonce/, server: nonce(whole => `x${whole}`) },
  { title: '1 iteration', reason: /4096 to 1000000/, server: iterations('1') },
  { title: '4,095 iterations', reason: /4096 to 1000000/, server: iterations('4095') },
  { title: '10⁷ iterations', reason: /4096 to 1000000/, server: iterations('10000000') },
  { title: '2³¹ iterations', reason: /4096 to 1000000/, server: iterations('2147483648') },
  {
    title: 'a salt that is no base64',
    reason: /salt/,
    server: saying(1, text => text.replace(/s=[^,]*/, 's=*')),
  },
  {
    title: 'attributes in another order',
    reason: /where "r" belongs/,
    server: saying(1, text => text.replace(/^(r=[^,]*),(s=[^,]*)/, '$2,$1')),
  },
  { title: 'a mandatory extension', reason: /extension/, server: saying(1, text => `m=x,${text}`) },
  { title: 'success after the first message', reason: /malformed/, server: saying(1, () => '') },
  { title: 'a wrong signature', reason: /signature/, server: saying(2, () => `v=${'A'.repeat(43)}=`) },
  { title: 'no signature', reason: /has "x"/, server: saying(2, () => 'x=1') },
  { title: 'no final message', reason: /malformed/, server: saying(2, () => '') },
  { title: 'an error for a signature', reason: /invalid-proof/, server: saying(2, () => 'e=invalid-proof') },
]

async function attack(
  { reason, server }: Attack,
  saslMechanism: string,
  extra: { canSeePassword: boolean; module: string },
): Promise<void> {
  const listener = new SecretListener()
  await using broker = await startBroker({ quiet: true, sasl: { users: { alice: PASSWORD }, ...server } })
  await using proxy = await CapturingProxy.start(broker.nodes[0]?.port ?? 0)
  await using producer = new Producer({
    bootstrapServers: `127.0.0.1:${proxy.port}`,
    securityProtocol: 'SASL_PLAINTEXT',
    saslMechanism,
    saslJaasConfig: `${extra.module} required username="alice" password="${PASSWORD}";`,
    maxBlockMs: 60_000,
    logger: listener.logger,
  })
  const startedMs = performance.now()
  await assert.rejects(producer.send({ topic: 't', value: 'v' }), (error: Error) => {
    assert.ok(error instanceof AuthenticationError, String(error))
    assert.match(error.message, reason)
    listener.hear(error)
    return true
  })
  listener.hear(producer)
  listener.assertSilent([PASSWORD])
  assert.ok(performance.now() - startedMs < 30_000, 'it took until max.block.ms')
  const { records, requests } = broker.counters()
  assert.equal(records, 0)
  const { ApiVersions: _, SaslHandshake: __, SaslAuthenticate: ___, ...others } = requests
  assert.deepEqual(others, {})
  assert.ok(proxy.captured.length > 0)
  if (extra.canSeePassword) return
  for (const form of secretForms(PASSWORD)) {
    assert.ok(!proxy.captured.includes(form), 'the password was on the wire')
  }
}

describe('a hostile broker is refused by SCRAM and does not learn the password', () => {
  const module = 'org.apache.kafka.common.security.scram.ScramLoginModule'
  for (const each of scramAttacks) {
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      test(`${mechanism}: ${each.title}`, () => attack(each, mechanism, { canSeePassword: false, module }))
    }
  }
})

describe('a hostile broker is refused by PLAIN', () => {
  const module = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  const failing = (errorMessage: string): SaslServerOptions => ({
    tamper: answer =>
      answer.authenticate === undefined
        ? answer
        : { ...answer, authenticate: { ...answer.authenticate, errorCode: 58, errorMessage } },
  })
  const attacks: [Attack, canSeePassword: boolean][] = [
    [
      { title: 'it offers only SCRAM', reason: /SCRAM-SHA-256/, server: { mechanisms: ['SCRAM-SHA-256'] } },
      false,
    ],
    [
      { title: 'it agrees on another', reason: /without offering/, server: shaking(0, ['SCRAM-SHA-256']) },
      false,
    ],
    [{ title: 'it sends a challenge', reason: /challenge/, server: saying(1, () => 'who?') }, true],
    [
      {
        title: 'it repeats the password in its refusal',
        reason: /no \[hidden\], 00616c69636500\[hidden\]"/,
        server: failing(`no ${PASSWORD}, ${Buffer.from(`\0alice\0${PASSWORD}`).toString('hex')}`),
      },
      true,
    ],
    [
      {
        title: 'it refuses with line breaks',
        reason: /says "a\\r\\n\\u001b\\u2028b"/,
        server: failing('a\r\n\u001b\u2028b'),
      },
      true,
    ],
  ]
  for (const [each, canSeePassword] of attacks) {
    test(each.title, () => attack(each, 'PLAIN', { canSeePassword, module }))
  }
})
