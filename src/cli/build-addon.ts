import { spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { environmentVariable } from '../common/environment.js'
import { packageRoot, packageVersion } from '../common/package-root.js'
import { type OptionTable, parseOptions } from './arguments.js'

const { bun, deno } = process.versions
const runtimeName = bun ? 'bun' : deno ? 'deno' : 'node'
const OPTIONS = { output: { type: 'string' } } as const satisfies OptionTable

/** How each package manager adds packages to the folder that it is started in, without their scripts. */
const INSTALLERS: Readonly<Record<string, (packages: readonly string[]) => readonly string[]>> = {
  npm: packages => ['install', '--prefix', '.', '--ignore-scripts', '--no-audit', '--no-fund', ...packages],
  pnpm: packages => ['add', '--dir', '.', '--ignore-scripts', ...packages],
  bun: packages => ['add', '--ignore-scripts', ...packages],
  deno: packages => ['add', '--node-modules-dir=auto', ...packages.map(name => `npm:${name}`)],
}

/** A step failed; the message says which, and what it needs. */
class BuildError extends Error {}

/** `millrace build-addon`: compiles the native addon for this platform, and answers the exit code. */
export async function buildAddon(args: readonly string[]): Promise<number> {
  const { output } = parseOptions(args, OPTIONS)
  const own = join(packageRoot, 'build/Release/millrace.node')
  const target = output === undefined ? own : resolve(output)
  let folder: string | undefined
  try {
    prepare(target)
    folder = mkdtempSync(join(tmpdir(), 'millrace-build-'))
    const tools = await findTools(folder)
    await compile(tools, join(folder, 'build'))
    const version = put(join(folder, 'build/Release/millrace.node'), target)
    process.stdout.write(`millrace build-addon: version ${version} in ${target}\n`)
    if (target !== own) process.stdout.write(`Set MILLRACE_ADDON=${target} to use it.\n`)
    return 0
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    process.stderr.write(`millrace build-addon: ${error.message}\n`)
    return 1
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}

/** Refuses what would fail only after the minute that compiling takes. */
function prepare(target: string): void {
  if (!target.endsWith('.node')) throw new BuildError(`${target}: the name of an addon has to end in .node`)
  try {
    mkdirSync(dirname(target), { recursive: true })
    if (statSync(target, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder')
    rmSync(beside(target), { force: true })
    writeFileSync(beside(target), '')
    rmSync(beside(target))
  } catch (error) {
    const { message } = error as Error
    throw new BuildError(`${target} cannot be written (${message}); --output FILE puts it elsewhere`)
  }
}

/** A name in the same folder, from which a file can be moved to its place at once. */
function beside(target: string): string {
  return join(dirname(target), `.${process.pid}-${basename(target)}`)
}

/** Loads the addon, and only then lets it take the place of one that may be in use. Answers its version. */
function put(compiled: string, target: string): string {
  const moved = beside(target)
  copyFileSync(compiled, moved)
  try {
    const { version } = createRequire(process.execPath)(moved) as { version?: string }
    if (version === undefined || version !== packageVersion())
      throw new Error(`its version is ${version}, not ${packageVersion()}`)
    renameSync(moved, target)
    return version
  } catch (error) {
    throw new BuildError(`the addon was compiled but is of no use at ${target}: ${(error as Error).message}`)
  } finally {
    rmSync(moved, { force: true })
  }
}

interface Tools {
  /** The script of cmake-js. */
  readonly cmakeJs: string
  /** The lib folder of zstd's sources. */
  readonly zstd: string
}

/** cmake-js, which brings Node-API's headers, and zstd's sources: those at hand, else fetched for once. */
async function findTools(folder: string): Promise<Tools> {
  const atHand = toolsIn(packageRoot)
  if (atHand !== undefined) return atHand
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'native/package.json'), 'utf8')) as {
    buildTools: Readonly<Record<string, string>>
  }
  const packages = Object.entries(manifest.buildTools).map(([name, version]) => `${name}@${version}`)
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  // The registry, and what it asks for, may be known to the project alone.
  const project = environmentVariable('npm_config_local_prefix') ?? process.cwd()
  for (const settings of ['.npmrc', 'bunfig.toml'].filter(name => existsSync(join(project, name)))) {
    copyFileSync(join(project, settings), join(folder, settings))
  }
  process.stdout.write(`millrace build-addon: fetching ${packages.join(', ')}\n`)
  await install(folder, packages)
  const fetched = toolsIn(folder)
  if (fetched === undefined) throw new BuildError('cmake-js or zstd-napi is not there after it was installed')
  return fetched
}

function toolsIn(folder: string): Tools | undefined {
  const cmakeJs = join(folder, 'node_modules/cmake-js/bin/cmake-js')
  const zstd = join(folder, 'node_modules/zstd-napi/deps/zstd/lib')
  return existsSync(cmakeJs) && existsSync(zstd) ? { cmakeJs, zstd } : undefined
}

/** With the package manager that runs us, else with the first that can be started. */
async function install(folder: string, packages: readonly string[]): Promise<void> {
  const agent = /^\w+/.exec(environmentVariable('npm_config_user_agent') ?? '')?.[0]
  const own = agent !== undefined && agent in INSTALLERS ? agent : runtimeName
  const names = Object.keys(INSTALLERS).sort((one, other) => Number(other === own) - Number(one === own))
  for (const name of names) {
    const [command, ...words] = name === own ? starterOf(name) : [name]
    const outcome = await run(command, [...words, ...(INSTALLERS[name]?.(packages) ?? [])], folder)
    if (outcome === 0) return
    if (outcome !== undefined) throw new BuildError(`${name} could not fetch ${packages.join(', ')}`)
  }
  throw new BuildError(`none of ${names.join(', ')} could be started to fetch ${packages.join(', ')}`)
}

/** The command of the package manager that runs us, which need not be on the PATH. */
function starterOf(name: string): [command: string, ...words: string[]] {
  if (name === runtimeName) return [process.execPath]
  const program = environmentVariable('npm_execpath')
  if (program === undefined || !existsSync(program)) return [name]
  return /\.[cm]?js$/.test(program) ? withScript(program) : [program]
}

/** What runs a script with the runtime of this process. */
function withScript(script: string): [command: string, ...words: string[]] {
  return runtimeName === 'deno' ? [process.execPath, 'run', '-A', script] : [process.execPath, script]
}

async function compile({ cmakeJs, zstd }: Tools, folder: string): Promise<void> {
  const native = join(packageRoot, 'native')
  const words = ['compile', '-d', native, '-O', folder, `--CDMILLRACE_ZSTD=${zstd.replaceAll('\\', '/')}`]
  const [command, ...script] = withScript(cmakeJs)
  const outcome = await run(command, [...script, ...words], packageRoot)
  if (outcome === 0) return
  throw new BuildError('the addon could not be compiled: that needs CMake 3.19 and a C and C++17 compiler')
}

/**
 * The environment without what npm was told when it started us: where to install, and for which workspace.
 * It hands that on to what it runs.
 */
function ownEnvironment(): NodeJS.ProcessEnv {
  const handedOn =
    /^npm_config_(global|location|prefix|local_prefix|workspaces?|include_workspace_root|call|package)$/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !handedOn.test(name)))
}

/** The exit code, -1 for a signal; undefined if there is no such program. */
function run(command: string, args: readonly string[], cwd: string): Promise<number | undefined> {
  // On Windows the package managers are scripts, which only a shell starts.
  const shell = process.platform === 'win32' && !command.includes('\\')
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd, stdio: 'inherit', shell, env: ownEnvironment() })
    child.once('error', () => resolve(undefined))
    child.once('exit', code => resolve(code ?? -1))
  })
}
