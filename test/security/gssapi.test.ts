import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import { parseProducerOptions } from '../../dist/config/index.js'
import { AuthenticationError, ConfigError, Producer, type ProducerOptions } from '../../dist/index.js'
import { createSecurity, type SaslExchange } from '../../dist/security/index.js'
import { gssapi, type KerberosPackage } from '../../dist/security/sasl/gssapi.js'
import type { KerberosTickets } from '../../dist/security/sasl/kerberos-tickets.js'
import { RecordingLogger } from '../helpers/cluster-options.js'

/** A developer may have it; the lane `kerberos` links it while it runs. */
function isInstalled(): string | false {
  try {
    createRequire(import.meta.url).resolve('kerberos')
    return 'the package kerberos is installed'
  } catch {
    return false
  }
}

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64')
const BROKER = { host: 'broker1.example', port: 9092 }
/** Layers offered: none, integrity, confidentiality; messages of 64 KiB. */
const ALL_LAYERS = [0b111, 1, 0, 0]

interface Script {
  /** What the library answers to the tokens, in order; the context is complete after the last. */
  answers?: readonly (string | null)[]
  offer?: readonly number[]
  username?: string | null
}

/** The package `kerberos` as a peer that follows a script; a wrapped token says what is in it. */
function scripted({ answers = ['AP-REQ', null], offer = ALL_LAYERS, username = 'alice@R' }: Script = {}) {
  const calls: string[] = []
  const kerberos: KerberosPackage = {
    GSS_MECH_OID_KRB5: 9,
    async initializeClient(service, { mechOID, principal }) {
      calls.push(`initialize ${service} ${mechOID} ${principal}`)
      let step = 0
      return {
        get contextComplete() {
          return step >= answers.length
        },
        username,
        async step(challenge) {
          calls.push(`step ${Buffer.from(challenge, 'base64')}`)
          const answer = answers[step++]
          if (answer === undefined) throw new Error('the script is at its end')
          return answer === null ? null : base64(answer)
        },
        async unwrap(challenge) {
          calls.push(`unwrap ${Buffer.from(challenge, 'base64')}`)
          return base64(Uint8Array.from(offer))
        },
        async wrap(challenge, { user }) {
          calls.push(`wrap ${Buffer.from(challenge, 'base64').toString('hex')} ${user}`)
          return base64(`no layer, ${user}`)
        },
      }
    },
  }
  return { calls, kerberos }
}

function mechanismOf(kerberos: KerberosPackage, ensure: () => Promise<void> = async () => {}) {
  const tickets = { ensure } as KerberosTickets
  return gssapi({ serviceName: 'kafka', principal: null, tickets }, async () => kerberos)
}

async function begun(script: Script = {}): Promise<{ exchange: SaslExchange; calls: string[] }> {
  const { kerberos, calls } = scripted(script)
  return { exchange: await mechanismOf(kerberos).begin(BROKER), calls }
}

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())

describe('the exchange of GSSAPI', () => {
  test('proves both sides, agrees on no security layer, and ends with an empty token', async () => {
    const { exchange, calls } = await begun()
    assert.equal(text(await exchange.start()), 'AP-REQ')
    // The library has nothing more to say, the exchange has: an empty token asks for the layers.
    assert.equal(text(await exchange.step(Buffer.from('AP-REP'))), '')
    assert.equal(text(await exchange.step(Buffer.from('offer'))), 'no layer, alice@R')
    assert.equal(await exchange.step(new Uint8Array()), null)
    assert.deepEqual(calls, [
      'initialize kafka@broker1.example 9 undefined',
      ...['step ', 'step AP-REP', 'unwrap offer', `wrap ${'00'.repeat(8)} alice@R`],
    ])
  })

  test('takes as many tokens as the library needs', async () => {
    const { exchange } = await begun({ answers: ['one', 'two', 'three'] })
    assert.equal(text(await exchange.start()), 'one')
    assert.equal(text(await exchange.step(Buffer.from('1'))), 'two')
    assert.equal(text(await exchange.step(Buffer.from('2'))), 'three')
    assert.equal(text(await exchange.step(Buffer.from('offer'))), 'no layer, alice@R')
  })

  const refusals: [string, Script, readonly string[], RegExp][] = [
    ['an empty token in the midst', {}, [''], /empty token/],
    ['a broker that wants messages wrapped', { offer: [0b110, 0, 16, 0] }, ['AP-REP', 'x'], /SASL_SSL/],
    ['an offer that is cut off', { offer: [1, 0, 0] }, ['AP-REP', 'x'], /offers no security layers/],
    ['an offer of nothing', { offer: [] }, ['AP-REP', 'x'], /offers no security layers/],
    ['a token after the end', {}, ['AP-REP', 'x', 'more'], /goes on after/],
    ['a library without an answer', { answers: ['one', null, 'x'] }, ['1'], /has no answer/],
    ['a context of nobody', { username: null }, ['AP-REP', 'x'], /own principal/],
  ]
  for (const [name, script, challenges, pattern] of refusals) {
    test(`refuses ${name}`, async () => {
      const { exchange } = await begun(script)
      await exchange.start()
      const last = challenges.at(-1) as string
      for (const each of challenges.slice(0, -1)) await exchange.step(Buffer.from(each))
      await assert.rejects(
        async () => exchange.step(Buffer.from(last)),
        (error: Error) => {
          assert.ok(error instanceof AuthenticationError)
          assert.match(error.message, pattern)
          return true
        },
      )
    })
  }

  test('asks the KDC for one connection after the other, and a failure holds up nobody', async () => {
    const { kerberos } = scripted()
    const order: string[] = []
    let count = 0
    const mechanism = mechanismOf(kerberos, async () => {
      const name = ++count
      order.push(`${name} begins`)
      await new Promise(resolve => setImmediate(resolve))
      order.push(`${name} ends`)
      if (name === 2) throw new Error('no ticket')
    })
    const started = [1, 2, 3].map(async () => text(await (await mechanism.begin(BROKER)).start()))
    const outcomes = await Promise.allSettled(started)
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(
      order,
      [1, 2, 3].flatMap(name => [`${name} begins`, `${name} ends`]),
    )
  })
})

describe('the options of GSSAPI', () => {
  const MODULE = 'com.sun.security.auth.module.Krb5LoginModule required'
  const configured = (options: Partial<ProducerOptions>) => {
    const logger = new RecordingLogger()
    const all = { bootstrapServers: 'a:1', securityProtocol: 'SASL_PLAINTEXT', logger, ...options }
    return createSecurity(parseProducerOptions(all).security, logger).mechanism
  }
  const kafka = { saslKerberosServiceName: 'kafka' }

  test('are taken from the options or from the login module, which may be missing', () => {
    for (const options of [
      kafka,
      { saslMechanism: 'gssapi', ...kafka },
      { saslJaasConfig: `${MODULE} useTicketCache=true serviceName="kafka";` },
      { saslJaasConfig: `${MODULE} useTicketCache=true serviceName="kafka";`, ...kafka },
      { saslJaasConfig: `com.ibm.${MODULE} useKeyTab=true principal="a@R" keyTab="/k";`, ...kafka },
    ]) {
      assert.equal(configured(options)?.name, 'GSSAPI')
    }
  })

  const wrong: [string, Partial<ProducerOptions>, string, RegExp][] = [
    ['no service name', {}, 'sasl.kerberos.service.name', /another mechanism than Kerberos/],
    [
      'a service with a host',
      { saslKerberosServiceName: 'kafka/h@R' },
      'sasl.kerberos.service.name',
      /not valid/,
    ],
    [
      'two service names',
      { ...kafka, saslJaasConfig: `${MODULE} serviceName="other";` },
      'sasl.kerberos.service.name',
      /differ/,
    ],
    [
      'another login module',
      { ...kafka, saslJaasConfig: 'x.PlainLoginModule required;' },
      'sasl.jaas.config',
      /allowed: Krb5LoginModule/,
    ],
    [
      'a key of nobody',
      { ...kafka, saslJaasConfig: `${MODULE} useKeyTab=true keyTab="/k";` },
      'sasl.jaas.config',
      /principal/,
    ],
    [
      'a cache that is not the process’s',
      { ...kafka, saslJaasConfig: `${MODULE} useTicketCache=true ticketCache="/elsewhere/tickets";` },
      'sasl.jaas.config',
      /KRB5CCNAME=FILE:\/elsewhere\/tickets/,
    ],
    [
      'a password',
      { ...kafka, saslCredentialsProvider: () => ({ username: 'a', password: 'b' }) },
      'saslCredentialsProvider',
      /no meaning/,
    ],
  ]
  for (const [name, options, key, pattern] of wrong) {
    test(`are refused: ${name}`, () => {
      assert.throws(
        () => configured(options),
        (error: Error) => {
          assert.ok(error instanceof ConfigError, String(error))
          assert.equal(error.key, key)
          assert.match(error.message, pattern)
          return true
        },
      )
    })
  }

  test('need the package, and what waits fails at once', { skip: isInstalled() }, async () => {
    const { startBroker } = await import('../../dist/testing/index.js')
    await using broker = await startBroker({ quiet: true, sasl: { mechanisms: ['GSSAPI'] } })
    await using producer = new Producer({
      ...{ bootstrapServers: broker.bootstrapServers, securityProtocol: 'SASL_PLAINTEXT', ...kafka },
      logger: new RecordingLogger(),
    })
    await assert.rejects(producer.send({ topic: 't', value: 'v' }), (error: Error) => {
      assert.ok(error instanceof ConfigError, String(error))
      assert.equal(error.code, 'FEATURE_NOT_AVAILABLE')
      assert.match(error.message, /npm install kerberos/)
      return true
    })
  })
})
