// What the words of a client's command line (commands.js) mean to the producers written in JavaScript.
import { readFileSync } from 'node:fs'
import { readPayloads } from './payload-file.js'

export const isText = given => given.text === 'true'

export const payloadsGiven = given => readPayloads(given.payloads, { isText: isText(given) })

/** Trust in the authority whose certificate is in the file. */
export const tlsProperties = ca => ({
  'security.protocol': 'SSL',
  'ssl.truststore.type': 'PEM',
  'ssl.truststore.location': ca,
})

/** In the names of Java's producer, which are millrace's. */
export function javaProperties({ bootstrapServers, lingerMs, batchBytes, compression, zstdLevel, ca }) {
  return {
    'bootstrap.servers': bootstrapServers,
    'linger.ms': Number(lingerMs),
    'batch.size': Number(batchBytes),
    'compression.type': compression,
    ...(compression === 'zstd' ? { 'compression.zstd.level': Number(zstdLevel) } : {}),
    ...(ca ? tlsProperties(ca) : {}),
  }
}

/** Options of `node:tls`, for the producers that take those; undefined where the case is without TLS. */
export const tlsOptions = ({ ca }) => (ca ? { ca: [readFileSync(ca)] } : undefined)
