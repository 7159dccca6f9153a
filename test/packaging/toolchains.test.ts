// The packed package in the tool chains that Node users have: bundlers, test runners, TypeScript of every kind.
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { MOCKED, TRACED } from './programs/kafkajs.js'
import { BUNDLED, DELIVER_TYPES, JEST, REQUIRES, TYPED } from './programs/programs.js'
import { Project, packForHost, ROOT, run, tool } from './project.js'

const { programs } = (await import(`${ROOT}test/runtimes/programs.mjs`)) as {
  programs: Readonly<Record<string, string>>
}
const node = process.execPath
const node24 = programs.node24 ?? ''
const bun = programs.bun ?? ''
const packed = mkdtempSync(join(tmpdir(), 'millrace-packed-'))
const project = new Project()
let tarball = ''

before(async () => {
  tarball = await packForHost(packed)
  const npm = [existsSync(node24) ? node24 : node, tool('npm/bin/npm-cli.js')] as const
  await project.run(npm[0], [npm[1], 'install', tarball])
  project.write({
    'bundled.mjs': BUNDLED,
    'requires.cjs': REQUIRES,
    'sends.test.js': JEST,
    'typed.ts': TYPED,
    'typed.cts': TYPED,
    'typed.mts': TYPED,
    'deliver.d.cts': DELIVER_TYPES,
  })
})
after(() => {
  project.remove()
  rmSync(packed, { recursive: true, force: true })
})

/** Gives a bundle in the form of an ES module what CommonJS within it needs. */
const BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

describe('bundlers', () => {
  const esbuild = (...words: string[]) =>
    project.run(node, [
      tool('esbuild/bin/esbuild'),
      ...['bundled.mjs', '--bundle', '--platform=node', '--loader:.node=copy', '--log-level=error', ...words],
    ])

  test('esbuild, as CommonJS', async () => {
    await esbuild('--format=cjs', '--outfile=esbuild/bundle.cjs')
    await project.delivers(node, ['esbuild/bundle.cjs'])
  })

  test('esbuild, as an ES module', async () => {
    await esbuild('--format=esm', '--outfile=esbuild/bundle.mjs', `--banner:js=${BANNER}`)
    await project.delivers(node, ['esbuild/bundle.mjs'])
  })

  const webpack = async (name: string, options: string) => {
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

  test('webpack, with everything in the bundle', async () => {
    const loader = JSON.stringify(tool('node-loader'))
    await webpack('webpack', `module: { rules: [{ test: /\\.node$/, loader: ${loader} }] }`)
  })

  test('webpack, with the package outside, as serverExternalPackages of Next.js does', async () => {
    const names = ['millrace', 'millrace/testing'].map(name => `'${name}': 'commonjs ${name}'`).join()
    await webpack('webpack-external', `externals: { ${names} }`)
  })

  test('rollup, with the package outside', async () => {
    const required = `import { createRequire } from 'node:module'
      const deliver = createRequire(import.meta.url)('./deliver.cjs')`
    project.write({
      'rolled-up.mjs': BUNDLED.replace(/^import deliver .*$/m, required),
      'rollup/deliver.cjs': await project.read('deliver.cjs'),
    })
    const words = ['rolled-up.mjs', '--external', 'millrace,millrace/testing,node:module', '--silent']
    await project.run(node, [tool('rollup/dist/bin/rollup'), ...words, '--file', 'rollup/bundle.mjs'])
    await project.delivers(node, ['rollup/bundle.mjs'])
  })

  test('vite, for the server', { skip: !existsSync(node24) }, async () => {
    const words = ['build', '--ssr', 'bundled.mjs', '--outDir', 'vite', '--logLevel', 'error']
    await project.run(node24, [tool('vite/bin/vite.js'), ...words])
    await project.delivers(node24, ['vite/bundled.mjs'])
  })

  test('bun build --compile, run from another folder', { skip: !existsSync(bun) }, async () => {
    await project.run(bun, ['build', '--compile', 'bundled.mjs', '--outfile', join(packed, 'program')])
    const output = await run(tmpdir(), join(packed, 'program'), [])
    assert.match(output, /"delivered":\["none","gzip","snappy","lz4","zstd"\]/)
  })
})

describe('runners', () => {
  test('jest, in its default mode', async () => {
    await project.delivers(node, [tool('jest/bin/jest.js'), '--rootDir', '.', '--silent=false'])
  })

  test('ts-node', async () => {
    const compiler = ['--compiler', tool('typescript'), '--skipProject', '--transpileOnly']
    await project.delivers(node, [
      tool('ts-node/dist/bin.js'),
      ...[...compiler, '--compilerOptions', '{"module":"commonjs","moduleResolution":"node10"}', 'typed.cts'],
    ])
  })

  test('tsx', async () => {
    await project.delivers(node, [tool('tsx/dist/cli.mjs'), 'typed.ts'])
  })

  test('types stripped by Node', { skip: !existsSync(node24) }, async () => {
    await project.delivers(node24, ['typed.mts'])
  })
})

describe('what applications with kafkajs bring along', () => {
  test('jest: automatic mocks, and send replaced in place', async () => {
    project.write({ 'mocked/mocked.test.js': MOCKED, 'mocked/package.json': '{}' })
    await project.run(node, [tool('jest/bin/jest.js'), '--rootDir', 'mocked'])
  })

  test("OpenTelemetry's instrumentation of kafkajs, by the alias", async () => {
    const paths = {
      instrumentation: tool('@opentelemetry/instrumentation-kafkajs'),
      sdk: tool('@opentelemetry/sdk-trace-node'),
    }
    const alias = join(project.folder, 'node_modules/kafkajs')
    cpSync(join(ROOT, 'packages/kafkajs-alias'), alias, { recursive: true })
    project.write({ 'traced.cjs': `const PATHS = ${JSON.stringify(paths)}\n${TRACED}` })
    const seen = JSON.parse(await project.run(node, ['traced.cjs']))
    rmSync(alias, { recursive: true })
    assert.deepEqual(seen, { spans: ['send orders', 'send orders'], headers: ['traceparent', 'traceparent'] })
  })
})

describe('TypeScript', () => {
  const resolutions = [
    { moduleResolution: 'node10', module: 'commonjs', files: ['typed.cts'] },
    { moduleResolution: 'node16', module: 'node16', files: ['typed.cts', 'typed.mts'] },
    { moduleResolution: 'nodenext', module: 'nodenext', files: ['typed.cts', 'typed.mts'] },
    { moduleResolution: 'bundler', module: 'esnext', files: ['typed.ts'] },
  ]
  for (const { moduleResolution, module, files } of resolutions) {
    test(`${moduleResolution}: ${files.join(', ')}`, async () => {
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
    })
  }
})

describe('the tarball', () => {
  const withTarball = (words: string[]) => run(packed, node, words, process.env)

  test('publint has nothing to say', async () => {
    const output = await withTarball([tool('publint/src/cli.js'), tarball, '--strict'])
    assert.match(output, /All good/)
  })

  test('its types are right for every way to resolve modules', async () => {
    const output = await withTarball([tool('@arethetypeswrong/cli/dist/index.js'), tarball, '--no-emoji'])
    assert.match(output, /No problems found/)
  })
})
