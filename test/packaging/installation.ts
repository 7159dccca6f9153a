// What `npm i millrace` costs, each figure beside its limit. For `npm run package -- --verify`, with the
// tarball of all platforms.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Installer, install, installers, installForNode, program, projectFor } from './installers.js'
import type { Project } from './project.js'
import { type Registry, startRegistry } from './registry.js'

export interface Figure {
  readonly what: string
  readonly figure: string
  readonly limit: string
  readonly isMet: boolean
}

const MB = 1e6
const ROUNDS = 5
const LIMITS = { seconds: 3, packages: 4, installedMB: 12, tarballMB: 3 } as const

/** Real folders with a package.json that names a package; links to them count once. */
export function packagesOf(modules: string): { packages: number; bytes: number } {
  const entries = readdirSync(modules, { withFileTypes: true, recursive: true }).filter(entry =>
    entry.isFile(),
  )
  const bytes = entries.reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
  const isPackage = /node_modules[/\\](@[^/\\]+[/\\])?[^/\\]+$/
  const folders = entries.filter(
    ({ name, parentPath }) => name === 'package.json' && isPackage.test(parentPath),
  )
  return { packages: folders.length, bytes }
}

/** Seconds of each of some installations, into a fresh project each; `cached` has filled the cache before. */
export async function warmSeconds(
  installer: Installer,
  registry: Registry,
  cached: Project,
  rounds: number,
): Promise<number[]> {
  const seconds: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const project = projectFor(installer, registry)
    const { NODE_OPTIONS: _hooks, ...env } = cached.env
    project.env = env
    project.commandMs = cached.commandMs
    try {
      const startedMs = performance.now()
      await installForNode(installer, project)
      seconds.push((performance.now() - startedMs) / 1000)
      await project.delivers(program('node24'), ['requires.cjs'])
    } finally {
      project.remove()
    }
  }
  return seconds.sort((a, b) => a - b)
}

/** Installs the tarball by its name with the pinned npm and a cache that nobody else has filled. */
export async function installationFigures(tarball: string): Promise<Figure[]> {
  const npm = installers.find(({ name }) => name === 'npm') as Installer
  const registry = await startRegistry(tarball)
  const cache = mkdtempSync(join(tmpdir(), 'millrace-cache-'))
  const project = projectFor(npm, registry)
  project.env = { ...project.env, npm_config_cache: cache }
  try {
    await install(npm, project)
    const { packages, bytes } = packagesOf(join(project.folder, 'node_modules'))
    const seconds = await warmSeconds(npm, registry, project, ROUNDS)
    // What other processes take of the machine is in the others.
    const [fastest = Number.NaN] = seconds
    const median = (seconds[ROUNDS >> 1] as number).toFixed(2)
    const title = `npm ${npm.version()} install`
    const row = (what: string, value: number, limit: number, unit: string, digits: number): Figure => ({
      what,
      figure: `${value.toFixed(digits)}${unit}`,
      limit: `${limit}${unit}`,
      isMet: value <= limit,
    })
    return [
      row(
        `${title}, cache warm, fastest of ${ROUNDS} (median ${median} s)`,
        fastest,
        LIMITS.seconds,
        ' s',
        2,
      ),
      row(`${title}, packages`, packages, LIMITS.packages, '', 0),
      row(`${title}, on disk`, bytes / MB, LIMITS.installedMB, ' MB', 2),
      row('the tarball', statSync(tarball).size / MB, LIMITS.tarballMB, ' MB', 2),
    ]
  } finally {
    project.remove()
    rmSync(cache, { recursive: true, force: true })
    await registry.close()
  }
}
