// `npm run chaos -- LANE …`: sets up, then runs a lane of the fault rig (rig/main.ts) with the same
// words.
import { main, runNode } from './commands.mjs'
import { BUILT, setUp } from './setup.mjs'

await main(import.meta.url, async words => {
  const names = (...clients) => words.some(word => clients.some(client => word.includes(client)))
  const isPeer = names('confluent', 'kafkajs', 'platformatic') || words.includes('all')
  const isConfluent = names('confluent') || words.includes('all')
  await setUp([
    ...[...BUILT, 'rig', 'kafka'],
    ...(words.includes('upgrade') ? ['upgraded-broker'] : []),
    ...(isPeer ? ['peers', 'runtimes'] : []),
    ...(isConfluent ? ['confluent'] : []),
  ])
  await runNode('dist-rig/main.js', words)
})
