// Fresh projects with the packed package in them, and commands run in them with no compiler on the PATH.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TOOLS = join(ROOT, 'test/packaging/node_modules')
const COMMAND_MS = 300_000
const ALL = '{"delivered":["none","gzip","snappy","lz4","zstd"],"isSame":true}'

/** A program of the tools that test/packaging/package.json pins. */
export function tool(path: string): string {
  return join(TOOLS, path)
}

/** Packs this checkout with the addon of this platform; returns the tarball. */
export async function packForHost(folder: string): Promise<string> {
  await run(ROOT, process.execPath, ['scripts/package.mjs', '--host', '--output', folder], process.env)
  const [name] = readdirSync(folder).filter(file => file.endsWith('.tgz'))
  return join(folder, name ?? 'no tarball')
}

/** The version of a tool that test/packaging/package.json pins. */
export function versionOf(name: string): string {
  return JSON.parse(readFileSync(tool(`${name}/package.json`), 'utf8')).version
}

/** A folder with `node` and nothing else in it. Beside the system's own node there may be compilers. */
function folderOfNode(): string {
  // There links need a privilege, and nobody has compilers beside node.exe.
  if (process.platform === 'win32') return dirname(process.execPath)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-path-'))
  symlinkSync(process.execPath, join(folder, 'node'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

let pathOfNode: string | undefined

/** Only node can be found by its name: neither a compiler nor a shell's usual programs. */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const { CC: _cc, CXX: _cxx, NODE_OPTIONS: _options, ...rest } = process.env
  pathOfNode ??= folderOfNode()
  return { ...rest, PATH: pathOfNode, npm_config_ignore_scripts: 'true' }
}

export async function run(
  cwd: string,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = bareEnvironment(),
  timeout = COMMAND_MS,
): Promise<string> {
  try {
    const options = { cwd, env, timeout, maxBuffer: 2 ** 26 }
    const { stdout } = await promisify(execFile)(command, args, options)
    return stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${[command, ...args].join(' ')}\n${stdout}${stderr}`, { cause: error })
  }
}

export class Project {
  /** Of a name that users' folders may have, too. */
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace packaging ü '))
  /** The environment of commands that are given none. */
  env: NodeJS.ProcessEnv = bareEnvironment()
  /** What a command may take. */
  commandMs = COMMAND_MS

  constructor(manifest: object = {}) {
    this.write({ 'package.json': JSON.stringify({ name: 'project', private: true, ...manifest }) })
    copyFileSync(join(ROOT, 'test/packaging/programs/deliver.cjs'), join(this.folder, 'deliver.cjs'))
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true })
      writeFileSync(join(this.folder, name), text)
    }
  }

  read(name: string): Promise<string> {
    return readFile(join(this.folder, name), 'utf8')
  }

  run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = this.env): Promise<string> {
    return run(this.folder, command, args, env, this.commandMs)
  }

  /** The command prints that every codec has delivered all its records, and that no class exists twice. */
  async delivers(command: string, args: readonly string[]): Promise<void> {
    const output = await this.run(command, args)
    assert.equal(
      output.split('\n').find(line => line.startsWith('{"delivered"')),
      ALL,
      output,
    )
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
