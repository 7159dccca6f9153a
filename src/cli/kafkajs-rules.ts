/** How a use of KafkaJS behaves on millrace, in the order in which a reader wants to know. */
export const VERDICTS = ['different', 'better', 'same'] as const
export type Verdict = (typeof VERDICTS)[number]

/** Something that sources may use of KafkaJS. */
export interface Rule {
  readonly name: string
  readonly verdict: Verdict
  readonly pattern: RegExp
  readonly says: string
  /** Only in files with such a name. */
  readonly file?: RegExp
}

const MANIFEST = /(^|[/\\])package\.json$/

/** Options and arguments are looked for as keys of objects. */
const key = (name: string) => new RegExp(`(?<![\\w$.])${name}\\s*:`, 'g')
const word = (name: string) => new RegExp(`(?<![\\w$])${name}(?![\\w$])`, 'g')
const dependency = (name: string) => new RegExp(`"${name}"\\s*:`, 'g')

export const rules: readonly Rule[] = [
  {
    name: 'internals of kafkajs',
    verdict: 'different',
    pattern: /['"]kafkajs\/(?!package\.json)[^'"]+['"]/g,
    says: 'files inside the package are not there; the public names are',
  },
  {
    name: "sasl mechanism 'aws'",
    verdict: 'different',
    pattern: /mechanism\s*:\s*['"]aws['"]/gi,
    says: 'refused when connecting: use oauthbearer with awsMskIamTokenProvider as its provider',
  },
  {
    name: 'consumers',
    verdict: 'different',
    pattern: /\.consumer\s*\(/g,
    says: 'done by kafkajs itself, with the same configuration: keep it installed beside millrace',
  },
  {
    name: 'admin clients',
    verdict: 'different',
    pattern: /\.admin\s*\(/g,
    says: 'done by kafkajs itself, with the same configuration: keep it installed beside millrace',
  },
  {
    name: 'REQUEST_QUEUE_SIZE',
    verdict: 'different',
    pattern: word('REQUEST_QUEUE_SIZE'),
    says: 'does not come: requests never queue, records wait in batches',
  },
  {
    name: 'mocks of the module',
    verdict: 'different',
    pattern: /(?:jest|vi)\s*\.\s*(?:doM|m|unm)ock\s*\(\s*['"]kafkajs['"]/g,
    says: "name the module that is imported now, 'millrace/kafkajs', unless kafkajs is an alias of it",
  },
  {
    name: 'logStartOffset',
    verdict: 'different',
    pattern: word('logStartOffset'),
    says: "always '0': millrace does not keep what brokers say of it",
  },
  {
    name: 'retry.multiplier and retry.factor',
    verdict: 'different',
    pattern: /(?<![\w$.])(?:multiplier|factor)\s*:\s*[\d.]/g,
    says: 'waits double, with a fifth of jitter; the multiplier counts towards the time allowed for delivery',
  },
  {
    name: 'OpenTelemetry by patching',
    verdict: 'different',
    pattern: dependency('@opentelemetry/instrumentation-kafkajs'),
    file: MANIFEST,
    says: 'works where kafkajs is an alias of the package; not by the import of millrace/kafkajs',
  },
  {
    name: 'retries',
    verdict: 'better',
    pattern: key('retries'),
    says: 'becomes a time for delivery, at least 30 s: an idempotent batch is not given up half way',
  },
  {
    name: 'CompressionCodecs',
    verdict: 'better',
    pattern: word('CompressionCodecs'),
    says: 'all codecs are built in; an installed kafkajs uses what is registered for consuming',
  },
  {
    name: 'codec packages',
    verdict: 'better',
    pattern: dependency('(?:kafkajs-snappy(?:-typescript)?|kafkajs-lz4|@kafkajs/zstd)'),
    file: MANIFEST,
    says: 'only needed for consuming',
  },
  {
    name: 'acks, compression or timeout of a call',
    verdict: 'better',
    pattern: /(?<![\w$.])(?:acks|compression)\s*:/g,
    says: 'a producer of its own for each combination, made when first used; no order between combinations',
  },
  {
    name: 'idempotent',
    verdict: 'better',
    pattern: key('idempotent'),
    says: 'always on where acks and the cluster allow it, with up to five requests in flight in order',
  },
  {
    name: 'explicit partitions',
    verdict: 'better',
    pattern: key('partition'),
    says: 'one that does not exist rejects; in KafkaJS the message is lost without a word',
  },
  {
    name: 'imports of kafkajs',
    verdict: 'same',
    pattern: /(?:from\s*|require\s*\(\s*|import\s*\(\s*)['"]kafkajs['"]/g,
    says: "change them to 'millrace/kafkajs', or alias the package",
  },
  {
    name: 'producers',
    verdict: 'same',
    pattern: /\.producer\s*\(/g,
    says: 'connect, disconnect, send, sendBatch, transaction, events, on, logger and isIdempotent are there',
  },
  {
    name: 'partitioners',
    verdict: 'same',
    pattern: word('(?:createPartitioner|(?:Legacy|Default|JavaCompatible)Partitioner)'),
    says: 'the same partitions; with none given, messages without a key fill batches in turn',
  },
  {
    name: 'transactions',
    verdict: 'same',
    pattern: /(?<![\w$])(?:transactionalId|sendOffsets)(?![\w$])/g,
    says: 'the same calls; a transaction with a failed send does not commit, and one codec serves all of it',
  },
  {
    name: 'error classes',
    verdict: 'same',
    pattern: word('KafkaJS[A-Z]\\w*'),
    says: "the same classes, names, types and codes; messages of brokers' errors say more",
  },
  {
    name: 'SSL and SASL',
    verdict: 'same',
    pattern: /(?<![\w$.])(?:ssl|sasl|oauthBearerProvider|authenticationProvider)\s*[:(]/g,
    says: 'the same options',
  },
  {
    name: 'socketFactory',
    verdict: 'same',
    pattern: word('socketFactory'),
    says: 'opens the sockets as it did',
  },
  {
    name: 'loggers',
    verdict: 'same',
    pattern: /(?<![\w$])(?:logCreator|logLevel|KAFKAJS_LOG_LEVEL)(?![\w$])/g,
    says: 'the same entries, levels and environment variable',
  },
  {
    name: 'NestJS microservices',
    verdict: 'same',
    pattern: dependency('@nestjs/microservices'),
    file: MANIFEST,
    says: 'by the alias that the guide describes: NestJS imports the name kafkajs itself',
  },
]
