// A secret may be given to the wrong option, or as its name. Whatever has the looks of one is never shown.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { parseProducerOptions } from '../../dist/config/index.js'
import { EXTRA_NAMES, toCamelCase } from '../../dist/config/names.js'
import { describeOptions, parseProperties } from '../../dist/index.js'
import { pemSecrets, SecretListener } from '../helpers/secret-listener.js'

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const line = privateKey.split('\n')[3] as string
const der = Buffer.from(line, 'base64')
const PASSWORD = 'c4nary-of-the-password'
const token = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from('{"sub":"c4nary-of-the-token"}').toString('base64url')}.c2ln`

/** What may stand where it does not belong, and what of it nobody may see. */
const looks: [title: string, value: unknown, secrets: readonly string[]][] = [
  ['a key in PEM', privateKey, pemSecrets(privateKey)],
  ['a key in PEM on one line', privateKey.replaceAll('\n', '\\n'), pemSecrets(privateKey)],
  ['a line of it', line, [line]],
  ['a key in hex', der.toString('hex'), [der.toString('hex')]],
  ['bytes of a key', Buffer.from(privateKey), pemSecrets(privateKey)],
  ['an object with a password', { password: PASSWORD }, [PASSWORD]],
  ['a URL with user and password', `https://alice:${PASSWORD}@host.example/x`, [PASSWORD]],
  ['an address with user and password', `alice:${PASSWORD}@host.example:9092`, [PASSWORD]],
  [
    'a login',
    `x.PlainLoginModule required username="alice" password="${PASSWORD}" debug="true" other="true";`,
    [PASSWORD],
  ],
  ['a token', token, [token]],
  ['a header with a token', 'Bearer c4nary-of-the-token', ['c4nary-of-the-token']],
  ['a header with a password', `Basic ${btoa(`a:${PASSWORD}`)}`, [PASSWORD]],
  [
    'a secret access key',
    'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    ['wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
  ],
]

/** These names go to brokers and into their logs as they are: nobody keeps them secret. */
const PUBLIC = new Set(['client.id', 'transactional.id'])
const contexts = [
  {},
  { securityProtocol: 'SASL_SSL', saslMechanism: 'PLAIN' },
  { securityProtocol: 'SASL_PLAINTEXT', saslMechanism: 'OAUTHBEARER' },
  { securityProtocol: 'SASL_PLAINTEXT', saslMechanism: 'GSSAPI' },
]

/** Whether the options were refused; the listener has heard why, and what was logged. */
function refuses(listener: SecretListener, options: () => unknown): boolean {
  try {
    parseProducerOptions(options())
    return false
  } catch (error) {
    listener.hear(error)
    return true
  }
}

const variable = (provider: string, key: string) => `\${${provider}:${key}}`

describe('what looks like a secret is not shown', () => {
  for (const [title, value, secrets] of looks) {
    test(`${title}, as the value of any option`, () => {
      const listener = new SecretListener()
      let refused = 0
      for (const { key } of describeOptions()) {
        if (PUBLIC.has(key)) continue
        for (const context of contexts) {
          for (const name of context === contexts[1] ? [key, toCamelCase(key)] : [key]) {
            const options = { bootstrapServers: '127.0.0.1:1', logger: listener.logger, ...context }
            if (refuses(listener, () => ({ ...options, [name]: value }))) refused++
          }
        }
      }
      for (const name of EXTRA_NAMES) {
        const options = { bootstrapServers: '127.0.0.1:1', logger: listener.logger, ...contexts[1] }
        if (refuses(listener, () => ({ ...options, [name]: name === 'logger' ? 5 : value }))) refused++
      }
      assert.ok(refused > 300, `${refused} refusals`)
      listener.assertSilent(secrets)
    })

    test(`${title}, as the name of an option, of a provider, and in a file`, () => {
      const listener = new SecretListener()
      const text = String(value)
      const base = { bootstrapServers: '127.0.0.1:1', logger: listener.logger }
      const p = (values: object) => ({ 'config.providers': { p: () => values } })
      // Not a function of that name, which stacks would have.
      const failing = Object.fromEntries([[text, () => assert.fail('down')]])
      const wrong: (() => object)[] = [
        () => ({ [text]: 'x' }),
        () => ({ 'config.providers': text }),
        () => ({ 'config.providers': 'p', [`config.providers.${text}`]: 'x' }),
        () => ({ ...p({}), [text]: variable('p', 'x') }),
        () => ({ ...p({}), lingerMs: variable('p', text) }),
        () => ({ ...p({ x: text }), lingerMs: variable('p', 'x') }),
        () => ({ 'config.providers': failing, lingerMs: variable(text, 'x') }),
        () => parseProperties(`ssl.keystore.key=\n${text}\n`),
        () => parseProperties(`${text}\n`),
        () => parseProperties(`ssl.key.password=x\n${text}=y\\u00zz`),
      ]
      const refused = wrong.filter(options => refuses(listener, () => ({ ...base, ...options() }))).length
      assert.ok(refused >= 6, `${refused} refusals`)
      listener.assertSilent(secrets)
    })
  }
})
