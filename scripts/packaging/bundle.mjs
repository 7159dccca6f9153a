// Makes the package's JavaScript from the compiled modules: one CommonJS implementation with shared chunks,
// so that every class exists once, and over each entry a thin ES module that re-exports it. `import`,
// `require`, bundlers and test runners then all meet the same objects, and few files are read.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rollup } from 'rollup'
import { root, StepError } from '../commands.mjs'
import { restoreImports } from '../hoist-imports.mjs'

const CLI = 'cli'
const PACKAGE_ROOT_MODULE = join(root, 'dist/common/package-root.js')

/** Takes the place of src/common/package-root.ts: CommonJS says where a file lies, unless it is bundled. */
const packageRootOf = version => `
import { join } from 'node:path'
export const packageRoot = typeof __dirname === 'string' ? join(__dirname, '..') : ''
export const packageVersion = () => ${JSON.stringify(version)}
`

/** The entries of package.json's `exports` by name, each with its compiled module; `.` is `index`. */
export function entriesOf(manifest) {
  const modules = Object.entries(manifest.exports).filter(([, target]) => typeof target === 'object')
  return Object.fromEntries(
    modules.map(([path, { default: file }]) => [path === '.' ? 'index' : path.slice('./'.length), file]),
  )
}

/**
 * CommonJS has a `require` of its own. Left to it, calls with literal paths are seen by the bundlers of
 * applications. JSON is put in place; addons lie beside the folder of the bundle.
 */
const commonJs = version => ({
  name: 'millrace-commonjs',
  load: id => (id === PACKAGE_ROOT_MODULE ? packageRootOf(version) : null),
  transform(compiled) {
    const code = restoreImports(compiled)
    if (!code.includes('createRequire(import.meta.url)')) return code
    return code
      .replace(/^const require = createRequire\(import\.meta\.url\);?$/m, '')
      .replace(/\brequire\('\.\.\/\.\.\/([^']+\.json)'\)/g, (_, path) =>
        readFileSync(join(root, path), 'utf8'),
      )
      .replace(/\brequire\('\.\.\/\.\.\/([^']+\.node)'\)/g, "require('../$1')")
  },
})

/** Writes NAME.js and NAME.mjs for each entry into the folder, with chunks beside them. Returns the names. */
export async function bundle(manifest, folder) {
  const entries = entriesOf(manifest)
  const build = await rollup({
    input: { ...absolute(entries), [CLI]: join(root, manifest.bin.millrace) },
    external: id => !/^[./]/.test(id) && !id.startsWith(root),
    plugins: [commonJs(manifest.version)],
    treeshake: { moduleSideEffects: 'no-external' },
    onwarn: warning => {
      throw new StepError(`rollup: ${warning.message}`)
    },
  })
  const { output } = await build.write({
    dir: folder,
    format: 'cjs',
    exports: 'named',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk-[name].js',
    interop: 'auto',
    esModule: true,
    externalLiveBindings: false,
    freeze: false,
    hoistTransitiveImports: false,
    minifyInternalExports: false,
    generatedCode: 'es2015',
  })
  await build.close()
  for (const { code, fileName } of output) {
    if (/\bimport\.meta\b/.test(code)) throw new StepError(`${fileName} still has import.meta in it`)
  }
  for (const { name, exports, isEntry } of output) {
    if (!isEntry || name === CLI) continue
    const names = exports.toSorted().join(', ')
    writeFileSync(join(folder, `${name}.mjs`), `export { ${names} } from './${name}.js'\n`)
  }
  chmodSync(join(folder, `${CLI}.js`), 0o755)
  return Object.keys(entries)
}

function absolute(entries) {
  return Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, join(root, file)]))
}
