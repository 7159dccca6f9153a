export { type Conventions, conventionsOf } from './attributes.js'
export { type Instrumentable, type InstrumentOptions, instrument } from './instrument.js'
