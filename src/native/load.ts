import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { NativeAddonError } from '../errors/index.js'
import type { NativeAddon } from './addon.js'

/** What the package carries a compiled addon for; everything else is compiled at install. */
export const PREBUILT_TARGETS = [
  'linux-x64',
  'linux-x64-musl',
  'linux-arm64',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
] as const

const packageRoot = new URL('../../', import.meta.url)
let loaded: NativeAddon | undefined

/**
 * The addon, loaded on first call: from the path in the environment variable `MILLRACE_ADDON` if it is set
 * (then from nowhere else), from a build in the package, or from the prebuild for this platform.
 */
export function loadAddon(): NativeAddon {
  loaded ??= loadFrom(addonPaths(process.env.MILLRACE_ADDON))
  return loaded
}

/** Name of this platform's prebuild, such as `linux-x64` or `linux-arm64-musl`. */
export function targetName(): string {
  const suffix = process.platform === 'linux' && isMusl() ? '-musl' : ''
  return `${process.platform}-${process.arch}${suffix}`
}

/** Where an addon is looked for, in order. */
export function addonPaths(override: string | undefined): string[] {
  if (override) return [override]
  return ['build/Release/millrace.node', `prebuilds/${targetName()}/millrace.node`].map(path =>
    fileURLToPath(new URL(path, packageRoot)),
  )
}

/** Loads the first path that has a usable addon, or throws one error that names every attempt. */
export function loadFrom(paths: readonly string[]): NativeAddon {
  const require = createRequire(import.meta.url)
  const attempts: string[] = []
  let cause: unknown
  for (const path of paths) {
    if (!existsSync(path)) {
      attempts.push(`${path}: not there`)
      continue
    }
    try {
      return require(path) as NativeAddon
    } catch (error) {
      cause = error
      attempts.push(`${path}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new NativeAddonError(
    `No usable native addon for ${targetName()} (${runtimeName()}). Looked for:\n` +
      attempts.map(attempt => `  ${attempt}\n`).join('') +
      'To compile it here: npm rebuild millrace (needs Python 3, make and a C++17 compiler; install ' +
      `scripts must be allowed). Compiled ones are shipped for ${PREBUILT_TARGETS.join(', ')}.`,
    { cause },
  )
}

function runtimeName(): string {
  const { bun, deno, node } = process.versions
  if (bun) return `Bun ${bun}`
  if (deno) return `Deno ${deno}`
  return `Node ${node}`
}

/**
 * Without musl's loader it is not musl. With it, it may still be glibc with musl installed beside it: then
 * the runtime's report, which takes long to make, names the glibc it runs on.
 */
function isMusl(): boolean {
  try {
    if (!readdirSync('/lib').some(name => name.startsWith('ld-musl-'))) return false
    const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
    return !report.header?.glibcVersionRuntime
  } catch {
    return existsSync('/etc/alpine-release')
  }
}
