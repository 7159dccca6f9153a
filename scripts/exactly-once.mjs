// `npm run exactly-once`: the examples of docs/exactly-once.md under rebalances, with all three consumers.
// Compiles librdkafka first, which takes minutes; `npm test` leaves that one out.
import { main, run } from './commands.mjs'
import { BUILT, setUp } from './setup.mjs'

await main(import.meta.url, async () => {
  await setUp([...BUILT, 'kafka', 'runtimes', 'peers', 'confluent'])
  await run(process.execPath, ['--test', '--test-reporter=spec', 'dist-test/kafka/exactly-once.test.js'])
})
