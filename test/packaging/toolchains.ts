// The tool chains that Node users have: each takes a project with the package in it, and delivers records.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { program } from './installers.js'
import { BUNDLED, DELIVER_TYPES, JEST, TYPED } from './programs/programs.js'
import { type Project, run, tool, versionOf } from './project.js'

export interface Toolchain {
  readonly name: string
  version(): string
  /** Programs without which it cannot run. */
  readonly needs?: readonly string[]
  delivers(project: Project): Promise<void>
}

const node = process.execPath
/** The fewest that work. */
export const DENO_FLAGS: readonly string[] = ['run', '--allow-ffi', '--allow-read', '--allow-net']

/** The sources that the rows compile, bundle and run. */
export const SOURCES: Readonly<Record<string, string>> = {
  'bundled.mjs': BUNDLED,
  'sends.test.js': JEST,
  'typed.ts': TYPED,
  'typed.cts': TYPED,
  'typed.mts': TYPED,
  'deliver.d.cts': DELIVER_TYPES,
}

export function canRun({ needs = [] }: Toolchain): boolean {
  return needs.every(name => existsSync(program(name)))
}

const runtime = (title: string, name: string, version: () => string): Toolchain => ({
  name: `${title}: require, import`,
  version,
  needs: [name],
  async delivers(project) {
    const flags = name === 'deno' ? DENO_FLAGS : []
    await project.delivers(program(name), [...flags, 'requires.cjs'])
    await project.delivers(program(name), [...flags, 'imports.mjs'])
  },
})

const pinned = (path: string) => () => versionOf(join('../../runtimes/node_modules', path))
const [os, cpu] = [process.platform, process.arch]

export const runtimes: readonly Toolchain[] = [
  ...['20', '24', '26'].map(line =>
    runtime(`Node ${line}`, `node${line}`, pinned(`node${line}-${os}-${cpu}`)),
  ),
  runtime('Bun', 'bun', pinned(`@oven/bun-${os}-${cpu.replace('arm64', 'aarch64')}`)),
  runtime('Deno', 'deno', pinned(`@deno/${os}-${cpu}${os === 'linux' ? '-glibc' : ''}`)),
  {
    name: 'an executable of another name',
    version: () => `Node ${process.versions.node}`,
    async delivers(project) {
      const renamed = join(project.folder, 'application')
      copyFileSync(node, renamed)
      await project.delivers(renamed, ['requires.cjs'])
      rmSync(renamed)
    },
  },
]

/** Gives a bundle in the form of an ES module what CommonJS within it needs. */
const BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

async function esbuild(project: Project, ...words: readonly string[]): Promise<void> {
  await project.run(node, [
    tool('esbuild/bin/esbuild'),
    ...['bundled.mjs', '--bundle', '--platform=node', '--loader:.node=copy', '--log-level=error', ...words],
  ])
}

async function webpack(project: Project, name: string, options: string): Promise<void> {
  project.write({
    [`${name}.cjs`]: `
      const { webpack } = require(${JSON.stringify(tool('webpack'))})
      const path = require('node:path')
      webpack({
        mode: 'development', devtool: false, target: 'node', entry: './bundled.mjs',
        output: { path: path.join(__dirname, '${name}'), filename: 'bundle.cjs' }, ${options}
      }, (error, stats) => {
        if (error || stats.hasErrors()) throw error ?? new Error(stats.toString())
      })`,
  })
  await project.run(node, [`${name}.cjs`])
  await project.delivers(node, [`${name}/bundle.cjs`])
}

export const bundlers: readonly Toolchain[] = [
  {
    name: 'esbuild, as CommonJS',
    version: () => versionOf('esbuild'),
    async delivers(project) {
      await esbuild(project, '--format=cjs', '--outfile=esbuild/bundle.cjs')
      await project.delivers(node, ['esbuild/bundle.cjs'])
    },
  },
  {
    name: 'esbuild, as an ES module',
    version: () => versionOf('esbuild'),
    async delivers(project) {
      await esbuild(project, '--format=esm', '--outfile=esbuild/bundle.mjs', `--banner:js=${BANNER}`)
      await project.delivers(node, ['esbuild/bundle.mjs'])
    },
  },
  {
    name: 'webpack, with everything in the bundle',
    version: () => versionOf('webpack'),
    delivers(project) {
      const loader = JSON.stringify(tool('node-loader'))
      return webpack(project, 'webpack', `module: { rules: [{ test: /\\.node$/, loader: ${loader} }] }`)
    },
  },
  {
    name: 'webpack, with the package outside',
    version: () => versionOf('webpack'),
    delivers(project) {
      const names = ['millrace', 'millrace/testing'].map(name => `'${name}': 'commonjs ${name}'`).join()
      return webpack(project, 'webpack-external', `externals: { ${names} }`)
    },
  },
  {
    name: 'rollup, with the package outside',
    version: () => versionOf('rollup'),
    async delivers(project) {
      const required = `import { createRequire } from 'node:module'
        const deliver = createRequire(import.meta.url)('./deliver.cjs')`
      project.write({
        'rolled-up.mjs': BUNDLED.replace(/^import deliver .*$/m, required),
        'rollup/deliver.cjs': await project.read('deliver.cjs'),
      })
      const words = ['rolled-up.mjs', '--external', 'millrace,millrace/testing,node:module', '--silent']
      await project.run(node, [tool('rollup/dist/bin/rollup'), ...words, '--file', 'rollup/bundle.mjs'])
      await project.delivers(node, ['rollup/bundle.mjs'])
    },
  },
  {
    name: 'vite, for the server',
    version: () => versionOf('vite'),
    needs: ['node24'],
    async delivers(project) {
      const words = ['build', '--ssr', 'bundled.mjs', '--outDir', 'vite', '--logLevel', 'error']
      await project.run(program('node24'), [tool('vite/bin/vite.js'), ...words])
      await project.delivers(program('node24'), ['vite/bundled.mjs'])
    },
  },
  {
    name: 'bun build --compile, run from another folder',
    version: pinned(`@oven/bun-${os}-${cpu.replace('arm64', 'aarch64')}`),
    needs: ['bun'],
    async delivers(project) {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-compiled-'))
      try {
        const compiled = join(folder, 'program')
        await project.run(program('bun'), ['build', '--compile', 'bundled.mjs', '--outfile', compiled])
        assert.match(await run(folder, compiled, []), /"delivered":\["none","gzip","snappy","lz4","zstd"\]/)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  },
]

export const runners: readonly Toolchain[] = [
  {
    name: 'jest, in its default mode',
    version: () => versionOf('jest'),
    delivers: project =>
      project.delivers(node, [tool('jest/bin/jest.js'), '--rootDir', '.', '--silent=false']),
  },
  {
    name: 'ts-node',
    version: () => versionOf('ts-node'),
    delivers(project) {
      const compiler = ['--compiler', tool('typescript'), '--skipProject', '--transpileOnly']
      const options = '{"module":"commonjs","moduleResolution":"node10"}'
      const words = [...compiler, '--compilerOptions', options, 'typed.cts']
      return project.delivers(node, [tool('ts-node/dist/bin.js'), ...words])
    },
  },
  {
    name: 'tsx',
    version: () => versionOf('tsx'),
    delivers: project => project.delivers(node, [tool('tsx/dist/cli.mjs'), 'typed.ts']),
  },
  {
    name: 'types stripped by Node',
    version: pinned(`node24-${os}-${cpu}`),
    needs: ['node24'],
    delivers: project => project.delivers(program('node24'), ['typed.mts']),
  },
]

const resolutions = [
  { moduleResolution: 'node10', module: 'commonjs', files: ['typed.cts'] },
  { moduleResolution: 'node16', module: 'node16', files: ['typed.cts', 'typed.mts'] },
  { moduleResolution: 'nodenext', module: 'nodenext', files: ['typed.cts', 'typed.mts'] },
  { moduleResolution: 'bundler', module: 'esnext', files: ['typed.ts'] },
]

export const compilers: readonly Toolchain[] = resolutions.map(({ moduleResolution, module, files }) => ({
  name: `TypeScript, ${moduleResolution}: ${files.join(', ')}`,
  version: () => versionOf('typescript'),
  async delivers(project) {
    const out = `tsc-${moduleResolution}`
    await project.run(node, [
      tool('typescript/bin/tsc'),
      ...['--moduleResolution', moduleResolution, '--module', module, '--target', 'es2022', '--strict'],
      ...['--lib', 'es2023,esnext.disposable', '--typeRoots', tool('@types'), '--types', 'node'],
      ...['--outDir', out, ...files],
    ])
    project.write({ [join(out, 'deliver.cjs')]: await project.read('deliver.cjs') })
    for (const file of files) {
      const emitted = join(out, file.replace('ts', 'js'))
      // What is meant for a bundler has no extension that Node takes for an ES module.
      const runner = moduleResolution === 'bundler' ? [tool('tsx/dist/cli.mjs')] : []
      await project.delivers(node, [...runner, emitted])
    }
  },
}))
