// `npm run bench [-- NAME …]`: sets up, then runs bench/NAME.mjs or bench/NAME.js with the rest of the words;
// without a name the micro-benchmarks, on all runtimes. What other producers a bench runs it builds itself.
import { basename } from 'node:path'
import { filesUnder, main, runNode, StepError } from './commands.mjs'
import { setUp } from './setup.mjs'

/** What benches need beyond the addon and the compiled TypeScript. */
const FURTHER_SET_UP = {
  micro: ['runtimes'],
  cold: ['runtimes'],
  http: ['runtimes', 'examples', 'peers'],
  compare: ['runtimes'],
  guard: ['runtimes'],
  kafka: ['runtimes', 'tests', 'kafka'],
  latency: ['runtimes', 'tests', 'kafka'],
  observer: ['runtimes'],
  scale: ['runtimes'],
  transactions: ['runtimes', 'tests', 'kafka'],
}

await main(import.meta.url, async ([name = 'micro', ...words]) => {
  await setUp(['deps', 'native', 'typescript', ...(FURTHER_SET_UP[name] ?? [])])
  const files = new Map(
    filesUnder(['bench'], file => /^bench\/[^/]+\.m?js$/.test(file)).map(file => [
      basename(file).replace(/\.m?js$/, ''),
      file,
    ]),
  )
  if (!files.has(name)) {
    throw new StepError(`no bench is called ${name}: ${[...files.keys()].join(', ')}`)
  }
  await runNode(files.get(name), words)
})
