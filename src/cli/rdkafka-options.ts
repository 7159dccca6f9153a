import { isOptionLike } from '../common/secret.js'
import { describeOptions } from '../index.js'
import { quote, UsageError } from './arguments.js'

/** Names of librdkafka that mean what another name of Java's producer does, in the same unit. */
const SAME_MEANING: Readonly<Record<string, string>> = {
  'metadata.broker.list': 'bootstrap.servers',
  'compression.codec': 'compression.type',
  'request.required.acks': 'acks',
  'queue.buffering.max.ms': 'linger.ms',
  'message.max.bytes': 'max.request.size',
  'message.timeout.ms': 'delivery.timeout.ms',
  'message.send.max.retries': 'retries',
  'max.in.flight': 'max.in.flight.requests.per.connection',
  'sasl.mechanisms': 'sasl.mechanism',
  'socket.send.buffer.bytes': 'send.buffer.bytes',
  'socket.receive.buffer.bytes': 'receive.buffer.bytes',
  'topic.metadata.refresh.interval.ms': 'metadata.max.age.ms',
  'ssl.ca.location': 'ssl.truststore.location',
}

/** Names whose meaning Java's producer has under none, or not alone. */
const NO_EQUAL: Readonly<Record<string, string>> = {
  'queue.buffering.max.messages': 'buffer.memory counts bytes',
  'queue.buffering.max.kbytes': 'buffer.memory counts bytes, not KiB',
  'batch.num.messages': 'batch.size counts bytes',
  'socket.timeout.ms': 'request.timeout.ms',
  'ssl.certificate.location': 'ssl.keystore.location takes key and certificates in one PEM file',
  'ssl.key.location': 'ssl.keystore.location takes key and certificates in one PEM file',
  partitioner: 'records go where Java puts them; -p sends all to one partition',
  debug: '--verbose',
}

const LOGIN_MODULES: Readonly<Record<string, string>> = {
  PLAIN: 'org.apache.kafka.common.security.plain.PlainLoginModule',
  'SCRAM-SHA-256': 'org.apache.kafka.common.security.scram.ScramLoginModule',
  'SCRAM-SHA-512': 'org.apache.kafka.common.security.scram.ScramLoginModule',
}

const USERNAME = 'sasl.username'
const PASSWORD = 'sasl.password'

/** A string of `sasl.jaas.config`. */
function jaasText(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}

/**
 * Options of librdkafka, as kcat's `-X` and `-F` give them, under Java's names. Throws {@link UsageError} for
 * those that have no equal; Java's own names are taken as they are.
 */
export function fromRdkafka(pairs: Iterable<readonly [name: string, value: string]>): Record<string, string> {
  const options: Record<string, string> = {}
  const login: Record<string, string> = {}
  const known = new Set<string>(describeOptions().map(({ key }) => key))
  for (const [given, value] of pairs) {
    const name = given.replace(/^topic\./, match =>
      given === 'topic.metadata.refresh.interval.ms' ? match : '',
    )
    if (name === USERNAME || name === PASSWORD) {
      login[name] = value
      continue
    }
    const key = SAME_MEANING[name] ?? name
    const instead = NO_EQUAL[name]
    if (instead !== undefined) throw new UsageError(`-X ${given}: this producer has no equal; ${instead}`)
    if (!known.has(key)) throw noSuchOption(given, value)
    options[key] = value
    if (name === 'ssl.ca.location') options['ssl.truststore.type'] = 'PEM'
  }
  if (USERNAME in login || PASSWORD in login) {
    const mechanism = options['sasl.mechanism'] ?? ''
    const loginModule = LOGIN_MODULES[mechanism.toUpperCase()]
    if (loginModule === undefined) {
      throw new UsageError(`-X ${USERNAME} needs -X sasl.mechanism=PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512`)
    }
    const { [USERNAME]: username = '', [PASSWORD]: password = '' } = login
    options['sasl.jaas.config'] =
      `${loginModule} required username=${jaasText(username)} password=${jaasText(password)};`
  }
  return options
}

/** What `-X list` prints: every option that does something, with its default and what it does. */
export function optionList(): string {
  return describeOptions()
    .filter(({ available }) => available)
    .map(({ key, default: byDefault, valid, doc }) => {
      const shown = byDefault === undefined || byDefault === null ? '' : ` (default ${byDefault})`
      return `${key}${shown}\n    ${doc}\n    ${valid}\n`
    })
    .join('')
}

/** A line of a file that has no value may be one, and a secret. */
function noSuchOption(name: string, value: string): UsageError {
  const shown = value !== '' && isOptionLike(name) ? quote(name) : `a name of ${name.length} characters`
  return new UsageError(`-X ${shown}: no such option; -X list shows them`)
}
