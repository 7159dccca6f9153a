import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate and its key, as PEM text and as files. */
export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
}

export interface CertificateOptions {
  /** Subject alternative names, as OpenSSL spells them; default the names of loopback. */
  names?: string
  /** Default 2; negative: it has expired. */
  days?: number
  commonName?: string
}

const LOOPBACK = 'DNS:localhost,IP:127.0.0.1'
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** Why certificates cannot be made here, as node:test's `skip` takes it; with `CI=true` that is an error. */
export function opensslSkip(): string | false {
  if (spawnSync('openssl', ['version']).error === undefined) return false
  if (process.env.CI === 'true') throw new Error('openssl not found, and with CI=true nothing may be skipped')
  return 'openssl not found on the PATH'
}

/** Certificates made for one test run, in a folder that `remove` takes away. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-certificates-'))
  readonly ca: Certificate
  private made = 0

  constructor() {
    process.once('exit', () => this.remove())
    this.ca = this.selfSigned('authority')
  }

  /** A certificate that vouches for itself. */
  selfSigned(commonName: string, names = LOOPBACK): Certificate {
    const paths = this.paths()
    openssl([
      ...['req', '-x509', ...NEW_KEY, '-keyout', paths.keyFile, '-out', paths.certFile, '-days', '2'],
      ...['-subj', `/CN=${commonName}`, '-addext', `subjectAltName=${names}`],
    ])
    return this.read(paths)
  }

  /** A certificate of this authority. */
  issue({ names = LOOPBACK, days = 2, commonName = 'broker' }: CertificateOptions = {}): Certificate {
    const paths = this.paths()
    const [request, extensions] = [`${paths.certFile}.csr`, `${paths.certFile}.ext`]
    openssl(['req', ...NEW_KEY, '-keyout', paths.keyFile, '-out', request, '-subj', `/CN=${commonName}`])
    writeFileSync(extensions, names === '' ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=${names}\n`)
    openssl([
      ...['x509', '-req', '-in', request, '-CA', this.ca.certFile, '-CAkey', this.ca.keyFile],
      ...['-CAcreateserial', '-out', paths.certFile, '-days', String(days), '-extfile', extensions],
    ])
    return this.read(paths)
  }

  /** A PKCS#12 file of a certificate, its key and this authority. */
  pkcs12({ certFile, keyFile }: Certificate, password: string, ...more: string[]): string {
    const file = join(this.folder, `${++this.made}.p12`)
    const content = ['-inkey', keyFile, '-in', certFile, '-certfile', this.ca.certFile]
    openssl(['pkcs12', '-export', ...content, '-out', file, '-passout', `pass:${password}`, ...more])
    return file
  }

  /** A file of this text. */
  file(text: string): string {
    const file = join(this.folder, `${++this.made}.pem`)
    writeFileSync(file, text)
    return file
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  private paths() {
    const base = join(this.folder, String(++this.made))
    return { certFile: `${base}.crt`, keyFile: `${base}.key` }
  }

  private read(paths: { certFile: string; keyFile: string }): Certificate {
    return {
      ...paths,
      cert: readFileSync(paths.certFile, 'utf8'),
      key: readFileSync(paths.keyFile, 'utf8'),
    }
  }
}

export function openssl(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl ${args[0]} failed: ${stderr}`)
  return stdout
}
