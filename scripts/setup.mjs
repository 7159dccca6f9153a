// Brings a checkout to where it can run. Does only what is missing or out of date, so it may be run any
// number of times. Flags choose the steps: the keys of `steps` below. Without any, what `npm start` needs:
// --deps --native --typescript.
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import {
  filesUnder,
  findProgram,
  isOutdated,
  main,
  needPrograms,
  npm,
  root,
  run,
  runNode,
  StepError,
} from './commands.mjs'
import { hoistImports } from './hoist-imports.mjs'

const TSC = 'node_modules/typescript/bin/tsc'
const CMAKE_JS = 'node_modules/cmake-js/bin/cmake-js'
const NATIVE_SOURCES = ['native/core', 'native/binding', 'native/CMakeLists.txt', 'native/sources.gypi']
const ADDON = 'build/Release/millrace.node'
export const SANITIZED_ADDON = 'build-sanitized/addon/Release/millrace.node'
const KAFKA = '.cache/kafka'
const BROKERS = '.cache/brokers'
/** Kafka before 4.0 logs to log4j 1. */
const LOG4J_1 = ['group=org.slf4j', 'artifact=slf4j-reload4j', 'version=1.7.36'].map(
  each => `logging.${each}`,
)
const REGISTRY = '.cache/registry'

const steps = {
  deps: { title: 'packages', run: () => installPackages('.', []) },
  native: { title: 'native addon', run: buildAddon },
  typescript: { title: 'TypeScript', run: compileSources },
  tests: { title: 'TypeScript of the tests', run: () => runNode(TSC, ['-b', 'test']) },
  rig: { title: 'TypeScript of the fault rig', run: () => runNode(TSC, ['-b', 'rig']) },
  'sanitized-addon': { title: 'sanitized addon', run: buildSanitizedAddon },
  'native-tests': { title: 'native tests, plain and sanitized', run: buildNativeTests },
  runtimes: {
    title: 'runtimes for the public-API suite',
    run: () => installPackages('test/runtimes', ['--ignore-scripts']),
  },
  'packaging-tools': {
    title: 'installers and tool chains for the packaging tests',
    run: () => installPackages('test/packaging', ['--ignore-scripts']),
  },
  kafka: { title: 'Apache Kafka for the tests', run: prepareKafka },
  'tested-brokers': {
    title: 'the brokers of the matrix that `npm test` runs',
    run: () => prepareBrokers(({ tested }) => tested),
  },
  'upgraded-broker': {
    title: 'the broker that the fault rig upgrades',
    run: () => prepareBrokers(({ upgraded }) => upgraded),
  },
  brokers: { title: 'all brokers of the matrix', run: () => prepareBrokers(() => true) },
  kfake: { title: "franz-go's kfake, for the matrix of brokers", run: buildKfake },
  peers: {
    title: 'other JavaScript clients, for the bench, the fault rig and the in-process broker',
    run: () => installPackages('bench/peers/node', ['--ignore-scripts']),
  },
  confluent: {
    title:
      'librdkafka and the addon of @confluentinc/kafka-javascript, compiled for the Node of test/runtimes',
    run: async () => (await import('../bench/support/setup-peers.js')).setUpPeer('confluent'),
  },
  registry: { title: 'Apicurio registry and readers for npm run registry-check', run: prepareRegistry },
  kerberos: {
    title: 'a Kerberos server of Debian, and the package kerberos compiled against its headers',
    run: prepareKerberos,
  },
  nestjs: { title: 'a NestJS application for the tests', run: prepareNestjs },
  site: {
    title: 'what builds the site of docs/',
    run: () => installPackages('site', ['--ignore-scripts']),
  },
  chromium: {
    title: 'Chromium, to look at the site',
    run: () => needPrograms({ Chromium: () => findProgram('chromium') !== undefined }, ['chromium']),
  },
  examples: {
    title: 'packages of the examples, with millrace linked to this checkout',
    run: prepareExamples,
  },
  postgres: {
    title: 'PostgreSQL for the outbox example',
    run: () => needPrograms({ PostgreSQL: () => findPostgres() !== undefined }, ['postgresql']),
  },
}

/** What a compiled test needs, beside what it tests against. */
export const BUILT = ['deps', 'native', 'typescript', 'tests']

async function compileSources() {
  await runNode(TSC, ['-b'])
  hoistImports()
}

/** Runs the named steps in the table's order, each once in the life of this process. */
export async function setUp(names) {
  for (const name of names) {
    if (steps[name] === undefined)
      throw new StepError(`unknown step ${name}: ${Object.keys(steps).join(', ')}`)
  }
  for (const [name, step] of Object.entries(steps)) {
    if (!names.includes(name)) continue
    step.done ??= step.run()
    await step.done
  }
}

function progress(text) {
  console.log(`set-up: ${text}`)
}

function sha256(files) {
  const hash = createHash('sha256')
  for (const file of files)
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)))
      .update('\0')
  return hash.digest('hex')
}

/** Runs the work unless the stamp says it has been done for exactly these files. */
async function once(stamp, files, work) {
  const file = join(root, stamp)
  const wanted = sha256(files)
  if (existsSync(file) && readFileSync(file, 'utf8') === wanted) return
  rmSync(file, { force: true })
  await work()
  writeFileSync(file, wanted)
}

async function installPackages(folder, flags) {
  if (isInstalled(folder)) return
  progress(`installing packages${folder === '.' ? '' : ` of ${folder}`} (npm ci)`)
  await npm(['ci', '--no-audit', '--no-fund', ...flags], { cwd: join(root, folder) })
}

/** Compares the lock with what npm noted; an optional package may be absent, but never of another version. */
function isInstalled(folder) {
  const noted = join(root, folder, 'node_modules/.package-lock.json')
  if (!existsSync(noted)) return false
  const packagesOf = file => JSON.parse(readFileSync(file, 'utf8')).packages
  const installed = packagesOf(noted)
  const locked = Object.entries(packagesOf(join(root, folder, 'package-lock.json'))).filter(
    ([key]) => key !== '',
  )
  return locked.every(
    ([key, { version, optional }]) => (installed[key]?.version ?? (optional && version)) === version,
  )
}

const compilers = {
  CMake: () => findProgram('cmake') !== undefined,
  'a C++ compiler': () => findProgram('c++', 'g++', 'clang++', 'cl') !== undefined,
  'a build tool': () => findProgram('ninja', 'make', 'nmake', 'msbuild') !== undefined,
}

async function buildAddon() {
  if (!isOutdated(ADDON, NATIVE_SOURCES)) return
  await needPrograms(compilers, ['cmake', 'g++', 'ninja-build'])
  progress('compiling the native addon (cmake-js)')
  await runNode(CMAKE_JS, ['compile', '-d', 'native', '-O', 'build'])
  const addon = join(root, ADDON)
  if (!existsSync(addon)) throw new StepError(`cmake-js ended well but ${ADDON} is not there`)
  // What a change of the sources leaves as it was is not linked again and would stay outdated for ever.
  utimesSync(addon, new Date(), new Date())
}

async function buildNativeTests() {
  await needPrograms(
    { ...compilers, GoogleTest: () => ['/usr', '/usr/local', '/opt/homebrew'].some(hasGoogleTest) },
    ['cmake', 'g++', 'ninja-build', 'libgtest-dev'],
  )
  await buildTestsIn('build-tests', [])
  await buildTestsIn('build-sanitized', ['-DMILLRACE_SANITIZE=address,undefined'])
}

/** The addon itself under the sanitizers; Linux only, where their runtimes can be loaded ahead of Node. */
async function buildSanitizedAddon() {
  if (process.platform !== 'linux' || !isOutdated(SANITIZED_ADDON, NATIVE_SOURCES)) return
  progress('compiling the sanitized addon (cmake-js)')
  const output = ['-d', 'native', '-O', 'build-sanitized/addon']
  await runNode(CMAKE_JS, ['compile', ...output, '--CDMILLRACE_SANITIZE=address,undefined'])
  utimesSync(join(root, SANITIZED_ADDON), new Date(), new Date())
}

function hasGoogleTest(prefix) {
  return existsSync(`${prefix}/include/gtest/gtest.h`)
}

async function buildTestsIn(folder, definitions) {
  if (isOutdated(`${folder}/CMakeCache.txt`, ['native/CMakeLists.txt'])) {
    progress(`configuring ${folder} (cmake)`)
    const generator = findProgram('ninja') === undefined ? [] : ['-G', 'Ninja']
    const common = ['-S', 'native', '-B', folder, ...generator, '-DMILLRACE_BUILD_TESTS=ON']
    await run('cmake', [...common, ...definitions])
  }
  progress(`building ${folder}`)
  await run('cmake', ['--build', folder, '--parallel', '2'])
}

/** What keeps the Kafka tests from running: Java and Maven are never installed for the user. */
export function kafkaMissing() {
  const missing = ['java', 'javac', 'mvn'].filter(name => findProgram(name) === undefined)
  return missing.length === 0 ? undefined : `${missing.join(', ')} not found on the PATH`
}

async function prepareKafka() {
  const missing = kafkaMissing()
  if (missing !== undefined) throw new StepError(`Apache Kafka for the tests: ${missing}`)
  const pom = 'test/kafka/pom.xml'
  await once(`${KAFKA}/lib.stamp`, [pom], async () => {
    progress('fetching the jars of Apache Kafka (mvn)')
    rmSync(join(root, KAFKA, 'lib'), { recursive: true, force: true })
    const target = `-DoutputDirectory=${join(root, KAFKA, 'lib')}`
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', target]
    await run('mvn', ['-q', '-B', '-f', pom, ...goal])
  })
  await compileJava(KAFKA, pom, 'test/kafka/java')
}

async function compileJava(cache, pom, folder) {
  const sources = filesUnder([folder])
  await once(`${cache}/classes.stamp`, [pom, ...sources], async () => {
    progress('compiling the Java side of the tests (javac)')
    const classes = join(root, cache, 'classes')
    rmSync(classes, { recursive: true, force: true })
    mkdirSync(classes, { recursive: true })
    // Classes of libraries name annotations that are not there.
    const lint = ['-Xlint:all,-classfile', '-Werror']
    await run('javac', [...lint, '-cp', join(root, cache, 'lib', '*'), '-d', classes, ...sources])
  })
}

/** Jars of the versions of Kafka in test/brokers/brokers.json, and the class that runs them. */
async function prepareBrokers(isWanted) {
  const missing = kafkaMissing()
  if (missing !== undefined) throw new StepError(`the matrix of brokers: ${missing}`)
  const list = 'test/brokers/brokers.json'
  const pom = 'test/brokers/kafka/pom.xml'
  mkdirSync(join(root, BROKERS), { recursive: true })
  const versions = JSON.parse(readFileSync(join(root, list), 'utf8')).filter(isWanted)
  for (const { version, scala, zookeeper } of versions) {
    const folder = `${BROKERS}/kafka-${version}`
    await once(`${folder}.stamp`, [pom], async () => {
      progress(`fetching the jars of Apache Kafka ${version} (mvn)`)
      rmSync(join(root, folder), { recursive: true, force: true })
      const logging = Number.parseInt(version, 10) < 4 ? LOG4J_1 : []
      const server = zookeeper === undefined ? [] : [`zookeeper.version=${zookeeper}`]
      const defines = [`kafka.version=${version}`, `scala.version=${scala}`, ...logging, ...server]
      const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime']
      const target = `outputDirectory=${join(root, folder)}`
      await run('mvn', ['-q', '-B', '-f', pom, ...goal, ...[...defines, target].map(each => `-D${each}`)])
    })
  }
  const sources = filesUnder(['test/brokers/java'])
  await once(`${BROKERS}/classes.stamp`, sources, async () => {
    const classes = join(root, BROKERS, 'classes')
    rmSync(classes, { recursive: true, force: true })
    await run('javac', ['-Xlint:all', '-Werror', '-d', classes, ...sources])
  })
}

/** What keeps kfake from running: Go is never installed for the user. */
export function kfakeMissing() {
  return findProgram('go') === undefined ? 'go not found on the PATH' : undefined
}

async function buildKfake() {
  const missing = kfakeMissing()
  if (missing !== undefined) throw new StepError(`kfake: ${missing}`)
  const folder = 'test/brokers/kfake'
  mkdirSync(join(root, BROKERS), { recursive: true })
  await once(`${BROKERS}/kfake.stamp`, filesUnder([folder]), async () => {
    progress('building kfake (go)')
    const args = ['build', '-trimpath', '-mod=readonly', '-o', join(root, BROKERS, 'kfake'), '.']
    await run('go', args, { cwd: join(root, folder) })
  })
}

async function prepareRegistry() {
  const missing = kafkaMissing()
  if (missing !== undefined) throw new StepError(`the schema registry for its check: ${missing}`)
  const pom = 'test/registry/pom.xml'
  await once(`${REGISTRY}/lib.stamp`, [pom], async () => {
    progress('fetching Apicurio Registry, 142 MB, and its deserializers (mvn)')
    for (const [folder, goal] of [
      ['app', ['dependency:unpack']],
      ['lib', ['dependency:copy-dependencies', '-DincludeScope=runtime']],
    ]) {
      const target = join(root, REGISTRY, folder)
      rmSync(target, { recursive: true, force: true })
      await run('mvn', ['-q', '-B', '-f', pom, ...goal, `-DoutputDirectory=${target}`])
    }
  })
  await compileJava(REGISTRY, pom, 'test/registry/java')
  await installPackages('test/registry/peers', ['--ignore-scripts'])
}

/** What keeps the Kerberos server from running here: its programs are Debian's. */
export function kerberosMissing() {
  return process.platform === 'linux' ? kafkaMissing() : 'the Kerberos server of the tests runs on Linux'
}

/** Scripts of packages are not run: that of `kerberos` would fetch headers of Node that are here. */
async function prepareKerberos() {
  const servers = ['krb5kdc', 'kdb5_util', 'kadmin.local'].map(name => `/usr/sbin/${name}`)
  const wanted = {
    ...compilers,
    'a Kerberos server': () => servers.every(file => existsSync(file)),
    kinit: () => findProgram('kinit') !== undefined,
    'headers of GSS-API': () => existsSync('/usr/include/gssapi/gssapi_krb5.h'),
  }
  await needPrograms(wanted, ['g++', 'krb5-kdc', 'krb5-admin-server', 'krb5-user', 'libkrb5-dev'])
  await installPackages('test/kerberos', ['--ignore-scripts'])
  const folder = 'test/kerberos/node_modules'
  const addon = `${folder}/kerberos/build/Release/kerberos.node`
  if (!isOutdated(addon, [`${folder}/kerberos/src`])) return
  progress('compiling the package kerberos (g++)')
  mkdirSync(dirname(join(root, addon)), { recursive: true })
  const files = ['kerberos', 'unix/base64', 'unix/kerberos_gss', 'unix/kerberos_unix']
  await run('g++', [
    ...['-std=c++17', '-O1', '-fPIC', '-shared', '-fvisibility=hidden'],
    ...['-DKERBEROS_USE_RTLD=1', '-DNODE_GYP_MODULE_NAME=kerberos'],
    ...[`-I${folder}/node-addon-api`, '-Inode_modules/node-api-headers/include', '-o', addon],
    ...[...files.map(name => `${folder}/kerberos/src/${name}.cc`), '-ldl'],
  ])
}

/** The examples find millrace in the folder above theirs, as they would find it in their own. */
async function prepareExamples() {
  await installPackages('examples', ['--ignore-scripts'])
  const link = join(root, 'examples/node_modules/millrace')
  if (!existsSync(link)) symlinkSync(root, link, 'junction')
  const compile = ['-p', 'examples/nestjs']
  if (isOutdated('examples/nestjs/dist/main.js', ['examples/nestjs/src'])) await runNode(TSC, compile)
}

/** The folder of PostgreSQL's server programs: Debian keeps them off the PATH. */
export function findPostgres() {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).map(version => `${debian}/${version}/bin`) : []
  const onPath = findProgram('initdb')
  return [...versions, ...(onPath ? [dirname(onPath)] : [])].find(folder => existsSync(`${folder}/initdb`))
}

/** NestJS, and beside it the name kafkajs for millrace and another one for the original. */
async function prepareNestjs() {
  const folder = 'test/compat/nestjs'
  await installPackages(folder, ['--ignore-scripts', '--legacy-peer-deps'])
  const modules = join(root, folder, 'node_modules')
  const put = (name, from, how) => {
    rmSync(join(modules, name), { recursive: true, force: true })
    how(join(root, from), join(modules, name))
  }
  put('kafkajs', 'packages/kafkajs-alias', (from, to) => cpSync(from, to, { recursive: true }))
  put('millrace', '.', (from, to) => symlinkSync(from, to, 'junction'))
  put('kafkajs-original', 'node_modules/kafkajs', (from, to) => symlinkSync(from, to, 'junction'))
}

await main(import.meta.url, async args => {
  const names = args.map(arg => arg.replace(/^--/, ''))
  await setUp(names.length > 0 ? names : ['deps', 'native', 'typescript'])
})
