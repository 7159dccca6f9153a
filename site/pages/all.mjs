// The generated pages, by their file in docs/.
import { errorsPage } from './errors.mjs'
import { metricsPage } from './metrics.mjs'
import { optionsPage } from './options.mjs'
import { performancePage } from './performance.mjs'
import { protocolPage } from './protocol.mjs'
import { questionsPage } from './questions.mjs'
import { tuningPage } from './tuning.mjs'

export const generators = {
  'reference/options.md': optionsPage,
  'reference/errors.md': errorsPage,
  'reference/metrics.md': metricsPage,
  'reference/protocol.md': protocolPage,
  'performance.md': performancePage,
  'questions.md': questionsPage,
  'tuning.md': tuningPage,
}
