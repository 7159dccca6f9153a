import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { parseProducerOptions } from '../../dist/config/index.js'
import { ConfigError } from '../../dist/errors/index.js'

const SECRETS = {
  'sasl.jaas.config': 'hunter2-jaas',
  'sasl.oauthbearer.client.credentials.client.secret': 'hunter2-client',
  'ssl.key.password': 'hunter2-key',
  'ssl.keystore.certificate.chain': 'hunter2-chain',
  'ssl.keystore.key': 'hunter2-pem',
  'ssl.keystore.password': 'hunter2-keystore',
  'ssl.truststore.certificates': 'hunter2-certificates',
  'ssl.truststore.password': 'hunter2-truststore',
}

function parse(options: object) {
  const warnings: string[] = []
  const logger = { debug() {}, info() {}, warn: (message: string) => warnings.push(message), error() {} }
  const config = parseProducerOptions({ bootstrapServers: 'a:1', logger, ...options })
  return { security: config.security, config, warnings }
}

function refuses(options: object, key: string, pattern: RegExp) {
  assert.throws(
    () => parse(options),
    (error: Error) => {
      assert.ok(error instanceof ConfigError)
      assert.equal(error.key, key)
      assert.match(error.message, pattern)
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    },
  )
}

describe('security.protocol', () => {
  test('says which of TLS and SASL there are, in any case', () => {
    const both = (protocol: string) => {
      const { tls, sasl } = parse({ 'security.protocol': protocol }).security
      return [tls !== null, sasl !== null]
    }
    assert.deepEqual(both('PLAINTEXT'), [false, false])
    assert.deepEqual(both('ssl'), [true, false])
    assert.deepEqual(both('SASL_PLAINTEXT'), [false, true])
    assert.deepEqual(both('Sasl_Ssl'), [true, true])
  })

  test('that leaves options without effect is warned of, as Java only passes over them', () => {
    const { warnings } = parse({
      'sasl.mechanism': 'PLAIN',
      'ssl.key.password': 'hunter2',
      'ssl.protocol': 'TLSv1.3',
    })
    assert.equal(warnings.length, 2)
    assert.match(String(warnings[0]), /PLAINTEXT, so these options do nothing: ssl\.key\.password$/)
    assert.match(String(warnings[1]), /PLAINTEXT, so these options do nothing: sasl\.mechanism$/)
    assert.deepEqual(parse({ 'sasl.mechanism': 'GSSAPI' }).warnings, [])
  })

  test('that would leave functions and objects of this library without effect is refused', () => {
    const provider = () => ({ username: 'u', password: 'p' })
    refuses(
      { tls: { ca: 'hunter2' } },
      'tls',
      /security\.protocol is PLAINTEXT; allowed with it: SSL or SASL_SSL/,
    )
    refuses({ tls: {}, securityProtocol: 'SASL_PLAINTEXT' }, 'tls', /SASL_PLAINTEXT/)
    refuses(
      { saslCredentialsProvider: provider, securityProtocol: 'SSL' },
      'saslCredentialsProvider',
      /SASL_SSL/,
    )
    refuses({ saslOauthTokenProvider: () => 't' }, 'saslOauthTokenProvider', /SASL_SSL/)
    refuses({ saslMechanisms: [] }, 'saslMechanisms', /SASL_SSL/)
  })

  test('SASL_PLAINTEXT with PLAIN is warned of', () => {
    const [warning] = parse({ securityProtocol: 'SASL_PLAINTEXT', saslMechanism: 'PLAIN' }).warnings
    assert.match(String(warning), /sends the password as it is/)
    assert.deepEqual(parse({ securityProtocol: 'SASL_SSL', saslMechanism: 'PLAIN' }).warnings, [])
  })
})

test('8: SASL needs a mechanism', () => {
  refuses({ securityProtocol: 'SASL_SSL', saslMechanism: '' }, 'sasl.mechanism', /not valid/)
})

test('what Java leaves to its providers is a closed set here', () => {
  const ssl = (options: object) => ({ securityProtocol: 'SSL', ...options })
  refuses(
    ssl({ sslEnabledProtocols: 'TLSv1.1,TLSv1.2' }),
    'ssl.enabled.protocols',
    /allowed: TLSv1\.2, TLSv1\.3/,
  )
  refuses(ssl({ sslEnabledProtocols: 'SSLv3' }), 'ssl.enabled.protocols', /SSLv3/)
  refuses(ssl({ sslProtocol: 'TLSv1' }), 'ssl.protocol', /allowed: one of TLSv1\.3, TLSv1\.2, TLS/)
  refuses(ssl({ sslKeystoreType: 'BCFKS' }), 'ssl.keystore.type', /JKS, PKCS12, PEM/)
  refuses(ssl({ sslTruststoreType: 'x' }), 'ssl.truststore.type', /JKS, PKCS12, PEM/)
  const identification = 'ssl.endpoint.identification.algorithm'
  refuses(ssl({ [identification]: 'LDAPS' }), identification, /allowed: one of https, an empty text/)
  assert.equal(parse(ssl({ [identification]: 'HTTPS' })).security.tls?.verifiesName, true)
  assert.equal(parse(ssl({ [identification]: '' })).security.tls?.verifiesName, false)
  assert.equal(parse(ssl({ sslKeystoreType: 'pkcs12' })).security.tls?.keystore.type, 'PKCS12')
})

test('functions and objects of the wrong kind are refused', () => {
  const sasl = (options: object) => ({ securityProtocol: 'SASL_SSL', ...options })
  refuses(sasl({ saslOauthTokenProvider: 'hunter2' }), 'saslOauthTokenProvider', /a function/)
  refuses(sasl({ saslCredentialsProvider: { password: 'hunter2' } }), 'saslCredentialsProvider', /a function/)
  for (const wrong of [{}, [{}], [{ name: 'x' }], [{ begin() {} }], 'GSSAPI']) {
    refuses(sasl({ saslMechanisms: wrong }), 'saslMechanisms', /a name and a begin method/)
  }
  for (const wrong of ['hunter2', 5, ['hunter2']]) refuses(sasl({ tls: wrong }), 'tls', /tls\.connect/)
})

test('secrets are in the configuration and are not printed', () => {
  const tls = { key: 'hunter2-node' }
  const { config, security } = parse({ securityProtocol: 'SASL_SSL', ...SECRETS, tls })
  const printed = [
    inspect(config, { depth: null, showHidden: true }),
    JSON.stringify({ ...config, explicit: null }),
  ]
  for (const text of printed) {
    assert.doesNotMatch(text, /hunter2/)
    assert.match(text, /\[hidden\]/)
  }
  const { keystore, truststore, keyPassword, nodeOptions } = security.tls ?? assert.fail()
  const { jaasConfig, oauth } = security.sasl ?? assert.fail()
  const revealed = [
    jaasConfig,
    oauth.clientSecret,
    keyPassword,
    keystore.chain,
    keystore.key,
    keystore.password,
  ]
  const more = [truststore.certificates, truststore.password]
  assert.deepEqual(
    [...revealed, ...more].map(secret => secret?.reveal()),
    Object.values(SECRETS),
  )
  assert.equal(nodeOptions?.reveal(), tls)
})
