import { spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { environmentVariable } from '../common/environment.js'
import { packageRoot } from '../common/package-root.js'
import { type OptionTable, parseOptions } from './arguments.js'

const OPTIONS = { output: { type: 'string' } } as const satisfies OptionTable

/** How each package manager adds packages to a folder without running their scripts. */
const INSTALLERS: Readonly<Record<string, (folder: string) => readonly string[]>> = {
  npm: folder => ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'],
  pnpm: folder => ['add', '--dir', folder, '--ignore-scripts'],
  bun: folder => ['add', '--cwd', folder, '--ignore-scripts'],
}

/** A step failed; the message says which, and what it needs. */
class BuildError extends Error {}

/** `millrace build-addon`: compiles the native addon for this platform, and answers the exit code. */
export async function buildAddon(args: readonly string[]): Promise<number> {
  const { output } = parseOptions(args, OPTIONS)
  const own = join(packageRoot, 'build/Release/millrace.node')
  const target = output === undefined ? own : resolve(output)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-build-'))
  try {
    const tools = await findTools(folder)
    await compile(tools, join(folder, 'build'))
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(join(folder, 'build/Release/millrace.node'), target)
    const { version } = createRequire(process.execPath)(target) as { version: string }
    process.stdout.write(`millrace build-addon: version ${version} in ${target}\n`)
    if (target !== own) process.stdout.write(`Set MILLRACE_ADDON=${target} to use it.\n`)
    return 0
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    process.stderr.write(`millrace build-addon: ${error.message}\n`)
    return 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Tools {
  /** The script of cmake-js. */
  readonly cmakeJs: string
  /** The lib folder of zstd's sources. */
  readonly zstd: string
}

/** cmake-js, which brings Node-API's headers, and zstd's sources: those at hand, else fetched for this once. */
async function findTools(folder: string): Promise<Tools> {
  const atHand = toolsIn(packageRoot)
  if (atHand !== undefined) return atHand
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'native/package.json'), 'utf8')) as {
    buildTools: Readonly<Record<string, string>>
  }
  const packages = Object.entries(manifest.buildTools).map(([name, version]) => `${name}@${version}`)
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
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
  const agent = /^\w+/.exec(environmentVariable('npm_config_user_agent') ?? '')?.[0] ?? ''
  const names = Object.keys(INSTALLERS).sort((one, other) => Number(other === agent) - Number(one === agent))
  for (const name of names) {
    const outcome = await run(name, [...(INSTALLERS[name]?.(folder) ?? []), ...packages], folder)
    if (outcome === 0) return
    if (outcome !== undefined) throw new BuildError(`${name} could not fetch ${packages.join(', ')}`)
  }
  throw new BuildError(`none of ${names.join(', ')} could be started to fetch ${packages.join(', ')}`)
}

async function compile({ cmakeJs, zstd }: Tools, folder: string): Promise<void> {
  const native = join(packageRoot, 'native')
  const words = ['compile', '-d', native, '-O', folder, `--CDMILLRACE_ZSTD=${zstd.replaceAll('\\', '/')}`]
  const outcome = await run(process.execPath, [cmakeJs, ...words], packageRoot)
  if (outcome === 0) return
  throw new BuildError('the addon could not be compiled: that needs CMake 3.19 and a C and C++17 compiler')
}

/** The exit code, -1 for a signal; undefined if there is no such program. */
function run(command: string, args: readonly string[], cwd: string): Promise<number | undefined> {
  // On Windows the package managers are scripts, which only a shell starts.
  const shell = process.platform === 'win32' && !command.includes('\\')
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd, stdio: 'inherit', shell })
    child.once('error', () => resolve(undefined))
    child.once('exit', code => resolve(code ?? -1))
  })
}
