// The certificates of the cases with TLS: an authority of our own and a broker's certificate on loopback.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NAMES = 'DNS:localhost,IP:127.0.0.1'
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const VALID = ['-days', '2']

function openssl(args, cwd) {
  const { error, status, stderr } = spawnSync('openssl', args, { cwd, encoding: 'utf8' })
  if (error) throw new Error(`cases with TLS need the program openssl: ${error.message}`)
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`)
}

/** What the files in the folder of `makeCertificates` are. */
export const certificateFiles = folder => ({
  ca: join(folder, 'ca.pem'),
  cert: join(folder, 'broker.pem'),
  key: join(folder, 'broker-key.pem'),
})

/** Makes the folder and fills it; valid for two days. */
export function makeCertificates(folder) {
  mkdirSync(folder)
  const authority = ['-keyout', 'ca-key.pem', '-out', 'ca.pem', '-subj', '/CN=bench authority']
  openssl(['req', '-x509', ...NEW_KEY, ...authority, ...VALID], folder)
  const request = ['-keyout', 'broker-key.pem', '-out', 'broker.csr', '-subj', '/CN=bench broker']
  openssl(['req', ...NEW_KEY, ...request], folder)
  writeFileSync(join(folder, 'broker.ext'), `subjectAltName=${NAMES}\n`)
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-extfile', 'broker.ext']
  openssl(['x509', '-req', '-in', 'broker.csr', ...signed, '-out', 'broker.pem', ...VALID], folder)
}
