import { shownValue } from '../common/secret.js'
import { ConfigError } from '../errors/index.js'

const OPTION = 'allowedBrokerHosts'
/** A host name, an IP address, or `.` or `*.` and the names under which hosts are allowed. */
const PATTERN = /^(?:\*?\.)?[\w%:-][\w.%:-]{0,253}$/

/**
 * Which hosts a broker may send this client to, by `allowedBrokerHosts`: each entry is one host, by name or
 * IP address, or all hosts below a domain (`.kafka.example` or `*.kafka.example`, which is not
 * `kafka.example` itself). Letter case makes no difference. Null where any will do.
 *
 * @throws ConfigError for what is neither a list nor text with commas, or has an entry that is no such
 * pattern
 */
export function resolveAllowedHosts(given: unknown): ((host: string) => boolean) | null {
  if (given === undefined) return null
  const entries = typeof given === 'string' ? given.split(',') : given
  if (!Array.isArray(entries) || entries.length === 0) throw invalid('it is no list')
  const names = new Set<string>()
  const suffixes: string[] = []
  for (const entry of entries) {
    const pattern = typeof entry === 'string' ? normal(entry.trim()) : ''
    if (!PATTERN.test(pattern)) {
      throw invalid(`an entry is ${typeof entry === 'string' ? shownValue(entry) : `a ${typeof entry}`}`)
    }
    const isSuffix = pattern.startsWith('.') || pattern.startsWith('*.')
    if (isSuffix) suffixes.push(pattern.slice(pattern.indexOf('.')))
    else names.add(pattern)
  }
  return host => {
    const name = normal(host)
    return names.has(name) || suffixes.some(suffix => name.length > suffix.length && name.endsWith(suffix))
  }
}

/** A name may end with the dot of the root. */
function normal(host: string): string {
  const lower = host.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

function invalid(what: string): ConfigError {
  return new ConfigError(
    `${OPTION} is not valid: ${what}; allowed: hosts such as broker1.example, addresses, and domains such ` +
      'as .kafka.example, as an array or one string with commas',
    OPTION,
  )
}
