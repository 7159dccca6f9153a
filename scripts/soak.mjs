// `npm run soak:sessions [-- --renewals N] [--records N] [--session-ms N] [--stall-ms N]`: records flow to a
// real Kafka while the session of their connection ends and is renewed, again and again; by default 2,000,000
// records and 100 renewals of sessions of 10 s, a quarter of an hour, none of it with a stall above 300 ms.
import { main, readOptions, run } from './commands.mjs'
import { BUILT, setUp } from './setup.mjs'

const TEST = 'has its sessions renewed'
const DEFAULTS = { renewals: 100, records: 2_000_000, 'session-ms': 10_000, 'stall-ms': 300 }

await main(import.meta.url, async words => {
  const names = Object.keys(DEFAULTS)
  const options = {
    ...DEFAULTS,
    ...readOptions(
      words,
      names.map(name => `--${name}`),
    ),
  }
  await setUp([...BUILT, 'kafka'])
  const env = Object.fromEntries(
    names.map(name => [name.toUpperCase().replace('-', '_'), String(options[name])]),
  )
  const only = ['--test', '--test-reporter=spec', `--test-name-pattern=${TEST}`]
  await run(process.execPath, [...only, 'dist-test/kafka/security.test.js'], { env })
})
