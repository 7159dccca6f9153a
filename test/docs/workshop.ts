// Where blocks of documents are compiled and run: a folder that finds the package by its name.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Authority } from '../helpers/certificates.js'
import { type Block, ROOT } from './documents.js'

const TIMEOUT_MS = 60_000
/** A server that a block starts is asked once and then told to end, as by whoever runs it. */
const ONE_REQUEST = `server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as import('node:net').AddressInfo
  await fetch(\`http://127.0.0.1:\${port}/asked\`)
  process.kill(process.pid, 'SIGTERM')
})`
const GIVEN = [
  ...['Producer', 'producer', 'anotherProducer', 'deadLetters', 'events', 'key', 'value', 'invoices'],
  ...['groupMetadata', 'username', 'password', 'register', 'log', 'response'],
]
const COMPILER_OPTIONS = {
  ...{ target: 'ES2022', lib: ['ES2023', 'ESNext.Disposable', 'DOM'], module: 'NodeNext', types: ['node'] },
  ...{ strict: true, skipLibCheck: true, outDir: 'out', rootDir: 'src', noEmitOnError: false },
}

/** What a program that has ended has printed. */
export interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
  readonly errors: string
}

export class Workshop {
  readonly folder: string

  constructor(name: string) {
    this.folder = join(ROOT, '.cache', name)
    rmSync(this.folder, { recursive: true, force: true })
    mkdirSync(join(this.folder, 'src'), { recursive: true })
    mkdirSync(join(this.folder, 'node_modules'))
    symlinkSync(ROOT, join(this.folder, 'node_modules/millrace'), 'junction')
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }')
    const { cert, key } = new Authority().ca
    this.save('ca.pem', cert)
    this.save('ca.crt', cert)
    this.save('client.pem', key + cert)
    this.save('producer.properties', 'bootstrap.servers=127.0.0.1:9092\nlinger.ms=20\n')
    for (const file of ['given.ts', 'foreign.d.ts']) {
      cpSync(join(ROOT, 'test/docs', file), join(this.folder, 'src', file))
    }
  }

  save(name: string, content: string): void {
    writeFileSync(join(this.folder, name), content)
  }

  /** The path of a block's program, without its ending. */
  programOf({ file, line }: Block): string {
    return `${basename(file, '.md')}__${line}`
  }

  /** Writes blocks as modules, with what they use and do not declare. */
  write(blocks: readonly Block[], bootstrapServers: string): void {
    for (const block of blocks) {
      const used = GIVEN.filter(name => usesUndeclared(block.text, name))
      const head = used.length === 0 ? '' : `import { closeGiven, ${used.join(', ')} } from './given.js'\n`
      const isServer = block.text.includes('server.listen(')
      const foot = used.length === 0 || isServer ? '\nexport {}\n' : '\nawait closeGiven()\n'
      // Blocks that run side by side would fence each other.
      const body = block.text
        .replaceAll('localhost:9092', bootstrapServers)
        .replace('server.listen(8080)', ONE_REQUEST)
        .replaceAll("'billing-1'", `'${this.programOf(block)}'`)
      const [folder, ending] = block.language === 'ts' ? ['src', 'mts'] : ['out', 'mjs']
      mkdirSync(join(this.folder, folder), { recursive: true })
      writeFileSync(join(this.folder, folder, `${this.programOf(block)}.${ending}`), head + body + foot)
    }
  }

  /** Compiles everything in one go; answers what the compiler says, a line a finding. */
  compile(): string[] {
    const tsconfig = { compilerOptions: COMPILER_OPTIONS, include: ['src'] }
    this.save('tsconfig.json', JSON.stringify(tsconfig))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], {
      cwd: this.folder,
      encoding: 'utf8',
    })
    return stdout.split('\n').filter(line => line !== '')
  }

  runBlock(block: Block, env: NodeJS.ProcessEnv): Promise<Ended> {
    return this.run(process.execPath, [join('out', `${this.programOf(block)}.mjs`)], env)
  }

  async run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const child = spawn(program, args, {
      cwd: this.folder,
      env: { ...process.env, ...env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS)
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    const [output, errors, [status, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      ended,
    ])
    clearTimeout(timer)
    return { status, signal, output, errors }
  }
}

/** Whether a block uses a name that it does not declare at its top level. */
function usesUndeclared(code: string, name: string): boolean {
  const plain = code.replace(/\/\/.*$/gm, '').replace(/'[^'\n]*'/g, "''")
  if (!new RegExp(`(?<![.\\w])${name}\\b(?!\\s*:)`).test(plain)) return false
  const declared = `^(?:export )?(?:const|let|await using|(?:async )?function\\*?|class|import)\\b[^=;\\n]*?\\b${name}\\b`
  return !new RegExp(declared, 'm').test(plain)
}
