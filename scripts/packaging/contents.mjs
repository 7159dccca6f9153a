// What the package has beside code: its package.json, the hashes of its addons, its bill of materials and the
// licences of what is compiled in. All of it follows from the sources: two builds give the same bytes.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesUnder, root, StepError } from '../commands.mjs'
import { entriesOf } from './bundle.mjs'
import { nodeApi, targets, zigLibrary } from './prebuilds.mjs'

/** Fields of the checkout's package.json that mean something to whoever installs the package. */
const FIELDS = [
  ...['name', 'version', 'description', 'keywords', 'license', 'engines', 'gypfile', 'dependencies'],
  ...['peerDependencies', 'peerDependenciesMeta', 'optionalDependencies'],
]

/** The packed package.json: CommonJS by default, with conditions for both module formats and old tools. */
export function packedManifest(manifest) {
  const names = Object.keys(entriesOf(manifest))
  const face = (name, types, code) => ({
    types: `./dist/${name}.${types}`,
    default: `./dist/${name}.${code}`,
  })
  const exports = names.map(name => [
    name === 'index' ? '.' : `./${name}`,
    { import: face(name, 'd.mts', 'mjs'), require: face(name, 'd.ts', 'js') },
  ])
  const others = names.filter(name => name !== 'index')
  const publisher = JSON.parse(readFileSync(join(root, 'scripts/packaging/publisher.json'), 'utf8'))
  return {
    ...Object.fromEntries(FIELDS.filter(field => field in manifest).map(field => [field, manifest[field]])),
    ...Object.fromEntries(Object.entries(publisher).filter(([, value]) => value !== null)),
    type: 'commonjs',
    main: './dist/index.js',
    module: './dist/index.mjs',
    types: './dist/index.d.ts',
    bin: { millrace: 'dist/cli.js' },
    sideEffects: ['./dist/cli.js'],
    exports: { ...Object.fromEntries(exports), './package.json': './package.json' },
    // For `moduleResolution: node10`, which knows no exports.
    typesVersions: { '*': Object.fromEntries(others.map(name => [name, [`./dist/${name}.d.ts`]])) },
    files: [...shippedFiles(), 'dist', 'prebuilds', 'LICENSE-THIRD-PARTY', 'sbom.cdx.json'],
  }
}

/** What is packed as it lies in the checkout: documents, and what `millrace build-addon` compiles. */
export function shippedFiles() {
  const documents = ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', ...filesUnder(['docs'])]
  const sources = ['CMakeLists.txt', 'package.json', 'sources.gypi', 'targets.json', 'core', 'binding']
  return [...documents.filter(file => existsSync(join(root, file))), ...filesUnder(sources.map(under))]
}

const under = name => `native/${name}`

export function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

/** prebuilds/manifest.json: what was built with what, and the hash of every addon. */
export function writeHashes(folder, version, names, compiler) {
  const files = names.map(name => {
    const path = `${name}/millrace.node`
    const file = join(folder, path)
    return [path, { sha256: sha256(file), bytes: readFileSync(file).length }]
  })
  const manifest = { version, nodeApi, compiler, files: Object.fromEntries(files) }
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

/** What is compiled into the addons besides our own sources, with the files that hold its licence. */
function compiledIn(compiler) {
  const header = readFileSync(join(root, 'node_modules/zstd-napi/deps/zstd/lib/zstd.h'), 'utf8')
  const part = name => new RegExp(`#define ZSTD_VERSION_${name}\\s+(\\d+)`).exec(header)?.[1]
  const zstd = ['MAJOR', 'MINOR', 'RELEASE'].map(part).join('.')
  const lib = zigLibrary()
  const llvm = 'Apache-2.0 WITH LLVM-exception'
  return [
    {
      ...{ name: 'zstd', version: zstd, license: 'BSD-3-Clause' },
      texts: [join(root, 'node_modules/zstd-napi/deps/zstd/LICENSE')],
    },
    ...(compiler.startsWith('zig ')
      ? [
          ['libcxx-headers', llvm, ['libcxx/LICENSE.TXT']],
          ['zig-compiler-rt', 'MIT', ['../LICENSE']],
          ['mingw-w64-runtime', 'ZPL-2.1', ['libc/mingw/COPYING']],
        ]
      : []
    ).map(([name, license, texts]) => ({
      ...{ name, version: compiler.replace(' ', '-'), license },
      texts: texts.map(text => join(lib, text)),
    })),
  ]
}

/** sbom.cdx.json (CycloneDX 1.5): the native parts, which no package manager knows of, and the packages. */
export function writeBill(folder, manifest, compiler) {
  const native = compiledIn(compiler).map(({ name, version, license }) => ({
    type: 'library',
    'bom-ref': `pkg:generic/${name}@${version}`,
    ...{ name, version, purl: `pkg:generic/${name}@${version}` },
    licenses: [/ WITH /.test(license) ? { expression: license } : { license: { id: license } }],
    properties: [{ name: 'millrace:linkage', value: 'compiled into prebuilds' }],
  }))
  const packages = Object.entries(manifest.dependencies ?? {}).map(([name, version]) => {
    const { license } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'))
    const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
    return { type: 'library', 'bom-ref': purl, name, version, purl, licenses: [{ license: { id: license } }] }
  })
  const own = `pkg:npm/${manifest.name}@${manifest.version}`
  const components = [...packages, ...native]
  const bill = {
    ...{ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1 },
    metadata: {
      tools: { components: [{ type: 'application', name: 'compiler', version: compiler }] },
      component: {
        ...{ type: 'library', 'bom-ref': own, name: manifest.name, version: manifest.version, purl: own },
        licenses: [{ license: { id: manifest.license } }],
        components: addonsOf(folder),
      },
    },
    components,
    dependencies: [{ ref: own, dependsOn: components.map(component => component['bom-ref']) }],
  }
  writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(bill, null, 2)}\n`)
}

/** Each addon with its hash. */
function addonsOf(folder) {
  return targets
    .map(({ name }) => `prebuilds/${name}/millrace.node`)
    .filter(path => existsSync(join(folder, path)))
    .map(path => ({
      ...{ type: 'file', name: path, 'bom-ref': path },
      hashes: [{ alg: 'SHA-256', content: sha256(join(folder, path)) }],
    }))
}

/** LICENSE-THIRD-PARTY: whole texts of what is compiled in, and the names of what is installed beside. */
export function writeLicences(folder, manifest, compiler) {
  const parts = compiledIn(compiler).map(({ name, version, license, texts }) => {
    const missing = texts.filter(text => !existsSync(text))
    if (missing.length > 0) throw new StepError(`no licence text: ${missing.join(', ')}`)
    const text = texts.map(file => readFileSync(file, 'utf8').trim()).join('\n\n')
    return `${name} ${version} (${license}), compiled into the addons of prebuilds/\n\n${text}\n`
  })
  const beside = Object.keys(manifest.dependencies ?? {}).map(name => {
    const { license, version } = JSON.parse(
      readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'),
    )
    return `${name} ${version} (${license}), a package of its own that is installed beside this one\n`
  })
  const line = `\n${'-'.repeat(100)}\n\n`
  writeFileSync(join(folder, 'LICENSE-THIRD-PARTY'), [...parts, ...beside].join(line))
}
