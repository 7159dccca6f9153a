// `npm test [-- LANE …]`: sets up what the lanes need, runs them in order, sums up. Without names every lane.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filesUnder, main, root, run, StepError, seconds } from './commands.mjs'
import { fuzzNative, fuzzSends } from './fuzz.mjs'
import { lint } from './lint.mjs'
import { BUILT, kafkaMissing, kerberosMissing, SANITIZED_ADDON, setUp } from './setup.mjs'

const MINUTE_MS = 60_000
const SENDS_RUNTIMES = ['current', 'bun', 'deno']
const isCi = process.env.CI === 'true'
const FAILED_TESTS = new URL('failed-tests.mjs', import.meta.url).href

/** Tests that failed, with what to repeat of them where a reader of the last lines sees it. */
class FailedTestsError extends StepError {
  constructor(message, failed) {
    super(message)
    this.failed = failed
  }
}

const lanes = {
  lint: { title: 'Biome and clang-format', needs: ['deps'], run: () => lint() },
  types: {
    title: 'tsc: src, test and rig',
    needs: ['deps', 'typescript', 'tests', 'rig'],
    run: async () => {},
  },
  native: { title: 'native tests', needs: ['deps', 'native-tests'], run: () => ctest('build-tests') },
  sanitized: {
    title: 'native tests under ASan and UBSan',
    needs: ['deps', 'native-tests', 'sanitized-addon', 'typescript', 'tests'],
    run: async () => {
      await ctest('build-sanitized')
      if (process.platform === 'linux') await testSanitizedAddon()
    },
  },
  fuzz: {
    title: 'fuzz targets of the native core, 60 s under ASan and UBSan',
    needs: ['deps', 'native-tests'],
    run: () => fuzzNative({}),
  },
  house: { title: 'house card', needs: ['deps', 'typescript', 'tests'], run: () => nodeTest(isHouse) },
  unit: {
    title: 'units and behaviour',
    needs: BUILT,
    run: () => nodeTest(isUnit),
  },
  docs: {
    title: 'documents: their code runs, links hold, generated pages are current; the site and its search',
    needs: [...BUILT, 'runtimes', 'site'],
    run: () => nodeTest(isDocs),
  },
  sends: {
    title: 'all ways to send, mixed: planted bugs, then 60 s on Node, Bun and Deno side by side',
    needs: [...BUILT, 'runtimes'],
    run: async () => {
      await nodeTest(isSends)
      const runs = await Promise.allSettled(
        SENDS_RUNTIMES.map(runtime => fuzzSends(runtime, ['--seconds', '60'])),
      )
      const failed = runs.find(({ status }) => status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
  },
  kafka: {
    title: 'against a real Apache Kafka',
    needs: [...BUILT, 'kafka', 'tested-brokers', 'runtimes', 'nestjs', 'peers'],
    skip: kafkaMissing,
    run: () => nodeTest(isKafka),
  },
  kerberos: {
    title: 'a real Kerberos server and a Kafka that asks for its tickets, from Node, Bun and Deno',
    needs: [...BUILT, 'kafka', 'kerberos', 'runtimes'],
    skip: kerberosMissing,
    run: () => nodeTest(isKerberos),
  },
  chaos: {
    title: 'faults: planted bugs, small lanes, leader kills on a real Apache Kafka',
    // Without Java only the part on the real Kafka is left out.
    needs: [...BUILT, 'rig', ...(kafkaMissing() === undefined ? ['kafka', 'upgraded-broker'] : [])],
    run: () => nodeTest(isChaos),
  },
  packaging: {
    title: 'the packed package: installed, imported, bundled and compiled for in every way',
    needs: ['deps', 'native', 'typescript', 'tests', 'runtimes', 'packaging-tools'],
    run: () => nodeTest(isPackaging),
  },
  examples: {
    title: 'every example as its user runs it: brokers killed, overload, SIGTERM, PostgreSQL, Bun, Deno',
    // Without Java only the part on the real Kafka is left out.
    needs: [
      ...[...BUILT, 'runtimes', 'examples', 'postgres'],
      ...(kafkaMissing() === undefined ? ['kafka'] : []),
    ],
    run: () => nodeTest(isExamples),
  },
  runtimes: {
    title: 'the public-API suite on every runtime',
    needs: [...BUILT, 'runtimes', 'peers'],
    run: async () => {
      await nodeTest(isRuntimes)
      await run(process.execPath, ['test/runtimes/run.mjs'])
    },
  },
}

const isHouse = file => file.startsWith('test/house/')
const isKafka = file => /^test\/(kafka|brokers)\//.test(file)
const isKerberos = file => file.startsWith('test/kerberos/')
const isChaos = file => file.startsWith('rig/')
const isRuntimes = file => file.startsWith('test/runtimes/')
const isSends = file => file.startsWith('test/fuzz/sends/')
const isExamples = file => file.startsWith('test/examples/')
const isPackaging = file => file.startsWith('test/packaging/')
const isDocs = file => file.startsWith('test/docs/')
const isPublicApi = file => file.startsWith('test/public-api/')
const isUnit = file =>
  ![
    ...[isHouse, isDocs, isSends, isKafka, isKerberos, isChaos, isRuntimes, isPackaging, isExamples],
    isPublicApi,
  ].some(matches => matches(file))

async function ctest(folder) {
  await run('ctest', ['--test-dir', folder, '--output-on-failure', '--no-tests=error', '--parallel', '2'])
}

/** The boundary's tests with the sanitizers' runtimes loaded ahead; leaks are V8's own until it ends. */
async function testSanitizedAddon() {
  const runtimeOf = name => execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim()
  const env = {
    MILLRACE_ADDON: join(root, SANITIZED_ADDON),
    LD_PRELOAD: `${runtimeOf('libasan.so')} ${runtimeOf('libubsan.so')}`,
    ASAN_OPTIONS: 'detect_leaks=0',
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  }
  const files = ['dist-test/native/addon.test.js', 'dist-test/native/hostile.test.js']
  await run(process.execPath, ['--test', '--test-reporter=spec', ...files], { env })
}

/** Runs the compiled tests of the sources that match, so that what is left of a deleted test is never run. */
async function nodeTest(matches) {
  const sources = filesUnder(['test', 'rig'], file => file.endsWith('.test.ts')).filter(matches)
  if (sources.length === 0) throw new StepError('no test file matches this lane')
  const files = sources.map(file => file.replace(/^(test|rig)\//, 'dist-$1/').replace(/\.ts$/, '.js'))
  const uncompiled = files.filter(file => !existsSync(join(root, file)))
  if (uncompiled.length > 0) throw new StepError(`not compiled: ${uncompiled.join(', ')}`)
  const limits = ['--test-concurrency=2', `--test-timeout=${10 * MINUTE_MS}`]
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  const failedFile = join(folder, 'failed')
  const reporters = [
    ['--test-reporter=spec', '--test-reporter-destination=stdout'],
    [`--test-reporter=${FAILED_TESTS}`, `--test-reporter-destination=${failedFile}`],
  ]
  try {
    await run(process.execPath, ['--test', ...reporters.flat(), ...limits, ...files])
  } catch (error) {
    throw new FailedTestsError(error.message, readFileSync(failedFile, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs one lane; returns its outcome and never rejects, so that one failure does not hide the next. */
async function runLane(name) {
  const lane = lanes[name]
  const startedMs = Date.now()
  console.log(`\n==== ${name}: ${lane.title} ====`)
  const missing = lane.skip?.()
  if (missing !== undefined && !isCi) {
    console.log(`SKIPPED: ${missing}. With CI=true this is a failure.`)
    return { name, outcome: 'SKIPPED', note: missing }
  }
  try {
    await setUp(lane.needs)
    await lane.run()
    return { name, outcome: 'passed', note: seconds(startedMs) }
  } catch (error) {
    console.error(error instanceof StepError ? `failed: ${error.message}` : error)
    return { name, outcome: 'FAILED', note: seconds(startedMs), failed: error.failed }
  }
}

await main(import.meta.url, async args => {
  const startedMs = Date.now()
  for (const name of args) {
    if (lanes[name] === undefined) {
      throw new StepError(`no lane is called ${name}: ${Object.keys(lanes).join(', ')}`)
    }
  }
  const results = []
  for (const name of Object.keys(lanes)) {
    if (args.length === 0 || args.includes(name)) results.push(await runLane(name))
  }
  console.log('\n==== summary ====')
  for (const { name, outcome, note } of results)
    console.log(`${outcome.padEnd(8)} ${name.padEnd(10)} ${note}`)
  const failed = results.filter(each => each.outcome === 'FAILED').length
  console.log(`${failed === 0 ? 'ok' : `${failed} of ${results.length} lanes failed`}, ${seconds(startedMs)}`)
  for (const { name, failed: text } of results) if (text) console.log(`\nfailed in ${name}:\n${text}`)
  if (failed > 0) process.exitCode = 1
})
