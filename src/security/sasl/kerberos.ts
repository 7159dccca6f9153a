import { environmentVariable } from '../../common/environment.js'
import type { Logger } from '../../common/logger.js'
import { shownValue } from '../../common/secret.js'
import { ConfigError } from '../../errors/index.js'
import { gssapi } from './gssapi.js'
import { checkModule, parseJaasConfig } from './jaas.js'
import { KerberosTickets, type TicketSource } from './kerberos-tickets.js'
import type { SaslMechanism } from './mechanism.js'
import type { SaslOptions } from './options.js'
import { ticketCacheFile } from './ticket-cache.js'

type JaasOptions = ReadonlyMap<string, string>

/**
 * GSSAPI, as `sasl.kerberos.*` and a JAAS entry of `Krb5LoginModule` say. The entry may be missing: the
 * process's tickets are used then.
 */
export function configureKerberos(options: SaslOptions, logger: Logger): SaslMechanism {
  const given = (['credentialsProvider', 'tokenProvider'] as const).find(name => options[name] !== null)
  if (given !== undefined) {
    const option = given === 'tokenProvider' ? 'saslOauthTokenProvider' : 'saslCredentialsProvider'
    throw new ConfigError(
      `${option} has no meaning with sasl.mechanism = GSSAPI, the default; set another sasl.mechanism`,
      option,
    )
  }
  const jaas = jaasOptions(options)
  return gssapi({
    serviceName: serviceNameOf(options.kerberos.serviceName, jaas),
    principal: jaas.get('principal') ?? null,
    tickets: new KerberosTickets(sourceOf(jaas), options.kerberos, logger),
  })
}

function jaasOptions({ jaasConfig, mechanism }: SaslOptions): JaasOptions {
  if (jaasConfig === null) return new Map()
  const entry = parseJaasConfig(jaasConfig.reveal())
  checkModule(entry, mechanism, ['Krb5LoginModule'])
  return entry.options
}

function serviceNameOf(option: string | null, jaas: JaasOptions): string {
  const key = 'sasl.kerberos.service.name'
  const inEntry = jaas.get('serviceName') ?? null
  if (option !== null && inEntry !== null && option !== inEntry) {
    throw new ConfigError(
      `${key} = ${shownValue(option)} and serviceName = ${shownValue(inEntry)} of sasl.jaas.config differ`,
      key,
    )
  }
  const name = option ?? inEntry
  if (name !== null && /^[^\s@/]+$/.test(name)) return name
  const what =
    name === null ? `sasl.mechanism = GSSAPI needs ${key}` : `${key} = ${shownValue(name)} is not valid`
  throw new ConfigError(
    `${what}: the first part of the brokers' principal, such as kafka; for another mechanism than Kerberos ` +
      'set sasl.mechanism',
    key,
  )
}

function sourceOf(jaas: JaasOptions): TicketSource {
  const isOn = (name: string) => jaas.get(name)?.toLowerCase() === 'true'
  checkCache(jaas.get('ticketCache'))
  if (!isOn('useKeyTab')) return { kind: isOn('useTicketCache') ? 'cache' : 'given' }
  const principal = jaas.get('principal')
  if (principal === undefined || principal === '' || principal.startsWith('-')) {
    throw new ConfigError('sasl.jaas.config needs a principal with useKeyTab', 'sasl.jaas.config')
  }
  return { kind: 'keytab', principal, file: jaas.get('keyTab')?.replace(/^FILE:/, '') ?? null }
}

/** The system's library reads one cache in a process, which its environment names. */
function checkCache(given: string | undefined): void {
  const file = given?.replace(/^FILE:/, '')
  if (file === undefined || file === ticketCacheFile()) return
  const used = shownValue(environmentVariable('KRB5CCNAME') ?? 'the default one')
  throw new ConfigError(
    `sasl.jaas.config names the ticket cache ${shownValue(file)}, but the process uses ${used}: ` +
      `start it with KRB5CCNAME=FILE:${file}`,
    'sasl.jaas.config',
  )
}
