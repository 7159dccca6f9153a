// PEM as environment variables have it: with `\n` in the place of line ends. What is wrong names the option.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Producer, type ProducerOptions } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { Authority, opensslSkip } from '../helpers/certificates.js'
import { silent } from '../transactions/support.js'

const escapes: Record<string, (pem: string) => string> = {
  'as it is': pem => pem,
  'with \\n': pem => pem.replaceAll('\n', '\\n'),
  'with \\r\\n': pem => pem.replaceAll('\n', '\\r\\n'),
  'escaped twice': pem => pem.replaceAll('\n', '\\\\n'),
  'in quotation marks': pem => `"${pem.replaceAll('\n', '\\n')}"`,
}

describe('PEM', { skip: opensslSkip() }, () => {
  const authority = opensslSkip() ? null : new Authority()
  const issued = () => (authority as Authority).issue()

  for (const [name, written] of Object.entries(escapes)) {
    const forms: Record<string, (ca: string, cert: string, key: string) => Partial<ProducerOptions>> = {
      'ssl.*': (ca, cert, key) => ({
        sslTruststoreCertificates: ca,
        sslKeystoreCertificateChain: cert,
        sslKeystoreKey: key,
      }),
      tls: (ca, cert, key) => ({ tls: { ca, cert, key } }),
      'tls with lists and bytes': (ca, cert, key) => ({
        tls: { ca: [Buffer.from(ca)], cert: [cert], key: [{ pem: key }] },
      }),
    }
    for (const [where, optionsOf] of Object.entries(forms)) {
      test(`${name} in ${where} lets both ends trust each other`, async () => {
        const { ca } = authority as Authority
        const { cert, key } = issued()
        await using broker = await startBroker({
          quiet: true,
          tls: { cert, key, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
        })
        const client = issued()
        await using producer = new Producer({
          bootstrapServers: broker.bootstrapServers,
          securityProtocol: 'SSL',
          logger: silent,
          ...optionsOf(written(ca.cert), written(client.cert), written(client.key)),
        })
        assert.equal((await producer.send({ topic: 't', value: 'v' })).offset, 0n)
      })
    }
  }

  test('that is none is refused with the name of the option', () => {
    const { cert, key } = issued()
    const refusals: [options: Partial<ProducerOptions>, reason: RegExp][] = [
      [{ sslTruststoreCertificates: 'no PEM' }, /ssl\.truststore\.certificates/],
      [{ sslTruststoreCertificates: cert.replace('MII', 'xxx\\') }, /ssl\.truststore\.certificates/],
      [{ sslKeystoreCertificateChain: 'no PEM', sslKeystoreKey: key }, /ssl\.keystore\.certificate\.chain/],
      [{ sslKeystoreCertificateChain: cert, sslKeystoreKey: 'no PEM' }, /ssl\.keystore\.key/],
      [{ tls: { ca: 'no PEM' } }, /tls\.ca has no PEM block "CERTIFICATE"/],
      [{ tls: { ca: [cert, cert.replaceAll(/[a-z]/g, 'A')] } }, /tls\.ca has a PEM block.*no certificate/],
      [{ tls: { cert: key, key } }, /tls\.cert has no PEM block "CERTIFICATE"/],
      [{ tls: { cert, key: cert } }, /tls\.key has no PEM block "PRIVATE KEY"/],
    ]
    for (const [options, reason] of refusals) {
      const made = () => new Producer({ bootstrapServers: 'a:1', securityProtocol: 'SSL', ...options })
      assert.throws(made, (error: Error & { code?: string }) => {
        assert.equal(error.code, 'CONFIG_INVALID')
        assert.match(error.message, reason)
        assert.ok(!error.message.includes(key.slice(40, 60)))
        return true
      })
    }
  })
})
