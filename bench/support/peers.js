// Who is compared: how each client is started, in which modes, on which cases.
import { fileURLToPath } from 'node:url'
import { caseNamesOf, cases } from './cases.js'
import { checkRuntime, commandOf, nodeProgram } from './runtimes.js'
import { built, setUpPeer } from './setup-peers.js'

const script = path => fileURLToPath(new URL(path, import.meta.url))
const codecOf = ({ options }) => options['compression.type'] ?? 'none'
const EVERY_CASE = Object.keys(cases)
const WHOLE = caseNamesOf(({ inWhole }) => inWhole)
const WITH_HEADERS = caseNamesOf(({ headers }) => headers)
/** What the native core does by itself, with the partitions it was measured with first. */
const FLOOR_CASES = caseNamesOf(
  each => !each.headers && !each.tls && codecOf(each) === 'none' && each.partitions === cases.A.partitions,
)
/** kafkajs has no other codec without a plug-in. */
const KAFKAJS_CASES = caseNamesOf(each => ['none', 'gzip'].includes(codecOf(each)))
/** No mode of theirs has ever been near the best peer: a whole run has one of the later cases only. */
const WHOLE_JAVASCRIPT = ['A', 'B', 'C', 'D', 'E', 'FH']
const WHOLE_RUNTIMES = ['A', 'B', 'C', 'F', 'H']
/** CPU time before the timed part, where a just-in-time compiler needs more than the usual. */
const WARM_UP_JAVASCRIPT_MS = 2000
const WARM_UP_JAVA_MS = 5000

/** `runtime`: a name of runtimes.js; `flags` are its own. */
const millraceOn = (title, runtime, more = {}, flags = []) => ({
  title: `millrace, ${title}`,
  isPeer: false,
  modes: ['many', 'callback', 'record'],
  cases: EVERY_CASE,
  whole: WHOLE,
  warmUpMs: WARM_UP_JAVASCRIPT_MS,
  setUp: () => checkRuntime(runtime),
  command: () => commandOf(runtime, script('compare-client.js'), flags),
  ...more,
})

/** By default V8 lets the young generation grow far beyond that where promises survive. */
const withYoungGeneration = mib => {
  const flag = `--max-semi-space-size=${mib}`
  return millraceOn(`Node 24 ${flag}`, 'node24', { modes: ['record'], whole: ['A', 'B', 'C'] }, [flag])
}

const javaScript = (title, file, more = {}) => ({
  title,
  isPeer: true,
  modes: ['many', 'record'],
  cases: EVERY_CASE,
  whole: WHOLE_JAVASCRIPT,
  warmUpMs: WARM_UP_JAVASCRIPT_MS,
  setUp: () => setUpPeer('node'),
  command: () => ({ program: nodeProgram(), args: [script(`../peers/node/${file}`)] }),
  ...more,
})

/** A program of its own, which `setUp` builds. */
const compiled = (title, name, modes, command, more = {}) => ({
  title,
  isPeer: true,
  modes,
  cases: EVERY_CASE,
  whole: WHOLE,
  setUp: () => setUpPeer(name),
  command: () => ({ args: [], ...command() }),
  ...more,
})

/**
 * By the name --client takes. `isPeer`: ratios are to the best of these. `cases` are those it has, `whole`
 * those of a run without options; `lacks` tells of modes that it has not with some cases.
 */
export const clients = {
  floor: compiled('floor: native core alone', 'floor', ['many'], () => ({ program: built.floor }), {
    isPeer: false,
    cases: FLOOR_CASES,
  }),
  node24: millraceOn('Node 24', 'node24'),
  'node24-young8': withYoungGeneration(8),
  'node24-young16': withYoungGeneration(16),
  bun: millraceOn('Bun', 'bun', { whole: WHOLE_RUNTIMES }),
  deno: millraceOn('Deno', 'deno', { whole: WHOLE_RUNTIMES }),
  'kafkajs-entry': {
    title: 'millrace/kafkajs, Node 24',
    isPeer: false,
    modes: ['many', 'record'],
    cases: KAFKAJS_CASES,
    whole: ['A', 'B', 'C', 'FH'],
    warmUpMs: WARM_UP_JAVASCRIPT_MS,
    setUp: () => checkRuntime('node24'),
    command: () => commandOf('node24', script('kafkajs-entry-client.js'), []),
  },
  java: compiled(
    'kafka-clients (Java)',
    'java',
    ['callback'],
    () => ({ program: 'java', args: ['-cp', built.javaClassPath, 'PeerProducer'] }),
    { warmUpMs: WARM_UP_JAVA_MS },
  ),
  librdkafka: compiled(
    'librdkafka (C)',
    'librdkafka',
    ['many', 'callback'],
    () => ({ program: built.librdkafka }),
    // rd_kafka_produce_batch takes no headers.
    { lacks: { many: WITH_HEADERS } },
  ),
  'franz-go': compiled('franz-go (Go)', 'franz-go', ['callback'], () => ({ program: built.franzGo })),
  confluent: javaScript('@confluentinc/kafka-javascript', 'confluent.js', {
    modes: ['many', 'callback', 'record'],
    setUp: () => setUpPeer('confluent'),
  }),
  platformatic: javaScript('@platformatic/kafka', 'platformatic.js'),
  kafkajs: javaScript('kafkajs', 'kafkajs.js', { cases: KAFKAJS_CASES }),
}

/** The modes of a client on a case; none where it has not got the case. */
export function modesOf(name, caseName) {
  const { cases: ownCases, modes, lacks = {} } = clients[name]
  if (!ownCases.includes(caseName)) return []
  return modes.filter(mode => !lacks[mode]?.includes(caseName))
}
