import { Buffer } from 'node:buffer'
import type { SecureContextOptions } from 'node:tls'
import { ConfigError } from '../../errors/index.js'
import { isCertificate, type PemBlock, pemBlocks, pemBytes, unescapedPem } from './pem.js'

/** What each of Node's options in PEM must have at least one block of, by how its label ends. */
const LABELS = { ca: 'CERTIFICATE', cert: 'CERTIFICATE', key: 'PRIVATE KEY' } as const

/**
 * Node's `ca`, `cert` and `key`, with line ends where they were escaped. Runtimes pass over a `ca` that is
 * none, and then trust nobody; here it is an error that names the option, as for the other two.
 */
export function withPem(options: SecureContextOptions): SecureContextOptions {
  const checked: Record<string, unknown> = {}
  for (const name of Object.keys(LABELS) as (keyof typeof LABELS)[]) {
    const given: unknown = options[name]
    if (!given) continue
    checked[name] = Array.isArray(given) ? given.map(each => pemOf(name, each)) : pemOf(name, given)
  }
  return { ...options, ...checked }
}

function pemOf(name: keyof typeof LABELS, given: unknown): unknown {
  // A key may come with its passphrase.
  if (typeof given === 'object' && given !== null && 'pem' in given) {
    return { ...given, pem: pemOf(name, given.pem) }
  }
  const isText = typeof given === 'string'
  if (!isText && !(given instanceof Uint8Array)) return given
  const text = isText ? given : Buffer.from(given.buffer, given.byteOffset, given.byteLength).toString()
  const blocks = pemBlocks(`tls.${name}`, text)
  check(`tls.${name}`, blocks, LABELS[name])
  const isWritten = text.includes('\n') && unescapedPem(text) === text
  return isWritten ? given : blocks.map(({ block }) => block).join('\n')
}

function check(option: string, blocks: readonly PemBlock[], label: string): void {
  const wanted = blocks.filter(block => block.label.endsWith(label))
  if (wanted.length === 0) throw new ConfigError(`${option} has no PEM block "${label}"`, 'tls')
  for (const [index, block] of wanted.entries()) {
    if (block.label !== 'CERTIFICATE' || isCertificate(pemBytes(block))) continue
    const which = `a PEM block "CERTIFICATE", number ${index + 1},`
    throw new ConfigError(`${option} has ${which} that is no certificate`, 'tls')
  }
}
