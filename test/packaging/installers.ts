// The package managers: each adds packages to a project by name, with scripts off, from one registry.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { IMPORTS, REQUIRES } from './programs/programs.js'
import { bareEnvironment, Project, ROOT, tool, versionOf } from './project.js'
import type { Registry } from './registry.js'

const module = (await import(`${ROOT}test/runtimes/programs.mjs`)) as {
  programs: Readonly<Record<string, string>>
}
/** Runtimes by name; the file need not be there. */
export const programs = module.programs

export function program(name: string): string {
  return programs[name] ?? ''
}

const YARN = '@yarnpkg/cli-dist/bin/yarn.js'

/** Yarn without anything of the user's: no telemetry, no scripts. */
function yarnSettings(nodeLinker: 'node-modules' | 'pnp'): string {
  const settings = [
    `nodeLinker: ${nodeLinker}`,
    'enableTelemetry: false',
    'enableScripts: false',
    'enableGlobalCache: false',
    // Its mirror would hand out an earlier package of the same version.
    'enableMirror: false',
    'enableImmutableInstalls: false',
    'pnpEnableEsmLoader: true',
  ]
  return `${settings.join('\n')}\n`
}

export interface Installer {
  readonly name: string
  /** The program that runs the installer. */
  readonly runtime: string
  version(): string
  /** What has to be in the project before. */
  readonly files?: Readonly<Record<string, string>>
  /** Words after the runtime that add packages. */
  add(packages: readonly string[]): readonly string[]
  /** Words after the runtime that run a program of an installed package. */
  exec(words: readonly string[]): readonly string[]
}

/** The version of a package of test/runtimes, which pins runtimes. */
function runtimeVersion(name: string): string {
  return versionOf(join('../../runtimes/node_modules', name))
}

const yarn = (name: string, nodeLinker: 'node-modules' | 'pnp'): Installer => ({
  name,
  runtime: 'node24',
  version: () => versionOf('@yarnpkg/cli-dist'),
  files: { '.yarnrc.yml': yarnSettings(nodeLinker), 'yarn.lock': '' },
  add: packages => [tool(YARN), 'add', ...packages],
  exec: words => [tool(YARN), 'run', ...words],
})

const [os, cpu] = [process.platform, process.arch]

export const installers: readonly Installer[] = [
  {
    name: 'npm',
    runtime: 'node24',
    version: () => versionOf('npm'),
    add: packages => [tool('npm/bin/npm-cli.js'), 'install', ...packages],
    exec: words => [tool('npm/bin/npm-cli.js'), 'exec', '--', ...words],
  },
  {
    name: 'pnpm',
    runtime: 'node24',
    version: () => versionOf('pnpm'),
    add: packages => [tool('pnpm/bin/pnpm.mjs'), 'add', ...packages],
    exec: words => [tool('pnpm/bin/pnpm.mjs'), 'exec', ...words],
  },
  yarn('Yarn', 'node-modules'),
  {
    name: 'Bun',
    runtime: 'bun',
    version: () => runtimeVersion(`@oven/bun-${os}-${cpu.replace('arm64', 'aarch64')}`),
    add: packages => ['add', ...packages],
    exec: words => ['x', '--bun', ...words],
  },
  {
    name: 'Deno',
    runtime: 'deno',
    version: () => runtimeVersion(`@deno/${os}-${cpu}${os === 'linux' ? '-glibc' : ''}`),
    add: packages => ['add', '--node-modules-dir=auto', ...packages.map(name => `npm:${name}`)],
    exec: ([name, ...words]) => ['run', '--allow-all', `npm:${name}`, ...words],
  },
]

export const plugAndPlay = yarn("Yarn, Plug'n'Play", 'pnp')
/** Runs a script of a Plug'n'Play project. */
export const yarnNode: readonly string[] = [tool(YARN), 'node']

/** Where every installer looks for packages; what two runs could share is kept in the project. */
function environmentOf({ url }: Registry, { folder }: Project): NodeJS.ProcessEnv {
  return {
    ...bareEnvironment(),
    npm_config_registry: url,
    NPM_CONFIG_REGISTRY: url,
    BUN_CONFIG_REGISTRY: url,
    YARN_NPM_REGISTRY_SERVER: url,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_CACHE_FOLDER: join(folder, '.yarn-cache'),
    BUN_INSTALL_CACHE_DIR: join(folder, '.bun-cache'),
    DENO_DIR: join(folder, '.deno-cache'),
  }
}

/** A fresh project that knows the registry, with the programs that compare `require` and `import`. */
export function projectFor(installer: Installer, registry: Registry): Project {
  const project = new Project()
  project.env = environmentOf(registry, project)
  project.write({
    '.npmrc': `registry=${registry.url}/\n`,
    'requires.cjs': REQUIRES,
    'imports.mjs': IMPORTS,
    ...installer.files,
  })
  return project
}

/** Answers with what the installer prints. */
export function install(installer: Installer, project: Project, packages = ['millrace']): Promise<string> {
  return project.run(program(installer.runtime), installer.add(packages))
}

const PNP = '.pnp.cjs'

/** As {@link install}; then Node finds a Plug'n'Play project's packages however it is started. */
export async function installForNode(
  installer: Installer,
  project: Project,
  packages?: string[],
): Promise<void> {
  await install(installer, project, packages)
  if (!existsSync(join(project.folder, PNP))) return
  const loader = pathToFileURL(join(project.folder, '.pnp.loader.mjs'))
  const hooks = `--require ${JSON.stringify(join(project.folder, PNP))} --experimental-loader ${loader}`
  project.env = { ...project.env, NODE_OPTIONS: hooks }
}

/** The folder with the packages as files, and that of ours. */
export function installedIn({ folder }: Project): { modules: string; own: string } {
  const modules = join(folder, 'node_modules')
  if (!existsSync(join(folder, PNP))) return { modules, own: join(modules, 'millrace') }
  const unplugged = join(folder, '.yarn/unplugged')
  const [name = ''] = readdirSync(unplugged).filter(each => each.startsWith('millrace-'))
  return { modules: unplugged, own: join(unplugged, name, 'node_modules/millrace') }
}
