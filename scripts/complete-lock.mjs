// npm leaves an optional platform package out of package-lock.json when the registry in use does not serve
// it, and `npm ci` then refuses the lock on every machine ("Missing: … from lock file"). This adds what is
// left out, so that the lock is complete for all platforms:
//   node scripts/complete-lock.mjs [--check] [package-lock.json …]
import { readFileSync, writeFileSync } from 'node:fs'
import { main } from './commands.mjs'

const OS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const CPU = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']
const ALIASES = { aarch64: 'arm64', armv7: 'arm', i686: 'ia32', windows: 'win32', x86_64: 'x64' }

/** The `os` and `cpu` a platform package is for, read from its name; undefined when the name does not say. */
export function platformOf(name) {
  const words = name.split(/[-/@.]/).map(word => ALIASES[word] ?? word)
  if (words.includes('wasm32')) return { cpu: ['wasm32'] }
  const os = words.includes('android') ? 'android' : words.find(word => OS.includes(word))
  const cpu = words.find(word => CPU.includes(word))
  if (os === undefined) return undefined
  const libc = words.includes('musl') ? { libc: ['musl'] } : {}
  return { os: [os], ...(cpu === undefined ? {} : { cpu: [cpu] }), ...libc }
}

function isLocked(packages, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true
    if (at === '') return false
  }
}

/** The optional dependencies that the lock names but has no entry for: `{ name, version, from }` each. */
export function missingOptional(lock) {
  const missing = new Map()
  for (const [from, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!isLocked(lock.packages, from, name)) missing.set(name, { name, version, from })
    }
  }
  return [...missing.values()]
}

/** A copy of the lock with an entry for each missing platform package, in npm's order. */
export function completed(lock) {
  const packages = { ...lock.packages }
  for (const { name, version, from } of missingOptional(lock)) {
    const platform = platformOf(name)
    if (platform === undefined) throw new Error(`${name} is not locked and its name tells no platform`)
    if (!/^\d+\.\d+\.\d+\S*$/.test(version)) throw new Error(`${name} is wanted as ${version}: pin it first`)
    const dev = lock.packages[from].dev ? { dev: true } : {}
    const { cpu, libc, os } = platform
    const entry = { version, cpu, ...dev, libc, optional: true, os }
    packages[`node_modules/${name}`] = JSON.parse(JSON.stringify(entry))
  }
  const order = Object.keys(packages).sort((a, b) => a.localeCompare(b, 'en'))
  return { ...lock, packages: Object.fromEntries(order.map(key => [key, packages[key]])) }
}

await main(import.meta.url, async args => {
  const files = args.filter(arg => !arg.startsWith('--'))
  for (const file of files.length > 0 ? files : ['package-lock.json']) {
    const lock = JSON.parse(readFileSync(file, 'utf8'))
    const names = missingOptional(lock).map(each => each.name)
    if (names.length === 0) continue
    console.log(`${file}: not locked: ${names.join(', ')}`)
    if (args.includes('--check')) process.exitCode = 1
    else writeFileSync(file, `${JSON.stringify(completed(lock), null, 2)}\n`)
  }
})
