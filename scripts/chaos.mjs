// `npm run chaos -- LANE …`: sets up, then runs a lane of the fault rig (rig/main.ts) with the same
// words.
import { main, runNode } from './commands.mjs'
import { BUILT, setUp } from './setup.mjs'

await main(import.meta.url, async words => {
  const isPeer = words.some(word => /confluent|kafkajs|platformatic|\ball\b/.test(word))
  await setUp([...BUILT, 'rig', 'kafka', ...(isPeer ? ['peers', 'runtimes'] : [])])
  await runNode('dist-rig/main.js', words)
})
