import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { environmentVariable } from '../common/environment.js'
import { packageRoot, packageVersion } from '../common/package-root.js'
import { flagsForHosts, flagsForNative, isDenied } from '../common/permissions.js'
import { NativeAddonError, PermissionError } from '../errors/index.js'
import type { NativeAddon } from './addon.js'
import { compiledFor } from './object-kind.js'
import { prebuilds } from './prebuilds.js'
import { isThere, targetName, targets } from './target.js'

/** Where an addon may be, and how to load it from there; `load` throws where it is not, or not usable. */
export interface AddonPlace {
  readonly path: string
  readonly load: () => unknown
}

const VARIABLE = 'MILLRACE_ADDON'
const NOT_THERE = 'not there'

let loaded: NativeAddon | undefined

/**
 * The addon, loaded on first call: from the path in the environment variable `MILLRACE_ADDON` if it is set
 * (then from nowhere else), from a build in the package, or from the prebuild for this platform. `hosts`, as
 * `host:port`, are those to connect to next: a runtime that permits nothing is asked for all at once.
 */
export function loadAddon(hosts: readonly string[] = []): NativeAddon {
  loaded ??= loadFrom(addonPlaces(environmentVariable(VARIABLE)), hosts)
  return loaded
}

/** Where an addon is looked for, in order. A relative `override` begins at the working directory. */
export function addonPlaces(override: string | undefined): AddonPlace[] {
  if (override) return [fileAt(resolve(override))]
  const target = targetName()
  const prebuild = prebuilds[target]
  // A bundle that does not know its place would look in the working directory.
  const builds = packageRoot === '' ? [] : [fileAt(join(packageRoot, 'build/Release/millrace.node'))]
  if (prebuild === undefined) return builds
  return [...builds, { path: join(packageRoot, `prebuilds/${target}/millrace.node`), load: prebuild }]
}

/** A path that is known only when the program runs: no bundler shall look for it. */
function fileAt(path: string): AddonPlace {
  return {
    path,
    load() {
      const file = statSync(path, { throwIfNoEntry: false })
      if (file === undefined) throw new Error(NOT_THERE)
      if (!file.isFile()) throw new Error('is not a file')
      // `require` runs anything else as JavaScript.
      if (!path.endsWith('.node')) throw new Error('its name does not end in .node')
      return createRequire(process.execPath)(path)
    },
  }
}

/**
 * The addon, if it is one of this version: with another, what the two sides say to each other would be
 * misread.
 */
export function checkedAddon(loaded: unknown): NativeAddon {
  const { createCore, version } = (loaded ?? {}) as Partial<NativeAddon>
  if (typeof createCore !== 'function') throw new Error('is not an addon of millrace')
  const expected = packageVersion()
  if (expected !== undefined && version !== expected)
    throw new Error(`is the addon of millrace ${version}, not of ${expected}`)
  return loaded as NativeAddon
}

/** Loads the first place that has a usable addon, or throws one error that names every attempt. */
export function loadFrom(places: readonly AddonPlace[], hosts: readonly string[] = []): NativeAddon {
  const attempts: string[] = []
  let cause: unknown
  let refused: PermissionError | undefined
  for (const { path, load } of places) {
    try {
      return checkedAddon(load())
    } catch (error) {
      if (isDenied(error)) {
        // What may not be looked at need not be the one that is there.
        refused ??= denied(path, hosts, error)
        continue
      }
      const isMissing = (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'
      const message = isMissing ? NOT_THERE : error instanceof Error ? error.message : String(error)
      if (message !== NOT_THERE) cause = error
      attempts.push(`${path}: ${explained(path, message)}`)
    }
  }
  throw refused ?? new NativeAddonError(refusal(attempts), { cause })
}

/** The reason, without the path again, and whether the file is for another platform. */
function explained(path: string, message: string): string {
  const [line = ''] = message.split('\n')
  const reason = line.startsWith(`${path}: `) ? line.slice(path.length + 2) : line
  if (reason === NOT_THERE) return reason
  const target = compiledFor(path)
  return target === undefined || target === targetName() ? reason : `is for ${target} (${reason})`
}

function denied(path: string, hosts: readonly string[], cause: unknown): PermissionError {
  const folder = path.startsWith(packageRoot) ? packageRoot : path
  const flags = [...flagsForNative(folder), ...flagsForHosts(hosts)].join(' ')
  return new PermissionError(`millrace needs its native addon and its brokers: run with ${flags}`, { cause })
}

function refusal(attempts: readonly string[]): string {
  const { nodeApi, targets: known } = targets()
  const isNamed = environmentVariable(VARIABLE)
  return [
    `No usable native addon for ${targetName()} (${runtimeName()}). Looked for:`,
    ...attempts.map(attempt => `  ${attempt}`),
    'Any one of these helps:',
    ...(isNamed ? [`  - unset ${VARIABLE}: while it is set, only the file that it names is tried`] : []),
    ...(isBundled() ? ['  - leave the package outside of the bundle, or take its .node files in'] : []),
    `  - run where the package carries one: ${known.map(({ name }) => name).join(', ')}, with Node-API ` +
      `${nodeApi} or later; if this is one of them, install the package anew, with its folder prebuilds`,
    '  - compile one: npx millrace build-addon (needs CMake and a C and C++17 compiler)',
    `  - set ${VARIABLE} to the path of an addon that was compiled for this platform and version elsewhere`,
  ].join('\n')
}

/** Whether this code lies in an application's own bundle, where the files of the package need not be. */
function isBundled(): boolean {
  return packageRoot === '' || !isThere(join(packageRoot, 'native/targets.json'))
}

function runtimeName(): string {
  const { bun, deno, napi, node } = process.versions
  const nodeApi = napi === undefined ? '' : `, Node-API ${napi}`
  if (bun) return `Bun ${bun}${nodeApi}`
  if (deno) return `Deno ${deno}${nodeApi}`
  return `Node ${node}${nodeApi}`
}
