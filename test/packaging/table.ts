// `npm run package -- --table`: every tool chain in a project of every package manager, scripts off and no
// compiler on the PATH. Each cell sends records with every codec and reads them back. Writes toolchains.md.
// Usage: node dist-test/packaging/table.js TARBALL [INSTALLER …]; of some installers it only prints.
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Installer, install, installers, program, projectFor } from './installers.js'
import { NEXT, nextDelivers } from './next.js'
import { type Project, ROOT } from './project.js'
import { type Registry, startRegistry } from './registry.js'
import { bundlers, canRun, compilers, runners, runtimes, SOURCES, type Toolchain } from './toolchains.js'

const OUTPUT = join(ROOT, 'test/packaging/toolchains.md')
const rows: readonly Toolchain[] = [...runtimes, ...compilers, ...runners, ...bundlers]
const MS = 1000

interface Column {
  readonly installer: Installer
  /** What has come of each row, by name. */
  readonly outcomes: Map<string, string>
  packages: number
  megabytes: number
  seconds: number
}

async function outcomeOf(title: string, work: () => Promise<void>): Promise<string> {
  const startedMs = Date.now()
  const took = () => `${((Date.now() - startedMs) / MS).toFixed(1)} s`
  try {
    await work()
    console.log(`delivers  ${title}, ${took()}`)
    return 'delivers'
  } catch (error) {
    console.log(`FAILED    ${title}, ${took()}\n${error instanceof Error ? error.message : error}`)
    return 'FAILED'
  }
}

/** Real folders with a package.json that names a package; links to them count once. */
function packagesOf(modules: string): { packages: number; bytes: number } {
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

/** Installs twice into fresh projects: the second time the installer's cache is warm. */
async function warmSeconds(installer: Installer, registry: Registry, first: Project): Promise<number> {
  const project = projectFor(installer, registry)
  // Its caches are the first project's.
  project.env = { ...first.env }
  try {
    const startedMs = Date.now()
    await install(installer, project)
    return (Date.now() - startedMs) / MS
  } finally {
    project.remove()
  }
}

async function columnOf(installer: Installer, registry: Registry): Promise<Column> {
  const column: Column = { installer, outcomes: new Map(), packages: 0, megabytes: 0, seconds: 0 }
  const project = projectFor(installer, registry)
  try {
    await install(installer, project)
    const { packages, bytes } = packagesOf(join(project.folder, 'node_modules'))
    Object.assign(column, { packages, megabytes: bytes / 1e6 })
    column.seconds = await warmSeconds(installer, registry, project)
    project.write(SOURCES)
    for (const row of rows) {
      const title = `${row.name}, installed by ${installer.name}`
      const outcome = canRun(row) ? await outcomeOf(title, () => row.delivers(project)) : 'not run'
      column.outcomes.set(row.name, outcome)
    }
  } finally {
    project.remove()
  }
  column.outcomes.set(
    NEXT.name,
    await outcomeOf(`${NEXT.name}, ${installer.name}`, () => next(installer, registry)),
  )
  return column
}

async function next(installer: Installer, registry: Registry): Promise<void> {
  const project = projectFor(installer, registry)
  try {
    project.write(NEXT.files)
    await install(installer, project, ['millrace', ...NEXT.packages])
    await nextDelivers(project, program('node24'))
  } finally {
    project.remove()
  }
}

function report(columns: readonly Column[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const shown = [...rows.map(row => ({ name: row.name, version: row.version() })), NEXT]
  const of = (text: (column: Column) => string) => columns.map(text)
  return [
    '# The package in every tool chain, installed by every package manager',
    '',
    'Written by `npm run package -- --table`. Installed by name from a registry on the loopback interface, with',
    'scripts off and nothing but `node` on the PATH. `delivers`: records of each codec were sent and read back.',
    'Seconds are those of a second installation, its cache warm, on the machine that wrote this.',
    '',
    line(['tool chain', 'version', ...of(({ installer }) => `${installer.name} ${installer.version()}`)]),
    line(['---', '---', ...of(() => '---')]),
    ...shown.map(({ name, version }) =>
      line([name, version, ...of(({ outcomes }) => outcomes.get(name) ?? 'not run')]),
    ),
    line(['packages installed', '', ...of(({ packages }) => `${packages}`)]),
    line(['MB installed', '', ...of(({ megabytes }) => megabytes.toFixed(1))]),
    line(['seconds, cache warm', '', ...of(({ seconds }) => seconds.toFixed(1))]),
    '',
  ].join('\n')
}

const [tarball = '', ...names] = process.argv.slice(2)
const registry = await startRegistry(tarball)
try {
  const columns: Column[] = []
  for (const installer of installers) {
    const isWanted = names.length === 0 || names.includes(installer.name)
    if (isWanted && existsSync(program(installer.runtime))) columns.push(await columnOf(installer, registry))
  }
  console.log(report(columns))
  if (names.length === 0) writeFileSync(OUTPUT, report(columns))
  const failed = columns.flatMap(({ outcomes }) => [...outcomes.values()]).filter(each => each !== 'delivers')
  if (failed.length > 0) process.exitCode = 1
} finally {
  await registry.close()
}
