import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** A platform that the package carries an addon for. */
export interface Target {
  /** Such as `linux-x64` or `linux-arm64-musl`. */
  readonly name: string
  readonly platform: string
  readonly arch: string
  /** `glibc` or `musl`; Linux only. */
  readonly libc?: string
}

/** native/targets.json, which the builder reads as well. */
interface Targets {
  /** The version of Node-API that addons are built for. */
  readonly nodeApi: number
  readonly targets: readonly Target[]
}

export function targets(): Targets {
  return require('../../native/targets.json') as Targets
}

/** Name of this platform's target, whether or not there is a prebuild for it. */
export function targetName(): string {
  const suffix = process.platform === 'linux' && isMusl() ? '-musl' : ''
  return `${process.platform}-${process.arch}${suffix}`
}

/**
 * Whether a map of this process's memory (Linux: `/proc/self/maps`) names the C library musl; undefined if it
 * names none. What is installed beside says nothing: glibc machines may have musl, too.
 */
export function mapsMusl(maps: string): boolean | undefined {
  // Where the loader is a link, the map names the library itself; glibc's is never called so.
  if (/\/(?:ld-musl-|libc\.musl-|libc\.so$)/m.test(maps)) return true
  if (/\/(?:libc\.so\.6|libc-2\.\d+\.so|ld-linux[^/\n]*)/.test(maps)) return false
  return undefined
}

function isMusl(): boolean {
  const { Deno } = globalThis as { Deno?: { build?: { target?: string } } }
  if (Deno !== undefined) return Deno.build?.target?.endsWith('musl') === true
  try {
    const answer = mapsMusl(readFileSync('/proc/self/maps', 'latin1'))
    if (answer !== undefined) return answer
  } catch {
    // Not readable in every container.
  }
  return reportsMusl()
}

/** The runtime's report names the glibc it runs on. It takes long to make, so only if musl may be there. */
function reportsMusl(): boolean {
  if (!mayHaveMusl()) return false
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean | undefined } = process.report
  const { excludeNetwork } = report
  try {
    // Else it looks up the names of all addresses that the process talks to.
    report.excludeNetwork = true
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } }
    return !header?.glibcVersionRuntime
  } catch {
    return isThere('/etc/alpine-release')
  } finally {
    report.excludeNetwork = excludeNetwork
  }
}

/** Whether musl is installed, or where we may not look, may be. */
function mayHaveMusl(): boolean {
  try {
    return readdirSync('/lib').some(name => name.startsWith('ld-musl-'))
  } catch {
    return true
  }
}

/** Under Node's `--permission` even asking is refused, by an error. */
export function isThere(path: string): boolean {
  try {
    return existsSync(path)
  } catch {
    return false
  }
}
