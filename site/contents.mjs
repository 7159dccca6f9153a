// The order of the site: every page of docs/ is named here once, and so are the papers of the project that
// the site carries. `page` is the file in docs/ without `.md`.

export const sections = [
  {
    title: 'Start',
    pages: ['index', 'getting-started', 'questions'],
  },
  {
    title: 'Send',
    pages: [
      'sending',
      'keys-values-headers',
      'delivery-guarantees',
      'backpressure',
      'transactions',
      'exactly-once',
      'streams',
    ],
  },
  {
    title: 'Connect',
    pages: ['security-recipes', 'schema-registry'],
  },
  {
    title: 'Run',
    pages: [
      'metrics',
      'troubleshooting',
      'tuning',
      'performance',
      'deployment',
      'in-an-application',
      'bundlers',
      'support-policy',
    ],
  },
  {
    title: 'Test and try',
    pages: ['testing', 'testing-with-mock-producer', 'command-line'],
  },
  {
    title: 'Move here',
    pages: ['migrating-from-kafkajs', 'migrating-from-node-rdkafka', 'migrating-from-java'],
  },
  {
    title: 'Reference',
    pages: ['reference/options', 'reference/errors', 'reference/metrics', 'reference/protocol'],
  },
]

/**
 * Entry points of the package that TypeDoc reads; the page of each is `reference/api/NAME`. The types of
 * `millrace/kafkajs` are KafkaJS's own, which its users know, and have a guide.
 */
export const entries = [
  { name: 'millrace', file: 'index' },
  { name: 'testing', file: 'testing/index' },
  { name: 'streams', file: 'streams/index' },
  { name: 'prometheus', file: 'telemetry/prometheus/index' },
  { name: 'opentelemetry', file: 'telemetry/opentelemetry/index' },
  { name: 'schema-registry', file: 'schema-registry/index' },
]

/** Files of the project that pages link to, and where they are on the site. */
export const papers = [
  { file: 'SECURITY.md', page: 'project/security', title: 'Security' },
  { file: 'CHANGELOG.md', page: 'project/changelog', title: 'Changelog' },
  { file: 'CONTRIBUTING.md', page: 'project/contributing', title: 'Contributing' },
  { file: 'DESIGN.md', page: 'project/design', title: 'Design' },
  { file: 'bench/results/compare.md', page: 'project/bench/compare', title: 'CPU beside other clients' },
  { file: 'bench/results/latency.md', page: 'project/bench/latency', title: 'Latency' },
  { file: 'bench/results/scale.md', page: 'project/bench/scale', title: 'Many partitions' },
  { file: 'bench/results/transactions.md', page: 'project/bench/transactions', title: 'Transactions' },
  { file: 'bench/history.md', page: 'project/bench/history', title: 'What was tried' },
  { file: 'examples/README.md', page: 'project/examples', title: 'Examples' },
  { file: 'rig/README.md', page: 'project/fault-rig', title: 'The fault rig' },
  { file: 'test/brokers/results.md', page: 'project/brokers', title: 'The matrix of brokers' },
  { file: 'test/packaging/results.md', page: 'project/prebuilt-addons', title: 'Prebuilt addons' },
  { file: 'test/streams/results.md', page: 'project/streams', title: 'Streams, long runs' },
  { file: 'test/registry/results.md', page: 'project/registry', title: 'Schema registry, checks' },
  { file: 'test/hostile/results.md', page: 'project/fuzzing', title: 'Fuzzing' },
]

/** Guides come before the API, and papers of the project last. It runs in the browser: it must stand alone. */
export function boostDocument(id) {
  if (id.includes('/project/')) return 0.2
  if (id.includes('/reference/api/')) return 0.5
  return id.includes('/reference/') ? 0.8 : 1
}
