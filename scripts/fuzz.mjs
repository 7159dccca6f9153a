// `npm run fuzz:native [-- --seconds N | --executions N] [--seed N] [--plain]`: every fuzz target of
// native/fuzz in turn, under ASan and UBSan unless `--plain`; N is shared out among them, 60 s by default.
// `npm run fuzz:boundary [-- --calls N] [--seed N]` and `npm run fuzz:replies [-- --replies N] [--seed N]`:
// the hostile tests of the unit lane, for much longer.
// `npm run fuzz:parsers [-- --seconds N] [--seed N] [--target NAME]`: every parser of files and texts, from
// the corpus in test/hostile/corpus; what is found is kept there.
// `npm run fuzz [-- --seconds N] [--seed N]`: all of these in turn, each for its share of the time (600 s by
// default) and under many seeds; ends with one table of what was done and found.
// `npm run fuzz:sends [-- --records N | --seconds N] [--seed N] [--runtime NAME]`: all ways to send mixed, on
// this Node or on one of test/runtimes; with `--kafka [--transaction-version N]` against a real one.
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { programs } from '../test/runtimes/programs.mjs'
import { filesUnder, main, readOptions, root, run, runNode, StepError, seconds } from './commands.mjs'
import { BUILT, setUp } from './setup.mjs'

const SENDS = 'dist-test/fuzz/sends/main.js'

const LONG_RUNS = {
  boundary: { main: 'dist-test/native/hostile-main.js', options: ['--calls', '--seed'] },
  replies: { main: 'dist-test/hostile/replies-main.js', options: ['--replies', '--seed'] },
  parsers: { main: 'dist-test/hostile/parsers-main.js', options: ['--seconds', '--seed', '--target'] },
}

/** Parts of `npm run fuzz`: what runs for one seed, and what it has done by its last words. */
const PARTS = {
  parsers: {
    words: seconds => [LONG_RUNS.parsers.main, '--seconds', String(Math.min(seconds, 60))],
    amount: /^(\d+) inputs/m,
  },
  replies: {
    words: () => [LONG_RUNS.replies.main, '--replies', '200000'],
    amount: /^(\d+) changed replies/m,
  },
  boundary: { words: () => [LONG_RUNS.boundary.main, '--calls', '20000'], amount: /(\d+) hostile calls/ },
  sends: {
    words: seconds => [SENDS, '--seconds', String(Math.min(seconds, 60))],
    amount: /(\d+) records, \d+ seeds/,
  },
}

/** Names of the targets, from their sources. */
function nativeTargets() {
  return filesUnder(['native/fuzz'], file => file.endsWith('_fuzz.cpp')).map(
    file => /(\w+)_fuzz\.cpp$/.exec(file)[1],
  )
}

/** Runs every target; the options are those of `npm run fuzz:native`. */
export async function fuzzNative(options) {
  const startedMs = Date.now()
  const targets = nativeTargets()
  const folder = options.plain ? 'build-tests' : 'build-sanitized'
  const seed = options.seed ?? randomInt(2 ** 31)
  const share = total => String(Math.max(1, Math.ceil(total / targets.length)))
  const limit =
    options.executions === undefined
      ? ['--seconds', share(options.seconds ?? 60)]
      : ['--executions', share(options.executions)]
  for (const target of targets) {
    console.log(`${target}:`)
    const corpus = filesUnder([`native/fuzz/corpus/${target}`])
    await run(join(root, folder, 'fuzz', `millrace_fuzz_${target}`), [
      ...limit,
      '--seed',
      String(seed),
      ...corpus,
    ])
  }
  console.log(`${targets.length} targets in ${folder}, seed ${seed}, ${seconds(startedMs)}: 0 findings`)
}

/** Runs a program of this Node; answers what it said, and whether it ended well. */
function listen(words) {
  const child = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      said += text
    })
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', status => resolve({ said, isGood: status === 0 }))
  })
}

/** One part for its share of the time, seed after seed. */
async function fuzzPart(name, share, firstSeed) {
  const { words, amount } = PARTS[name]
  const startedMs = Date.now()
  const left = () => share - (Date.now() - startedMs) / 1000
  const result = { name, seeds: 0, executions: 0, findings: 0, seconds: 0 }
  for (let seed = firstSeed; left() > 1; seed++) {
    const { said, isGood } = await listen([...words(Math.ceil(left())), '--seed', String(seed)])
    result.seeds++
    result.executions += Number(amount.exec(said.replaceAll(/(?<=\d),(?=\d)/g, ''))?.[1] ?? 0)
    if (isGood) continue
    result.findings++
    console.error(`${name}, seed ${seed}:\n${said}`)
  }
  result.seconds = Math.round((Date.now() - startedMs) / 1000)
  return result
}

/** Everything that is fuzzed, in turn; fails where anything was found. */
async function fuzzAll({ seconds: total = 600, seed = randomInt(2 ** 30) }) {
  await setUp(['deps', 'native', 'typescript', 'tests', 'native-tests'])
  const share = total / (Object.keys(PARTS).length + 1)
  const results = []
  for (const name of Object.keys(PARTS)) results.push(await fuzzPart(name, share, seed))
  await fuzzNative({ seconds: Math.ceil(share), seed })
  console.log(
    `\nNode ${process.version}, first seed ${seed}:\n\n| part | seeds | executions | time | findings |`,
  )
  console.log('|---|---|---|---|---|')
  for (const { name, seeds, executions, findings, seconds: took } of results) {
    console.log(`| ${name} | ${seeds} | ${executions.toLocaleString('en')} | ${took} s | ${findings} |`)
  }
  console.log(`| native | 1 | see above | ${Math.ceil(share)} s | 0 |`)
  if (results.some(({ findings }) => findings > 0)) throw new StepError('there are findings, see above')
}

/** Runs the fuzzer of sends on one runtime. */
export async function fuzzSends(runtime, words) {
  const program = programs[runtime]
  if (program === undefined)
    throw new StepError(`no runtime is called ${runtime}: ${Object.keys(programs).join(', ')}`)
  await run(program, [...(runtime === 'deno' ? ['run', '-A'] : []), SENDS, ...words])
}

async function sends(words) {
  const options = readOptions(words, [
    '--records',
    '--per-seed',
    '--seconds',
    '--seed',
    '--runtime',
    '--kafka',
    '--transaction-version',
  ])
  const { runtime = 'current', kafka = false } = options
  await setUp([...BUILT, ...(kafka ? ['kafka'] : []), ...(runtime === 'current' ? [] : ['runtimes'])])
  const at = words.indexOf('--runtime')
  await fuzzSends(runtime, at < 0 ? words : words.toSpliced(at, 2))
}

await main(import.meta.url, async ([what, ...words]) => {
  if (what === 'all') {
    await fuzzAll(readOptions(words, ['--seconds', '--seed']))
    return
  }
  if (what === 'native') {
    const options = readOptions(words, ['--seconds', '--executions', '--seed', '--plain'])
    await setUp(['deps', 'native-tests'])
    await fuzzNative(options)
    return
  }
  if (what === 'sends') {
    await sends(words)
    return
  }
  const long = LONG_RUNS[what]
  if (long === undefined)
    throw new StepError(`fuzz what? all, native, sends, ${Object.keys(LONG_RUNS).join(', ')}`)
  readOptions(words, long.options)
  await setUp(BUILT)
  await runNode(long.main, words)
})
