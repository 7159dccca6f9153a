import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '../helpers/free-ports.js'

export const REALM = 'MILLRACE.TEST'
const START_MS_MAX = 30_000
const run = promisify(execFile)

/** Debian's programs, which are not on the PATH of every user. */
const program = (name: string) => `/usr/sbin/${name}`

/** MIT's key distribution center on loopback, with its data in a temporary folder. */
export class Kdc implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-kdc-'))
  readonly configFile = join(this.folder, 'krb5.conf')
  private readonly env = {
    ...process.env,
    KRB5_CONFIG: this.configFile,
    KRB5_KDC_PROFILE: join(this.folder, 'kdc.conf'),
  }
  private child: ChildProcess | null = null

  static async start(): Promise<Kdc> {
    const kdc = new Kdc()
    try {
      await kdc.begin()
      return kdc
    } catch (error) {
      await kdc[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Makes a principal with a random key and answers the file with that key. */
  async keytab(principal: string, options: readonly string[] = []): Promise<string> {
    const file = join(this.folder, `${principal.replace('/', '-')}.keytab`)
    await this.admin(['addprinc', '-randkey', ...options, principal])
    await this.admin(['ktadd', '-k', file, principal])
    return file
  }

  /** A `kinit` that counts its calls, one a line. */
  countingKinit(): { command: string; calls(): string[] } {
    const command = join(this.folder, 'kinit')
    const log = join(this.folder, 'kinit.log')
    writeFileSync(command, `#!/bin/sh\necho "$*" >> '${log}'\nexec /usr/bin/kinit "$@"\n`)
    chmodSync(command, 0o755)
    return {
      command,
      calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { child } = this
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    rmSync(this.folder, { recursive: true, force: true })
  }

  private async begin(): Promise<void> {
    const port = await freePort()
    const at = (name: string) => join(this.folder, name)
    writeFileSync(
      this.configFile,
      [
        ...[
          '[libdefaults]',
          `default_realm = ${REALM}`,
          'dns_lookup_kdc = false',
          'dns_lookup_realm = false',
        ],
        // Names of brokers are those that the client gives: what is tested is its own rule.
        ...['dns_canonicalize_hostname = false', 'rdns = false', 'udp_preference_limit = 1'],
        'renew_lifetime = 1h',
        ...['[realms]', `${REALM} = {`, `kdc = 127.0.0.1:${port}`, '}', ''],
      ].join('\n'),
    )
    writeFileSync(
      at('kdc.conf'),
      [
        ...['[kdcdefaults]', `kdc_listen = 127.0.0.1:${port}`, `kdc_tcp_listen = 127.0.0.1:${port}`],
        ...[
          '[realms]',
          `${REALM} = {`,
          `database_name = ${at('principal')}`,
          `key_stash_file = ${at('stash')}`,
        ],
        ...['max_life = 1h', 'max_renewable_life = 1d', '}', ''],
        ...['[logging]', `kdc = FILE:${at('kdc.log')}`, `default = FILE:${at('kdc.log')}`, ''],
      ].join('\n'),
    )
    await run(program('kdb5_util'), ['-r', REALM, '-P', 'master', 'create', '-s'], { env: this.env })
    const child = spawn(program('krb5kdc'), ['-n', '-P', at('pid')], { env: this.env, stdio: 'ignore' })
    const kill = () => child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('exit', () => process.off('exit', kill))
    this.child = child
    await this.reached(port)
  }

  private async admin(query: readonly string[]): Promise<void> {
    const { stdout, stderr } = await run(program('kadmin.local'), ['-r', REALM, ...query], { env: this.env })
    if (/kadmin\.local: (?!.*Entry for)/.test(stderr))
      throw new Error(`${query.join(' ')}: ${stdout}${stderr}`)
  }

  private async reached(port: number): Promise<void> {
    for (const endsAt = Date.now() + START_MS_MAX; Date.now() < endsAt; await sleep(50)) {
      const socket = connect(port, '127.0.0.1')
      const isUp = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      socket.destroy()
      if (isUp) return
    }
    throw new Error(`krb5kdc does not listen within ${START_MS_MAX} ms`)
  }
}
