// `npm run package [-- --host]`: makes the tarball that is published, millrace-VERSION.tgz in the root: the
// addons of all targets, the bundled JavaScript, declarations, hashes, licences and a bill of materials.
//   --host    with the addon that `npm run build` has made, for this platform alone: for tests, in seconds
//   --output  the folder for the tarball
//   --twice   compiles each addon a second time, from nothing but sources, and compares them byte for byte
//   --verify  runs the addons where they can be run here, looks into the others, and measures what an
//             installation takes (packaging/verify.mjs)
//   --table   tries the tarball in every tool chain, installed by every package manager; half an hour
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { filesUnder, isOutdated, main, npm, root, run, StepError, seconds } from './commands.mjs'
import { bundle } from './packaging/bundle.mjs'
import {
  packedManifest,
  sha256,
  shippedFiles,
  writeBill,
  writeHashes,
  writeLicences,
} from './packaging/contents.mjs'
import { writeDeclarations } from './packaging/declarations.mjs'
import { buildPrebuild, hostTarget, targets } from './packaging/prebuilds.mjs'
import { setUp } from './setup.mjs'

const MiB = 1024 * 1024
const TARBALL_MAX = 3 * MiB
const UNPACKED_MAX = 10 * MiB
const PREBUILDS = 'prebuilds'
const AGAIN = '.cache/package/again'
/** What a prebuilt addon follows from. */
const ADDON_SOURCES = [
  ...['native/core', 'native/binding', 'native/prebuild', 'native/sources.gypi', 'native/targets.json'],
  ...['scripts/packaging/prebuilds.mjs', 'scripts/packaging/requirements.txt', 'package.json'],
]
const HOST_ADDON = 'build/Release/millrace.node'

/** In a package for this platform alone bundlers still have to find a file under each literal path. */
const PLACEHOLDER = 'This package was made with --host and carries an addon for one platform only.\n'

/** Makes the tarball; returns its path. */
export async function makePackage({ host = false, folder = root } = {}) {
  const startedMs = Date.now()
  await setUp(['deps', 'typescript', ...(host ? ['native'] : [])])
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  // Tests pack side by side.
  const stage = join(root, '.cache/package', host ? `host-${process.pid}` : 'all')
  rmSync(stage, { recursive: true, force: true })
  mkdirSync(join(stage, PREBUILDS), { recursive: true })
  const compiler = host ? 'host compiler' : zigVersion()
  if (host) await placeHostAddon(join(stage, PREBUILDS))
  else await placePrebuilds(join(stage, PREBUILDS))
  await bundle(manifest, join(stage, 'dist'))
  writeDeclarations(manifest, join(stage, 'dist'))
  for (const file of shippedFiles()) {
    mkdirSync(dirname(join(stage, file)), { recursive: true })
    copyFileSync(join(root, file), join(stage, file))
  }
  const packed = packedManifest(manifest)
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(packed, null, 2)}\n`)
  const names = targets.map(({ name }) => name)
  writeHashes(join(stage, PREBUILDS), manifest.version, names, compiler)
  writeLicences(stage, manifest, compiler)
  writeBill(stage, packed, compiler)
  const tarball = await pack(stage, folder, manifest, host)
  if (host) rmSync(stage, { recursive: true, force: true })
  console.log(`package: ${tarball} in ${seconds(startedMs)}`)
  return tarball
}

function zigVersion() {
  const pinned = readFileSync(join(root, 'scripts/packaging/requirements.txt'), 'utf8')
  return pinned.trim().replace('ziglang==', 'zig ')
}

/** Addons that are newer than what they are made of are kept. */
async function placePrebuilds(folder) {
  const built = join(root, PREBUILDS)
  for (const target of targets) {
    const file = `${PREBUILDS}/${target.name}/millrace.node`
    if (isOutdated(file, ADDON_SOURCES)) await buildPrebuild(target, built)
    mkdirSync(join(folder, target.name))
    copyFileSync(join(root, file), join(folder, target.name, 'millrace.node'))
  }
}

async function placeHostAddon(folder) {
  const own = await hostTarget()
  for (const { name } of targets) {
    mkdirSync(join(folder, name))
    const file = join(folder, name, 'millrace.node')
    if (name === own.name) copyFileSync(join(root, HOST_ADDON), file)
    else writeFileSync(file, PLACEHOLDER)
  }
}

async function pack(stage, folder, manifest, host) {
  mkdirSync(folder, { recursive: true })
  await npm(['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: stage })
  const tarball = join(folder, `${manifest.name}-${manifest.version}.tgz`)
  const packedBytes = statSync(tarball).size
  const unpackedBytes = filesUnder([stage.slice(root.length + 1)])
    .map(file => statSync(join(root, file)).size)
    .reduce((sum, bytes) => sum + bytes, 0)
  const shown = bytes => `${(bytes / MiB).toFixed(2)} MiB`
  console.log(
    `package: ${shown(packedBytes)} packed, ${shown(unpackedBytes)} unpacked, sha256 ${sha256(tarball)}`,
  )
  if (!host && packedBytes > TARBALL_MAX) throw new StepError(`the tarball is over ${shown(TARBALL_MAX)}`)
  if (!host && unpackedBytes > UNPACKED_MAX) throw new StepError(`unpacked it is over ${shown(UNPACKED_MAX)}`)
  return tarball
}

/**
 * Builds every addon anew, into another folder and with nothing compiled of what it is made of. Returns rows
 * for the verification.
 */
async function compareBuilds() {
  const again = join(root, AGAIN)
  const cache = join(root, '.cache/package/again-cache')
  rmSync(cache, { recursive: true, force: true })
  const rows = []
  for (const target of targets) {
    const path = `${target.name}/millrace.node`
    // As the first builds are kept: a run that was interrupted goes on where it was.
    const isKept = !isOutdated(`${AGAIN}/${path}`, ADDON_SOURCES)
    if (!isKept) await buildPrebuild(target, again, { cache })
    const isSame = sha256(join(again, path)) === sha256(join(root, PREBUILDS, path))
    const note = isSame ? 'equal byte for byte' : 'two builds differ'
    console.log(`package: ${target.name}: ${note}`)
    rows.push({ name: target.name, how: 'built twice', outcome: isSame ? 'passed' : 'FAILED', note })
  }
  rmSync(cache, { recursive: true, force: true })
  return rows
}

async function table(tarball) {
  await setUp(['deps', 'native', 'typescript', 'tests', 'runtimes', 'packaging-tools'])
  await run(process.execPath, ['dist-test/packaging/table.js', tarball])
}

await main(import.meta.url, async words => {
  const known = ['--host', '--output', '--twice', '--verify', '--table']
  const at = words.indexOf('--output')
  const folder = at < 0 ? root : resolve(words[at + 1] ?? root)
  const unknown = words.find((word, index) => !known.includes(word) && (at < 0 || index !== at + 1))
  if (unknown !== undefined) throw new StepError(`unknown option ${unknown}: ${known.join(', ')}`)
  const tarball = await makePackage({ host: words.includes('--host'), folder })
  const rebuilt = words.includes('--twice') ? await compareBuilds() : []
  if (words.includes('--verify')) await (await import('./packaging/verify.mjs')).verify(tarball, rebuilt)
  const differing = rebuilt.filter(({ outcome }) => outcome === 'FAILED').map(({ name }) => name)
  if (differing.length > 0) throw new StepError(`not reproducible: ${differing.join(', ')}`)
  if (words.includes('--table')) await table(tarball)
})
