import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { freePort } from '../helpers/free-ports.js'
import { exampleFile, ROOT } from './program.js'

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 20_000

/** What is used here of `pg`'s client. */
export interface Client {
  connect(): Promise<void>
  query<Row>(text: string, values?: readonly unknown[]): Promise<{ rows: Row[] }>
  end(): Promise<void>
}

const { Client: PgClient } = createRequire(exampleFile('outbox/package.json'))('pg') as {
  Client: new (options: { connectionString: string }) => Client
}

/** A PostgreSQL server on a free loopback port, with its data in a temporary folder that is removed with it. */
export class Postgres implements AsyncDisposable {
  readonly url: string
  private readonly folder: string
  private readonly server: ChildProcess
  private readonly clients: Client[] = []

  private constructor(folder: string, server: ChildProcess, port: number) {
    this.folder = folder
    this.server = server
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`
  }

  static async start(): Promise<Postgres> {
    const setup = pathToFileURL(join(ROOT, 'scripts/setup.mjs')).href
    const { findPostgres } = (await import(setup)) as { findPostgres(): string | undefined }
    const programs = findPostgres()
    if (programs === undefined)
      throw new Error('PostgreSQL is not installed: node scripts/setup.mjs --postgres')
    const folder = mkdtempSync(join(tmpdir(), 'millrace-postgres-'))
    const data = join(folder, 'data')
    const owner = ownerOf(folder)
    const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    execFileSync(join(programs, 'initdb'), initdb, { ...owner, cwd: folder, stdio: 'ignore' })
    const port = await freePort()
    const settings = {
      listen_addresses: '127.0.0.1',
      port,
      unix_socket_directories: '',
      fsync: 'off',
      shared_buffers: '16MB',
    }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const stdio: SpawnOptions['stdio'] = ['ignore', 'ignore', 'pipe']
    const server = spawn(join(programs, 'postgres'), ['-D', data, ...args], { ...owner, cwd: folder, stdio })
    const kill = () => server.kill('SIGQUIT')
    process.once('exit', kill)
    server.once('exit', () => process.off('exit', kill))
    await readiness(server)
    return new Postgres(folder, server, port)
  }

  /** A connection that is closed with the server. */
  async connect(): Promise<Client> {
    const client = new PgClient({ connectionString: this.url })
    await client.connect()
    this.clients.push(client)
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map(client => client.end()))
    if (this.server.exitCode === null && this.server.signalCode === null) {
      const ended = once(this.server, 'exit')
      this.server.kill('SIGINT')
      const timer = setTimeout(() => this.server.kill('SIGQUIT'), STOP_TIMEOUT_MS)
      await ended
      clearTimeout(timer)
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** PostgreSQL refuses to run as root; then its own user, whom the Debian package makes, runs it. */
function ownerOf(folder: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  const owner = { uid: idOf('-u'), gid: idOf('-g') }
  chownSync(folder, owner.uid, owner.gid)
  return owner
}

function readiness(server: ChildProcess): Promise<void> {
  const lines: string[] = []
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      server.kill('SIGQUIT')
      reject(new Error(`PostgreSQL: ${why}\n${lines.join('\n')}`))
    }
    const timer = setTimeout(fail, START_TIMEOUT_MS, `not ready after ${START_TIMEOUT_MS} ms`)
    server.once('error', error => fail(error.message))
    server.once('exit', (code, signal) => fail(`ended with ${signal ?? code}`))
    createInterface({ input: server.stderr as NodeJS.ReadableStream }).on('line', line => {
      if (lines.length < 1000) lines.push(line)
      if (!line.includes('ready to accept connections')) return
      clearTimeout(timer)
      resolve()
    })
  })
}
