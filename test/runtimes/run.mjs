// Runs the public-API suite (dist-test/public-api/*.test.js, or the files given with --suite) on every runtime, or
// on those named:  node test/runtimes/run.mjs [--suite FILE]… [current node20 node24 node26 bun deno]
// The suite is node:test, which Bun and Deno know too. Each runtime must pass exactly the same tests: one that
// silently registers fewer of them fails.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { programs } from './programs.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = resolve(here, '../..')
const suiteFolder = join(root, 'dist-test/public-api')
const scratch = join(root, '.cache/runtimes')
const FILE_TIMEOUT_MS = 180_000
/** Many tests wait for something: two runtimes side by side keep two cores busy. */
const AT_ONCE = 2

const nodeArgs = (file, report) => [
  '--test',
  '--test-reporter=spec',
  '--test-reporter-destination=stdout',
  '--test-reporter=junit',
  `--test-reporter-destination=${report}`,
  file,
]
const bunArgs = (file, report) => [
  'test',
  '--timeout=60000',
  '--reporter=junit',
  `--reporter-outfile=${report}`,
  file,
]
const denoArgs = (file, report) => ['test', '-A', '--no-check', `--junit-path=${report}`, file]

const runtimes = Object.fromEntries(
  Object.entries(programs).map(([name, program]) => [
    name,
    { program, args: { bun: bunArgs, deno: denoArgs }[name] ?? nodeArgs },
  ]),
)

function version(program) {
  return spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0]
}

/**
 * A file that imports the suite and turns a failure to load into a failing test: Deno reports the tests that were
 * registered before such a failure and then ends with success.
 */
function writeEntry(folder, suite) {
  const entry = join(folder, basename(suite))
  const lines = [
    `import { test } from 'node:test'`,
    `try { await import(${JSON.stringify(pathToFileURL(suite).href)}) }`,
    `catch (error) { test('the suite loads', () => { throw error }) }`,
  ]
  writeFileSync(entry, `${lines.join('\n')}\n`)
  return entry
}

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Decodes until nothing is left to decode: Node's reporter escapes quotes twice. */
function decodeXml(text) {
  const decoded = text.replace(/&(?:#(x?)([0-9a-f]+)|(\w+));/gi, (whole, hex, digits, name) =>
    digits === undefined
      ? (entities[name] ?? whole)
      : String.fromCodePoint(Number.parseInt(digits, hex === '' ? 10 : 16)),
  )
  return decoded === text ? text : decodeXml(decoded)
}

/** The names of the tests in a JUnit report by what became of them. */
function readReport(file) {
  const names = { passed: [], skipped: [], failed: [] }
  if (!existsSync(file)) return names
  const cases = readFileSync(file, 'utf8').matchAll(
    /<testcase name="([^"]*)"[^>]*?(\/>|>([\s\S]*?)<\/testcase>)/g,
  )
  for (const [, attribute, , body = ''] of cases) {
    const name = decodeXml(attribute)
    if (/<(failure|error)\b/.test(body)) names.failed.push(name)
    else if (/<skipped\b/.test(body)) names.skipped.push(name)
    else names.passed.push(name)
  }
  return names
}

/** Runs one suite file on one runtime; returns its tests, its output and whether the runtime called it a success. */
async function runSuite(name, suite) {
  const { program, args } = runtimes[name]
  const folder = join(scratch, name)
  mkdirSync(folder, { recursive: true })
  const report = join(folder, `${basename(suite, '.js')}.xml`)
  rmSync(report, { force: true })
  const entry = writeEntry(folder, suite)
  const env = { ...process.env, NO_COLOR: '1', MILLRACE_RUNTIME: name }
  // Set by a `node --test` around this run, it would make the one started here report to that instead.
  delete env.NODE_TEST_CONTEXT
  const { status, output } = await outputOf(program, args(entry, report), env)
  const tests = readReport(report)
  return {
    suite: basename(suite),
    tests,
    isSuccess: status === 0 && tests.failed.length === 0,
    status,
    output,
  }
}

/** Runs a program within the time of a file; `status` is its code, its signal, or why it could not be started. */
function outputOf(program, args, env) {
  return new Promise(resolve => {
    const child = spawn(program, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: FILE_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        output += text
      })
    }
    child.once('error', error => resolve({ status: error.message, output }))
    child.once('close', (code, signal) => resolve({ status: signal ?? code, output }))
  })
}

/** Runs every suite on one runtime; returns the sorted names of what passed, and whether that was all of it. */
async function runRuntime(name, suites) {
  const { program } = runtimes[name]
  if (!existsSync(program)) {
    const isAllowed = process.env.CI !== 'true' && process.platform !== 'linux'
    console.log(`\n-- ${name}: not installed (${program})${isAllowed ? ', SKIPPED' : ''}`)
    return { name, outcome: isAllowed ? 'skipped' : 'failed', passed: [] }
  }
  const startedMs = Date.now()
  const results = []
  for (const suite of suites) results.push(await runSuite(name, suite))
  // All of it at once, or it would stand between the lines of another runtime.
  console.log(`\n-- ${name}: ${version(program)}\n${results.map(({ output }) => output).join('')}`)
  for (const { suite, status, isSuccess } of results) {
    if (!isSuccess) console.log(`${name}: ${suite} failed (${status})`)
  }
  const passed = results.flatMap(({ suite, tests }) => tests.passed.map(test => `${suite}: ${test}`)).sort()
  const skipped = results.reduce((sum, { tests }) => sum + tests.skipped.length, 0)
  const isPassed = results.every(each => each.isSuccess) && passed.length > 0
  return {
    name,
    outcome: isPassed ? 'passed' : 'failed',
    passed,
    skipped,
    durationMs: Date.now() - startedMs,
  }
}

/** Runs the suites on each runtime, a few runtimes at a time; the results stand in the order of the names. */
async function runRuntimes(names, suites) {
  const results = []
  const waiting = names.entries()
  const runner = async () => {
    for (const [index, name] of waiting) results[index] = await runRuntime(name, suites)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, runner))
  return results
}

/** Marks as failed each runtime that did not pass exactly what all of them together have passed. */
function compare(results) {
  const all = [...new Set(results.flatMap(each => each.passed))]
  for (const result of results) {
    if (result.outcome === 'skipped') continue
    const missing = all.filter(test => !result.passed.includes(test))
    if (missing.length === 0 && result.passed.length === all.length) continue
    result.outcome = 'failed'
    if (missing.length === 0) console.log(`${result.name}: two tests of one suite have the same name`)
    for (const test of missing) console.log(`${result.name} did not pass: ${test}`)
  }
}

function parseArguments(args) {
  const names = []
  const suites = []
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--suite') suites.push(resolve(args[++i] ?? ''))
    else if (runtimes[args[i]] !== undefined) names.push(args[i])
    else throw new Error(`unknown runtime ${args[i]}: ${Object.keys(runtimes).join(', ')}`)
  }
  return { names: names.length > 0 ? names : Object.keys(runtimes), suites }
}

function publicApiSuites() {
  const sources = readdirSync(join(root, 'test/public-api')).filter(name => name.endsWith('.test.ts'))
  return sources.sort().map(name => join(suiteFolder, name.replace(/\.ts$/, '.js')))
}

const { names, suites: given } = parseArguments(process.argv.slice(2))
const suites = given.length > 0 ? given : publicApiSuites()
const results = await runRuntimes(names, suites)
compare(results)
console.log('')
for (const { name, outcome, passed, skipped = 0, durationMs = 0 } of results) {
  const figures = `${passed.length} tests passed, ${skipped} skipped, ${(durationMs / 1000).toFixed(1)} s`
  console.log(`${outcome.padEnd(8)} ${name.padEnd(8)} ${figures}`)
}
if (results.some(each => each.outcome === 'failed')) process.exitCode = 1
