// Who is compared: how each client is started, in which modes, on which cases.
import { fileURLToPath } from 'node:url'
import { checkRuntime, commandOf, nodeProgram } from './runtimes.js'
import { built, setUpPeer } from './setup-peers.js'

const script = path => fileURLToPath(new URL(path, import.meta.url))
const EVERY_CASE = 'ABCDE'
/** CPU time before the timed part, where a just-in-time compiler needs more than the usual. */
const WARM_UP_JAVASCRIPT_MS = 2000
const WARM_UP_JAVA_MS = 5000

/** `runtime`: a name of runtimes.js; `flags` are its own. */
const millraceOn = (title, runtime, cases, modes = ['many', 'callback', 'record'], flags = []) => ({
  title: `millrace, ${title}`,
  isPeer: false,
  modes,
  cases,
  warmUpMs: WARM_UP_JAVASCRIPT_MS,
  setUp: () => checkRuntime(runtime),
  command: () => commandOf(runtime, script('compare-client.js'), flags),
})

/** By default V8 lets the young generation grow far beyond that where promises survive. */
const withYoungGeneration = mib => {
  const flag = `--max-semi-space-size=${mib}`
  return millraceOn(`Node 24 ${flag}`, 'node24', 'ABC', ['record'], [flag])
}

const javaScript = (title, file, modes, cases, setUp = 'node') => ({
  title,
  isPeer: true,
  modes,
  cases,
  warmUpMs: WARM_UP_JAVASCRIPT_MS,
  setUp: () => setUpPeer(setUp),
  command: () => ({ program: nodeProgram(), args: [script(`../peers/node/${file}`)] }),
})

/** By the name --client takes. `isPeer`: ratios are to the best of these. */
export const clients = {
  floor: {
    title: 'floor: native core alone',
    isPeer: false,
    modes: ['many'],
    cases: 'ABC',
    setUp: () => setUpPeer('floor'),
    command: () => ({ program: built.floor, args: [] }),
  },
  node24: millraceOn('Node 24', 'node24', EVERY_CASE),
  'node24-young8': withYoungGeneration(8),
  'node24-young16': withYoungGeneration(16),
  bun: millraceOn('Bun', 'bun', 'ABC'),
  deno: millraceOn('Deno', 'deno', 'ABC'),
  'kafkajs-entry': {
    title: 'millrace/kafkajs, Node 24',
    isPeer: false,
    modes: ['many', 'record'],
    cases: 'ABC',
    warmUpMs: WARM_UP_JAVASCRIPT_MS,
    setUp: () => checkRuntime('node24'),
    command: () => commandOf('node24', script('kafkajs-entry-client.js'), []),
  },
  java: {
    title: 'kafka-clients (Java)',
    isPeer: true,
    modes: ['callback'],
    cases: EVERY_CASE,
    warmUpMs: WARM_UP_JAVA_MS,
    setUp: () => setUpPeer('java'),
    command: () => ({ program: 'java', args: ['-cp', built.javaClassPath, 'PeerProducer'] }),
  },
  librdkafka: {
    title: 'librdkafka (C)',
    isPeer: true,
    modes: ['many', 'callback'],
    cases: EVERY_CASE,
    setUp: () => setUpPeer('librdkafka'),
    command: () => ({ program: built.librdkafka, args: [] }),
  },
  'franz-go': {
    title: 'franz-go (Go)',
    isPeer: true,
    modes: ['callback'],
    cases: EVERY_CASE,
    setUp: () => setUpPeer('franz-go'),
    command: () => ({ program: built.franzGo, args: [] }),
  },
  confluent: javaScript(
    '@confluentinc/kafka-javascript',
    'confluent.js',
    ['many', 'callback', 'record'],
    EVERY_CASE,
    'confluent',
  ),
  platformatic: javaScript('@platformatic/kafka', 'platformatic.js', ['many', 'record'], EVERY_CASE),
  kafkajs: javaScript('kafkajs', 'kafkajs.js', ['many', 'record'], 'ABC'),
}
