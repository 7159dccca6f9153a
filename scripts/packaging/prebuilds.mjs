// Cross-compiles the addon for each target of native/targets.json with zig, which brings the headers and C
// libraries of all of them. zig comes from PyPI into .cache, pinned in requirements.txt.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { filesUnder, findProgram, isWindows, root, run, StepError, seconds } from '../commands.mjs'

const ZIG = join(root, '.cache/zig')
const ZSTD = 'node_modules/zstd-napi/deps/zstd/lib'
const HEADERS = 'node_modules/node-api-headers/include'
const REQUIREMENTS = 'scripts/packaging/requirements.txt'

/** native/targets.json. */
export const { nodeApi, targets } = JSON.parse(readFileSync(join(root, 'native/targets.json'), 'utf8'))

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
/** That of the virtual environment with zig and pip in it. */
export const python = join(ZIG, isWindows ? 'venv/Scripts/python.exe' : 'venv/bin/python')

/** Installs the pinned zig unless it is there. */
async function installZig() {
  const wanted = readFileSync(join(root, REQUIREMENTS), 'utf8')
  const stamp = join(ZIG, 'installed.txt')
  if (existsSync(python) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  const system = findProgram('python3', 'python')
  if (system === undefined) throw new StepError('Python 3 with venv is needed to install zig (PyPI ziglang)')
  console.log(`package: installing ${wanted.trim()}`)
  rmSync(join(ZIG, 'venv'), { recursive: true, force: true })
  mkdirSync(ZIG, { recursive: true })
  await run(system, ['-m', 'venv', join(ZIG, 'venv')])
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  await run(python, [...pip, '--requirement', join(root, REQUIREMENTS)])
  writeFileSync(stamp, wanted)
}

/** The folder of zig's own libraries, with their licences. */
export function zigLibrary() {
  if (isWindows) return join(ZIG, 'venv/Lib/site-packages/ziglang/lib')
  const lib = join(ZIG, 'venv/lib')
  const [name = ''] = existsSync(lib) ? readdirSync(lib).filter(each => each.startsWith('python')) : []
  return join(lib, name, 'site-packages/ziglang/lib')
}

/**
 * Runs zig. Its global cache holds the C library of each target, which takes a minute or two to compile; our
 * own sources are compiled into `cache`.
 */
async function zig(args, { cache = join(ZIG, 'cache') } = {}) {
  const env = { ZIG_GLOBAL_CACHE_DIR: join(ZIG, 'cache'), ZIG_LOCAL_CACHE_DIR: cache }
  await run(python, ['-m', 'ziglang', ...args], { env })
}

/** Every source of the addon, relative to the root: sources.gypi is the one list of our own. */
function sources() {
  const listed = readFileSync(join(root, 'native/sources.gypi'), 'utf8')
  const cpp = [...listed.match(/native\/(core|binding)\/[a-z0-9_]+\.cpp/g), 'native/prebuild/runtime.cpp']
  const c = filesUnder(
    ['common', 'compress', 'decompress'].map(folder => `${ZSTD}/${folder}`),
    isC,
  )
  if (c.length === 0) throw new StepError(`no sources of zstd in ${ZSTD}`)
  return { cpp, c }
}

const isC = path => path.endsWith('.c')

/**
 * Of the C++ library only headers are used; what little they need besides is native/prebuild/runtime.cpp. The
 * definitions are those that zig itself gives them.
 */
function libcxxFlags({ libc }) {
  const lib = zigLibrary()
  const values = {
    ...{ ABI_VERSION: 1, ABI_NAMESPACE: '__1', HAS_THREADS: 1, HAS_MONOTONIC_CLOCK: 1, HAS_TERMINAL: 1 },
    ...{ HAS_MUSL_LIBC: libc === 'musl' ? 1 : 0, HAS_VENDOR_AVAILABILITY_ANNOTATIONS: 0, HAS_FILESYSTEM: 0 },
    ...{ HAS_RANDOM_DEVICE: 0, HAS_LOCALIZATION: 1, HAS_UNICODE: 1, HAS_WIDE_CHARACTERS: 1 },
    ...{ HAS_TIME_ZONE_DATABASE: 0, HARDENING_MODE: '_LIBCPP_HARDENING_MODE_NONE' },
    ...{ ASSERTION_SEMANTIC_DEFAULT: '_LIBCPP_ASSERTION_SEMANTIC_IGNORE' },
  }
  return [
    ...['-nostdinc++', `-I${join(lib, 'libcxx/include')}`, `-I${join(lib, 'libcxxabi/include')}`],
    ...['-D_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS', '-D_LIBCPP_PSTL_BACKEND_SERIAL'],
    ...Object.entries(values).map(([name, value]) => `-D_LIBCPP_${name}=${value}`),
  ]
}

/** As in native/CMakeLists.txt. No path of this machine may be in the output, which is the same anywhere. */
function flags(target) {
  const common = [
    ...['-fvisibility=hidden', '-ffunction-sections', '-fdata-sections'],
    ...[`-ffile-prefix-map=${zigLibrary()}=zig`, `-ffile-prefix-map=${root}=.`],
  ]
  const cpp = [
    ...['-std=c++17', '-O3', '-fno-exceptions', '-fno-rtti', '-fvisibility-inlines-hidden'],
    '-fvisibility-global-new-delete=force-hidden',
    ...[`-DNAPI_VERSION=${nodeApi}`, `-DMILLRACE_VERSION="${version}"`, `-I${HEADERS}`, `-I${ZSTD}`],
    ...libcxxFlags(target),
    ...(target.platform === 'win32' ? ['-DNAPI_EXTERN='] : []),
  ]
  const c = [
    ...['-O2', '-w', '-DXXH_NAMESPACE=ZSTD_', '-DZSTD_DISABLE_ASM', '-DZSTD_NO_TRACE'],
    ...['-DZSTD_LEGACY_SUPPORT=0', '-DZSTDLIB_VISIBLE=', '-DZSTDERRORLIB_VISIBLE='],
  ]
  return { cpp: [...common, ...cpp], c: [...common, ...c] }
}

/** Compiles one target's addon to `folder`/NAME/millrace.node. */
export async function buildPrebuild(target, folder, options) {
  const startedMs = Date.now()
  const output = join(folder, target.name)
  mkdirSync(output, { recursive: true })
  await installZig()
  const { cpp, c } = sources()
  const { cpp: cppFlags, c: cFlags } = flags(target)
  // Functions of Node-API are found in the process; on Windows the addon looks them up itself.
  const link = {
    linux: ['--version-script', 'scripts/packaging/exports.map'],
    // Else the name is the path of the output.
    darwin: ['-install_name', '@rpath/millrace.node'],
    win32: [],
  }[target.platform]
  await zig(
    [
      ...['build-lib', '-dynamic', '-target', target.zig, '-O', 'ReleaseFast', '-fstrip', '-fPIC', '-lc'],
      ...['--gc-sections', '-fallow-shlib-undefined', '--name', 'millrace', ...link],
      `-femit-bin=${join(output, 'millrace.node')}`,
      '-fno-emit-implib',
      ...['-cflags', ...cppFlags, '--', ...cpp],
      ...['-cflags', ...cFlags, '--', ...c],
    ],
    options,
  )
  console.log(`package: ${relative(root, output)} ${seconds(startedMs)}`)
}

/** The target that this process runs on. */
export async function hostTarget() {
  const { targetName } = await import('../../dist/native/target.js')
  const name = targetName()
  return targets.find(target => target.name === name) ?? { name }
}
