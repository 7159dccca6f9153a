// `npm run bench [-- NAME …]`: sets up, then runs bench/NAME.mjs or bench/NAME.js with the rest of the words;
// without a name every bench in turn.
import { basename } from 'node:path'
import { filesUnder, main, runNode, StepError } from './commands.mjs'
import { setUp } from './setup.mjs'

await main(import.meta.url, async ([name, ...words]) => {
  await setUp(['deps', 'native', 'typescript'])
  const files = new Map(
    filesUnder(['bench'], file => /^bench\/[^/]+\.m?js$/.test(file)).map(file => [
      basename(file).replace(/\.m?js$/, ''),
      file,
    ]),
  )
  if (name !== undefined && !files.has(name)) {
    throw new StepError(`no bench is called ${name}: ${[...files.keys()].join(', ')}`)
  }
  for (const file of name === undefined ? files.values() : [files.get(name)]) await runNode(file, words)
})
