import { join } from 'node:path'
import { Authority, type Certificate } from '../helpers/certificates.js'
import { freePorts } from '../helpers/free-ports.js'
import { type Kafka, startKafka } from './broker.js'

export const USER = 'alice'
/** With what a quotation must escape; a comma would end it for the tool that formats the storage. */
export const PASSWORD = String.raw`pa;ss w"or\d'1`
export const JAAS_PASSWORD = PASSWORD.replaceAll('\\', '\\\\').replaceAll('"', '\\"')

export const LISTENERS = ['SSL', 'MTLS', 'SASL_PLAINTEXT', 'SASL_SSL', 'SASL_MTLS', 'SHORT'] as const
export type ListenerName = (typeof LISTENERS)[number]

/** Where a client finds the listeners and what it needs, as JSON can carry it. */
export interface SecuredRig {
  readonly bootstrapServers: Readonly<Record<ListenerName | 'PLAINTEXT', string>>
  readonly caFile: string
  readonly client: Certificate
  readonly clientPkcs12: string
}

export interface SecuredKafka extends AsyncDisposable {
  readonly kafka: Kafka
  readonly rig: SecuredRig
}

const LOGIN_MODULES = 'org.apache.kafka.common.security'

/** Login modules of one listener's mechanisms, as the broker wants them. */
function mechanismsOf(listener: string): Record<string, string> {
  const prefix = `listener.name.${listener.toLowerCase()}`
  const scram = `${LOGIN_MODULES}.scram.ScramLoginModule required;`
  // Backslashes once more: the properties file takes them for its own.
  const password = JAAS_PASSWORD.replaceAll('\\', '\\\\')
  return {
    [`${prefix}.plain.sasl.jaas.config`]: `${LOGIN_MODULES}.plain.PlainLoginModule required user_${USER}="${password}";`,
    [`${prefix}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${prefix}.scram-sha-512.sasl.jaas.config`]: scram,
    [`${prefix}.oauthbearer.sasl.jaas.config`]: `${LOGIN_MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
  }
}

/**
 * A Kafka with every kind of listener. MTLS and SASL_MTLS ask for certificates of clients. SHORT is SASL_PLAINTEXT with sessions that end after `sessionMs`. The
 * OAUTHBEARER of all of them takes tokens without a signature, which is for tests.
 */
export async function startSecuredKafka(sessionMs = 3000): Promise<SecuredKafka> {
  const authority = new Authority()
  const broker = authority.issue()
  const client = authority.issue({ commonName: 'client' })
  const ports = await freePorts(LISTENERS.length)
  const portOf = (name: ListenerName) => ports[LISTENERS.indexOf(name)] as number
  const urls = LISTENERS.map(name => `${name}://127.0.0.1:${portOf(name)}`)
  const protocolOf = (name: ListenerName) =>
    ({ SSL: 'SSL', MTLS: 'SSL', SASL_SSL: 'SASL_SSL', SASL_MTLS: 'SASL_SSL' })[name as string] ??
    'SASL_PLAINTEXT'
  const protocols = LISTENERS.map(name => `${name}:${protocolOf(name)}`)
  const kafka = await startKafka({
    scramUsers: { [USER]: PASSWORD },
    properties: ({ port, controllerPort }) => ({
      'listener.security.protocol.map': ['CONTROLLER:PLAINTEXT', 'PLAINTEXT:PLAINTEXT', ...protocols].join(
        ',',
      ),
      listeners: [`PLAINTEXT://127.0.0.1:${port}`, `CONTROLLER://127.0.0.1:${controllerPort}`, ...urls].join(
        ',',
      ),
      'advertised.listeners': [`PLAINTEXT://127.0.0.1:${port}`, ...urls].join(','),
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': authority.file(`${broker.key}${broker.cert}`),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': authority.ca.certFile,
      'listener.name.mtls.ssl.client.auth': 'required',
      'listener.name.sasl_mtls.ssl.client.auth': 'required',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      ...mechanismsOf('SASL_PLAINTEXT'),
      ...mechanismsOf('SASL_SSL'),
      ...mechanismsOf('SASL_MTLS'),
      ...mechanismsOf('SHORT'),
      'listener.name.short.connections.max.reauth.ms': sessionMs,
    }),
  })
  const rig: SecuredRig = {
    bootstrapServers: {
      PLAINTEXT: kafka.bootstrapServers,
      ...(Object.fromEntries(LISTENERS.map(name => [name, `127.0.0.1:${portOf(name)}`])) as Record<
        ListenerName,
        string
      >),
    },
    caFile: authority.ca.certFile,
    client,
    clientPkcs12: authority.pkcs12(client, join('pass', 'word')),
  }
  return {
    kafka,
    rig,
    async [Symbol.asyncDispose]() {
      await kafka.stop()
      authority.remove()
    },
  }
}
