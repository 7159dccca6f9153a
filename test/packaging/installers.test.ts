// The packed package, installed by each package manager with scripts off and no compiler on the PATH.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { IMPORTS, REQUIRES } from './programs/programs.js'
import { Project, packForHost, ROOT, tool } from './project.js'

const { programs } = (await import(`${ROOT}test/runtimes/programs.mjs`)) as {
  programs: Readonly<Record<string, string>>
}
const MiB = 1024 * 1024
const DENO_FLAGS = ['run', '--allow-ffi', '--allow-read', '--allow-net']
const packed = mkdtempSync(join(tmpdir(), 'millrace-packed-'))
const projects: Project[] = []
let tarball = ''

before(async () => {
  tarball = await packForHost(packed)
})
after(() => {
  for (const project of projects) project.remove()
  rmSync(packed, { recursive: true, force: true })
})

function projectOf(manifest: object = {}): Project {
  const project = new Project(manifest)
  projects.push(project)
  project.write({ 'requires.cjs': REQUIRES, 'imports.mjs': IMPORTS })
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

const YARN = '@yarnpkg/cli-dist/bin/yarn.js'

/** Yarn without anything of the user's: no telemetry, no scripts, its cache in the project. */
function yarnAdd(project: Project, node: string, nodeLinker: 'node-modules' | 'pnp'): Promise<string> {
  const settings = [
    `nodeLinker: ${nodeLinker}`,
    'enableTelemetry: false',
    'enableScripts: false',
    'enableGlobalCache: false',
    'enableImmutableInstalls: false',
    'pnpEnableEsmLoader: true',
  ]
  project.write({ '.yarnrc.yml': `${settings.join('\n')}\n`, 'yarn.lock': '' })
  return project.run(node, [tool(YARN), 'add', `millrace@file:${tarball}`])
}

interface Installer {
  name: string
  runtime: string
  /** What the installer itself has to say about where the package came from. */
  install(project: Project, runtime: string): Promise<string>
}

const installers: readonly Installer[] = [
  {
    name: 'npm 12',
    runtime: 'node24',
    install: (project, node) => project.run(node, [tool('npm/bin/npm-cli.js'), 'install', tarball]),
  },
  {
    name: 'pnpm',
    runtime: 'node24',
    install: (project, node) => project.run(node, [tool('pnpm/bin/pnpm.mjs'), 'add', tarball]),
  },
  { name: 'Yarn', runtime: 'node24', install: (project, node) => yarnAdd(project, node, 'node-modules') },
  { name: 'Bun', runtime: 'bun', install: (project, bun) => project.run(bun, ['add', tarball]) },
]

for (const { name, runtime, install } of installers) {
  const program = programs[runtime] ?? ''
  describe(name, { skip: !existsSync(program) }, () => {
    const project = projectOf()
    before(async () => {
      const output = await install(project, program)
      assert.doesNotMatch(output, /millrace.*script|script.*millrace/i)
    })

    test('installs one package and few bytes', () => {
      const modules = join(project.folder, 'node_modules')
      assert.deepEqual(packagesIn(modules), ['millrace'])
      assert.ok(bytesIn(modules) < 12 * MiB)
    })

    test('require and import give the same classes, and every codec delivers', async () => {
      await project.delivers(program, ['requires.cjs'])
      await project.delivers(program, ['imports.mjs'])
    })
  })
}

describe('Yarn without node_modules', { skip: !existsSync(programs.node24 ?? '') }, () => {
  const project = projectOf()
  const node = programs.node24 ?? ''
  before(() => yarnAdd(project, node, 'pnp'))

  test('the addon is unpacked, and every codec delivers', async () => {
    assert.ok(!existsSync(join(project.folder, 'node_modules')))
    await project.delivers(node, [tool(YARN), 'node', 'requires.cjs'])
    await project.delivers(node, [tool(YARN), 'node', 'imports.mjs'])
  })
})

describe('one installation', () => {
  const project = projectOf()
  before(() =>
    installers[0]?.install(project, programs[existsSync(programs.node24 ?? '') ? 'node24' : 'current'] ?? ''),
  )

  for (const runtime of ['node20', 'node26', 'bun', 'deno']) {
    const program = programs[runtime] ?? ''
    test(`works on ${runtime}`, { skip: !existsSync(program) }, async () => {
      const flags = runtime === 'deno' ? DENO_FLAGS : []
      await project.delivers(program, [...flags, 'requires.cjs'])
      await project.delivers(program, [...flags, 'imports.mjs'])
    })
  }

  test('works in an executable of another name, as applications that bring their runtime have', async () => {
    const renamed = join(project.folder, 'application')
    copyFileSync(process.execPath, renamed)
    await project.delivers(renamed, ['requires.cjs'])
  })

  test('has the command, and its version', async () => {
    const output = await project.run(process.execPath, ['node_modules/millrace/dist/cli.js', '--version'])
    assert.match(output, /^\d+\.\d+\.\d+\n$/)
  })
})
