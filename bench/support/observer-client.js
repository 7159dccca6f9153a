// The client of bench/compare.js with another observer: the word observer=empty, metrics, channels or calls.
import { givenArguments } from './commands.js'
import { observeBy } from './observers.js'
import { shipped } from './shipped.js'

const { Producer } = await shipped('index')
await observeBy(givenArguments().observer, Producer)
await import('./compare-client.js')
