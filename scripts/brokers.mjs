// `npm run brokers [-- --only WORD] [--record]`: sets up, then runs the conformance suite of test/brokers on
// every broker of the matrix, or on those whose name or version contains the word.
import { main, runNode } from './commands.mjs'
import { BUILT, setUp } from './setup.mjs'

await main(import.meta.url, async words => {
  await setUp([...BUILT, 'kafka', 'brokers', 'kfake'])
  await runNode('dist-test/brokers/main.js', words)
})
