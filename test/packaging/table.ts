// `npm run package -- --table`: every tool chain in a project of every package manager, scripts off and no
// compiler on the PATH. Each cell sends records with every codec and reads them back. Writes toolchains.md.
// Usage: node dist-test/packaging/table.js TARBALL [INSTALLER …]; of some installers it only prints.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildsAddon } from './build-addon.js'
import { packagesOf, warmSeconds } from './installation.js'
import {
  type Installer,
  installedIn,
  installers,
  installForNode,
  plugAndPlay,
  program,
  projectFor,
} from './installers.js'
import { NEXT, nextDelivers } from './next.js'
import { type Project, ROOT } from './project.js'
import { type Registry, startRegistry } from './registry.js'
import { bundlers, canRun, compilers, runners, runtimes, SOURCES, type Toolchain } from './toolchains.js'

const OUTPUT = join(ROOT, 'test/packaging/toolchains.md')
const rows: readonly Toolchain[] = [...runtimes, ...compilers, ...runners, ...bundlers]
const MS = 1000
const WARM_ROUNDS = 3

interface Column {
  readonly name: string
  readonly version: string
  /** What has come of each row, by name. */
  readonly outcomes: Readonly<Record<string, string>>
  readonly packages: number
  readonly megabytes: number
  readonly seconds: number
}

/** A row that has a project to itself, as it brings or changes packages. */
interface OwnRow {
  readonly name: string
  readonly version: string
  readonly packages: readonly string[]
  readonly files: Readonly<Record<string, string>>
  delivers(installer: Installer, project: Project): Promise<void>
}

const ownRows: readonly OwnRow[] = [
  { ...NEXT, delivers: (_installer, project) => nextDelivers(project, program('node24')) },
  {
    name: 'millrace build-addon, which needs compilers, then Node',
    version: process.versions.node,
    packages: [],
    files: {},
    delivers: buildsAddon,
  },
]

/** Tools that resolve packages without Node, and do not know Yarn's way. */
const WITHOUT_PLUG_AND_PLAY: readonly (readonly [row: RegExp, reason: string])[] = [
  [/^(Bun|Deno): /, "has no Plug'n'Play"],
  [/^TypeScript, /, "has no Plug'n'Play"],
  [/^types stripped/, "Yarn's loader takes no .mts"],
  [/^bun build/, "has no Plug'n'Play"],
  [/^Next\.js/, "Turbopack has no Plug'n'Play"],
]
const NOT_RUN = 'not run'

/** Why a row does not apply. */
function reasonAgainst(row: string, { name }: Installer): string | undefined {
  if (name !== plugAndPlay.name) return undefined
  const found = WITHOUT_PLUG_AND_PLAY.find(([pattern]) => pattern.test(row))
  return found && `n/a: ${found[1]}`
}

const isGood = (outcome: string) => outcome === 'delivers' || outcome.startsWith('n/a: ')

async function outcomeOf(row: string, installer: string, work: () => Promise<void>): Promise<string> {
  const startedMs = Date.now()
  const title = `${row}, installed by ${installer}`
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

/** Whole builds are among the commands, on machines that may be busy. */
const COMMAND_MS = 20 * 60 * MS

function freshProject(installer: Installer, registry: Registry): Project {
  const project = projectFor(installer, registry)
  project.commandMs = COMMAND_MS
  return project
}

async function columnOf(installer: Installer, registry: Registry): Promise<Column> {
  const outcomes: Record<string, string> = {}
  const project = freshProject(installer, registry)
  const { name } = installer
  try {
    await installForNode(installer, project)
    const { packages, bytes } = packagesOf(installedIn(project).modules)
    const [seconds = Number.NaN] = await warmSeconds(installer, registry, project, WARM_ROUNDS)
    project.write(SOURCES)
    for (const row of rows) {
      outcomes[row.name] =
        reasonAgainst(row.name, installer) ??
        (canRun(row) ? await outcomeOf(row.name, name, () => row.delivers(project)) : NOT_RUN)
    }
    for (const row of ownRows) {
      outcomes[row.name] =
        reasonAgainst(row.name, installer) ??
        (await outcomeOf(row.name, name, () => inOwnProject(row, installer, registry)))
    }
    return { name, version: installer.version(), outcomes, packages, megabytes: bytes / 1e6, seconds }
  } finally {
    project.remove()
  }
}

async function inOwnProject(row: OwnRow, installer: Installer, registry: Registry): Promise<void> {
  const project = freshProject(installer, registry)
  try {
    project.write(row.files)
    await installForNode(installer, project, ['millrace', ...row.packages])
    await row.delivers(installer, project)
  } finally {
    project.remove()
  }
}

function report(columns: readonly Column[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const shown = [...rows.map(row => ({ name: row.name, version: row.version() })), ...ownRows]
  const of = (text: (column: Column) => string) => columns.map(text)
  return [
    '# The package in every tool chain, installed by every package manager',
    '',
    'Written by `npm run package -- --table`. Installed by name from a registry on the loopback interface,',
    'with scripts off and nothing but `node` on the PATH. `delivers`: records of each codec were sent and',
    'read back. `build-addon` alone has compilers on the PATH. `n/a`: the tool itself cannot, whatever the',
    'package. Yarn makes `node_modules` where its column says nothing else.',
    'Seconds: the fastest of three installations with a warm cache, on the machine that wrote this.',
    '',
    line(['tool chain', 'version', ...of(({ name, version }) => `${name} ${version}`)]),
    line(['---', '---', ...of(() => '---')]),
    ...shown.map(({ name, version }) =>
      line([name, version, ...of(({ outcomes }) => outcomes[name] ?? NOT_RUN)]),
    ),
    line(['packages installed', '', ...of(({ packages }) => `${packages}`)]),
    line(['MB installed', '', ...of(({ megabytes }) => megabytes.toFixed(1))]),
    line(['seconds, cache warm', '', ...of(({ seconds }) => seconds.toFixed(2))]),
    '',
  ].join('\n')
}

/** What this very tarball has shown already is kept: a run that was interrupted goes on where it was. */
async function keptColumn(installer: Installer, registry: Registry, folder: string): Promise<Column> {
  const kept = join(folder, `${installer.name.replace(/\W+/g, '-')}.json`)
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as Column
  const column = await columnOf(installer, registry)
  if (Object.values(column.outcomes).every(isGood)) writeFileSync(kept, JSON.stringify(column))
  return column
}

const [tarball = '', ...names] = process.argv.slice(2)
const digest = createHash('sha256').update(readFileSync(tarball)).digest('hex')
const folder = join(ROOT, '.cache/package/table', digest.slice(0, 16))
mkdirSync(folder, { recursive: true })
const registry = await startRegistry(tarball)
try {
  const columns: Column[] = []
  for (const installer of [...installers, plugAndPlay]) {
    const isWanted = names.length === 0 || names.includes(installer.name)
    if (!isWanted || !existsSync(program(installer.runtime))) continue
    columns.push(await keptColumn(installer, registry, folder))
  }
  console.log(report(columns))
  if (names.length === 0) writeFileSync(OUTPUT, report(columns))
  const failed = columns.flatMap(({ outcomes }) => Object.values(outcomes)).filter(each => !isGood(each))
  if (failed.length > 0) process.exitCode = 1
} finally {
  await registry.close()
}
