// `npm run fuzz:native [-- --seconds N | --executions N] [--seed N] [--plain]`: every fuzz target of
// native/fuzz in turn, under ASan and UBSan unless `--plain`; N is shared out among them, 60 s by default.
// `npm run fuzz:boundary [-- --calls N] [--seed N]` and `npm run fuzz:replies [-- --replies N] [--seed N]`:
// the hostile tests of the unit lane, for much longer.
// `npm run fuzz:sends [-- --records N | --seconds N] [--seed N] [--runtime NAME]`: all ways to send mixed, on
// this Node or on one of test/runtimes; with `--kafka [--transaction-version N]` against a real one.
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { programs } from '../test/runtimes/programs.mjs'
import { filesUnder, main, readOptions, root, run, runNode, StepError, seconds } from './commands.mjs'
import { BUILT, setUp } from './setup.mjs'

const SENDS = 'dist-test/fuzz/sends/main.js'

const LONG_RUNS = {
  boundary: { main: 'dist-test/native/hostile-main.js', options: ['--calls', '--seed'] },
  replies: { main: 'dist-test/hostile/replies-main.js', options: ['--replies', '--seed'] },
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
    throw new StepError(`fuzz what? native, sends, ${Object.keys(LONG_RUNS).join(', ')}`)
  readOptions(words, long.options)
  await setUp(BUILT)
  await runNode(long.main, words)
})
