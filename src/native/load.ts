import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { environmentVariable } from '../common/environment.js'
import { packageRoot } from '../common/package-root.js'
import { flagsForHosts, flagsForNative, isDenied } from '../common/permissions.js'
import { NativeAddonError, PermissionError } from '../errors/index.js'
import type { NativeAddon } from './addon.js'
import { prebuilds } from './prebuilds.js'
import { targetName, targets } from './target.js'

/** Where an addon may be, and how to load it from there; `load` throws where it is not, or not usable. */
export interface AddonPlace {
  readonly path: string
  readonly load: () => unknown
}

let loaded: NativeAddon | undefined

/**
 * The addon, loaded on first call: from the path in the environment variable `MILLRACE_ADDON` if it is set
 * (then from nowhere else), from a build in the package, or from the prebuild for this platform. `hosts`, as
 * `host:port`, are those to connect to next: a runtime that permits nothing is asked for all at once.
 */
export function loadAddon(hosts: readonly string[] = []): NativeAddon {
  loaded ??= loadFrom(addonPlaces(environmentVariable('MILLRACE_ADDON')), hosts)
  return loaded
}

/** Where an addon is looked for, in order. */
export function addonPlaces(override: string | undefined): AddonPlace[] {
  if (override) return [fileAt(override)]
  const target = targetName()
  const prebuild = prebuilds[target]
  const build = fileAt(join(packageRoot, 'build/Release/millrace.node'))
  if (prebuild === undefined) return [build]
  return [build, { path: join(packageRoot, `prebuilds/${target}/millrace.node`), load: prebuild }]
}

/** A path that is known only when the program runs: no bundler shall look for it. */
function fileAt(path: string): AddonPlace {
  return {
    path,
    load() {
      if (!existsSync(path)) throw new Error('not there')
      return createRequire(process.execPath)(path)
    },
  }
}

/** Loads the first place that has a usable addon, or throws one error that names every attempt. */
export function loadFrom(places: readonly AddonPlace[], hosts: readonly string[] = []): NativeAddon {
  const attempts: string[] = []
  let cause: unknown
  for (const { path, load } of places) {
    try {
      return load() as NativeAddon
    } catch (error) {
      if (isDenied(error)) throw denied(path, hosts, error)
      const isMissing = (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'
      const message = error instanceof Error ? error.message : String(error)
      if (!isMissing && message !== 'not there') cause = error
      attempts.push(`${path}: ${isMissing ? 'not there' : message}`)
    }
  }
  throw new NativeAddonError(refusal(attempts), { cause })
}

function denied(path: string, hosts: readonly string[], cause: unknown): PermissionError {
  const folder = path.startsWith(packageRoot) ? packageRoot : path
  const flags = [...flagsForNative(folder), ...flagsForHosts(hosts)].join(' ')
  return new PermissionError(`millrace needs its native addon and its brokers: run with ${flags}`, { cause })
}

function refusal(attempts: readonly string[]): string {
  const { nodeApi, targets: known } = targets()
  return [
    `No usable native addon for ${targetName()} (${runtimeName()}). Looked for:`,
    ...attempts.map(attempt => `  ${attempt}`),
    'Any one of these helps:',
    `  - run where the package carries one: ${known.map(({ name }) => name).join(', ')}, with Node-API ` +
      `${nodeApi} or later; if this is one of them, install the package anew, with its folder prebuilds`,
    '  - compile one: npx millrace build-addon (needs CMake and a C and C++17 compiler)',
    '  - set MILLRACE_ADDON to the path of an addon that was compiled for this platform elsewhere',
  ].join('\n')
}

function runtimeName(): string {
  const { bun, deno, napi, node } = process.versions
  const nodeApi = napi === undefined ? '' : `, Node-API ${napi}`
  if (bun) return `Bun ${bun}${nodeApi}`
  if (deno) return `Deno ${deno}${nodeApi}`
  return `Node ${node}${nodeApi}`
}
