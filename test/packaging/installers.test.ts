// The packed package, installed by each package manager with scripts off and no compiler on the PATH.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  type Installer,
  install,
  installers,
  plugAndPlay,
  program,
  projectFor,
  yarnNode,
} from './installers.js'
import { type Project, packForHost } from './project.js'
import { type Registry, startRegistry } from './registry.js'
import { canRun, DENO_FLAGS, runtimes } from './toolchains.js'

const MiB = 1024 * 1024
const packed = mkdtempSync(join(tmpdir(), 'millrace-packed-'))
const projects: Project[] = []
let registry: Registry

before(async () => {
  registry = await startRegistry(await packForHost(packed))
})
after(async () => {
  await registry.close()
  for (const project of projects) project.remove()
  rmSync(packed, { recursive: true, force: true })
})

async function installedBy(installer: Installer): Promise<Project> {
  const project = projectFor(installer, registry)
  projects.push(project)
  const output = await install(installer, project)
  assert.doesNotMatch(output, /millrace.*script|script.*millrace/i)
  return project
}

/** Folders of packages, scoped ones counted one by one; links are those of pnpm to its own store. */
function packagesIn(modules: string): string[] {
  return readdirSync(modules)
    .filter(name => !name.startsWith('.'))
    .flatMap(name =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map(each => `${name}/${each}`) : [name],
    )
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

for (const installer of installers) {
  const runtime = program(installer.runtime)
  describe(installer.name, { skip: !existsSync(runtime) }, () => {
    let project: Project
    before(async () => {
      project = await installedBy(installer)
    })

    test('installs one package and few bytes', () => {
      const modules = join(project.folder, 'node_modules')
      assert.deepEqual(packagesIn(modules), ['millrace'])
      assert.ok(bytesIn(modules) < 12 * MiB)
    })

    test('require and import give the same classes, and every codec delivers', async () => {
      const flags = installer.runtime === 'deno' ? DENO_FLAGS : []
      await project.delivers(runtime, [...flags, 'requires.cjs'])
      await project.delivers(runtime, [...flags, 'imports.mjs'])
    })
  })
}

describe(plugAndPlay.name, { skip: !existsSync(program(plugAndPlay.runtime)) }, () => {
  let project: Project
  before(async () => {
    project = await installedBy(plugAndPlay)
  })

  test('the addon is unpacked, and every codec delivers', async () => {
    assert.ok(!existsSync(join(project.folder, 'node_modules')))
    const node = program(plugAndPlay.runtime)
    await project.delivers(node, [...yarnNode, 'requires.cjs'])
    await project.delivers(node, [...yarnNode, 'imports.mjs'])
  })
})

const [npm] = installers as readonly [Installer]

describe('one installation', { skip: !existsSync(program(npm.runtime)) }, () => {
  let project: Project
  before(async () => {
    project = await installedBy(npm)
  })

  for (const row of runtimes) test(row.name, { skip: !canRun(row) }, () => row.delivers(project))

  for (const [runtime, more] of [
    ['node24', []],
    ['node26', ['--allow-net']],
  ] as const) {
    const permitted = (flags: readonly string[]) => [
      ...['--permission', `--allow-fs-read=${project.folder}`, ...more, ...flags, 'requires.cjs'],
    ]

    test(`${runtime} with --permission names the flags that it needs`, {
      skip: !existsSync(program(runtime)),
    }, async () => {
      // The folder's name has spaces, so the flag is quoted.
      const named = /run with (--allow-addons "--allow-fs-read=[^"]+" ?(?:--allow-net)?)/
      await assert.rejects(project.run(program(runtime), permitted([])), (error: Error) => {
        const [, flags = ''] = named.exec(error.message) ?? []
        assert.equal(flags.includes('--allow-net'), more.length > 0, error.message)
        return flags !== ''
      })
      // Nothing outside of the project may be read: neither the system's libraries nor /proc.
      await project.delivers(program(runtime), permitted(['--allow-addons']))
    })
  }

  test('has the command, and its version', async () => {
    const output = await project.run(process.execPath, ['node_modules/millrace/dist/cli.js', '--version'])
    assert.match(output, /^\d+\.\d+\.\d+\n$/)
  })
})
