// Builds what bench/compare.js and bench/latency.js run beside millrace, each from pinned sources, into
// .cache/peers and bench/peers/node/node_modules. Does only what is missing or out of date.
//
// librdkafka is compiled from the sources that @confluentinc/kafka-javascript carries, as its own build does
// (-O2), with Debian's OpenSSL, zlib and zstd and without SASL, which this bench has no use for. Both the C
// program and that package's addon are linked against it, so they run the same library.
import { cpSync, existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  filesUnder,
  findProgram,
  isOutdated,
  needPrograms,
  npm,
  root,
  run,
  StepError,
} from '../../scripts/commands.mjs'
import { nodeProgram } from './runtimes.js'

const CACHE = '.cache/peers'
const NODE_PEERS = 'bench/peers/node'
const CONFLUENT = `${NODE_PEERS}/node_modules/@confluentinc/kafka-javascript`
const ADDON = `${CONFLUENT}/build/Release/confluent-kafka-javascript.node`
const LIBRDKAFKA = `${CACHE}/librdkafka-with-openssl`
const LIBRARY = `${LIBRDKAFKA}/lib/librdkafka.a`
const JOBS = '2'

/** Where the built programs are. */
export const built = {
  floor: join(root, CACHE, 'floor'),
  librdkafka: join(root, CACHE, 'librdkafka-producer'),
  franzGo: join(root, CACHE, 'franz-go'),
  javaClassPath: [join(root, CACHE, 'java/classes'), join(root, CACHE, 'java/lib', '*')].join(':'),
}

const setups = {
  floor: { needs: ['g++'], run: buildFloor },
  java: { needs: ['java', 'javac', 'mvn'], run: buildJava },
  'franz-go': { needs: ['go'], run: buildFranzGo },
  node: { needs: [], run: installNodePeers },
  'librdkafka-library': { needs: ['gcc', 'make', 'bash'], run: buildLibrary },
  librdkafka: { needs: ['gcc', 'make', 'bash'], run: buildLibrdkafka },
  confluent: { needs: ['g++', 'make', 'python3'], run: buildConfluentAddon },
}

const done = new Map()

/** Runs a set-up once in the life of this process; throws a StepError that names what is missing. */
export function setUpPeer(name) {
  const { needs, run: work } = setups[name]
  const missing = needs.filter(program => findProgram(program) === undefined)
  if (missing.length > 0) throw new StepError(`${name} needs ${missing.join(', ')} on the PATH`)
  if (!done.has(name)) done.set(name, work())
  return done.get(name)
}

function progress(text) {
  console.error(`set-up: ${text}`)
}

async function buildFloor() {
  const target = `${CACHE}/floor`
  if (!isOutdated(target, ['bench/peers/floor', 'native/core'])) return
  progress('compiling the floor')
  mkdirSync(join(root, CACHE), { recursive: true })
  const sources = filesUnder(['native/core'], file => file.endsWith('.cpp'))
  await run('g++', ['-O3', '-std=c++17', '-o', target, 'bench/peers/floor/floor.cpp', ...sources])
}

async function buildJava() {
  const pom = 'bench/peers/java/pom.xml'
  const folder = `${CACHE}/java`
  const sources = filesUnder(['bench/peers/java'], file => file.endsWith('.java'))
  if (!isOutdated(`${folder}/classes/PeerProducer.class`, [pom, ...sources])) return
  progress('fetching the Java producer (mvn) and compiling its program (javac)')
  rmSync(join(root, folder), { recursive: true, force: true })
  const target = `-DoutputDirectory=${join(root, folder, 'lib')}`
  await run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime', target])
  const flags = ['-Xlint:all', '-Werror', '-cp', join(root, folder, 'lib', '*')]
  await run('javac', [...flags, '-d', join(root, folder, 'classes'), ...sources])
}

async function buildFranzGo() {
  if (!isOutdated(`${CACHE}/franz-go`, ['bench/peers/franz-go'])) return
  progress('building franz-go (go)')
  mkdirSync(join(root, CACHE), { recursive: true })
  const cwd = join(root, 'bench/peers/franz-go')
  await run('go', ['build', '-trimpath', '-mod=readonly', '-o', join(root, CACHE, 'franz-go'), '.'], { cwd })
}

async function installNodePeers() {
  if (!isOutdated(`${NODE_PEERS}/node_modules/.package-lock.json`, [`${NODE_PEERS}/package-lock.json`]))
    return
  progress('installing the JavaScript peers (npm ci)')
  await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: join(root, NODE_PEERS) })
}

/** Without one of these librdkafka's configure would leave the feature out. */
const librdkafkaHeaders = {
  'libssl-dev': 'openssl/ssl.h',
  'libzstd-dev': 'zstd.h',
  'zlib1g-dev': 'zlib.h',
}

async function needLibrdkafkaHeaders() {
  const wanted = Object.entries(librdkafkaHeaders).map(([name, header]) => [
    name,
    () => ['/usr/include', '/usr/local/include'].some(folder => existsSync(join(folder, header))),
  ])
  await needPrograms(Object.fromEntries(wanted), Object.keys(librdkafkaHeaders))
}

async function buildLibrary() {
  await setUpPeer('node')
  if (!isOutdated(LIBRARY, [`${CONFLUENT}/package.json`])) return
  await needLibrdkafkaHeaders()
  progress('compiling librdkafka (configure, make)')
  const build = join(root, CACHE, 'librdkafka-build')
  rmSync(build, { recursive: true, force: true })
  cpSync(join(root, CONFLUENT, 'deps/librdkafka'), build, { recursive: true })
  const without = ['gssapi', 'curl', 'syslog'].map(each => `--disable-${each}`)
  const flags = [
    '--enable-ssl',
    '--enable-zstd',
    '--enable-zlib',
    ...without,
    `--prefix=${join(root, LIBRDKAFKA)}`,
  ]
  await run('bash', ['configure', ...flags], { cwd: build })
  await run('make', ['-s', '-j', JOBS, 'libs'], { cwd: build })
  await run('make', ['-s', 'install-subdirs'], { cwd: build })
  rmSync(build, { recursive: true })
}

async function buildLibrdkafka() {
  await setUpPeer('librdkafka-library')
  const source = 'bench/peers/librdkafka/producer.c'
  const target = `${CACHE}/librdkafka-producer`
  if (!isOutdated(target, [source, LIBRARY])) return
  const libraries = ['-lm', '-lssl', '-lcrypto', '-lzstd', '-lz', '-ldl', '-lpthread', '-lrt']
  await run('gcc', ['-O2', `-I${LIBRDKAFKA}/include`, '-o', target, source, LIBRARY, ...libraries])
}

/** For the Node that runs the peers, with that Node's headers; linked as its binding.gyp can link it. */
async function buildConfluentAddon() {
  await setUpPeer('librdkafka-library')
  if (!isOutdated(ADDON, [LIBRARY])) return
  progress('compiling the addon of @confluentinc/kafka-javascript (node-gyp)')
  const node = nodeProgram()
  const headers = dirname(dirname(node))
  if (!existsSync(join(headers, 'include/node/node.h'))) throw new StepError(`no headers beside ${node}`)
  const library = join(root, LIBRDKAFKA)
  await run(node, [nodeGyp(), 'rebuild', '--release', '--silent'], {
    cwd: join(root, CONFLUENT),
    env: {
      BUILD_LIBRDKAFKA: '0',
      CPLUS_INCLUDE_PATH: [join(library, 'include'), join(library, 'include/librdkafka')].join(':'),
      LIBRARY_PATH: join(library, 'lib'),
      LD_RUN_PATH: join(library, 'lib'),
      CXXFLAGS: '-w',
      npm_config_nodedir: headers,
      JOBS,
    },
  })
}

/** The node-gyp that npm brings: of the npm that runs this, else of the one on the PATH. */
function nodeGyp() {
  const npmCli = process.env.npm_execpath ?? realpathSync(findProgram('npm') ?? root)
  const script = join(dirname(dirname(npmCli)), 'node_modules/node-gyp/bin/node-gyp.js')
  if (!existsSync(script)) throw new StepError(`node-gyp is not found beside npm: no ${script}`)
  return script
}
