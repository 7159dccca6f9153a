#!/usr/bin/env node
import { packageVersion } from '../common/package-root.js'
import { ConfigError, KafkaError } from '../errors/index.js'
import { nearest, quote, UsageError } from './arguments.js'
import { BROKER_HELP, BUILD_ADDON_HELP, MAIN_HELP, PERF_HELP, PRODUCE_HELP, VERIFY_HELP } from './help.js'
import { KAFKAJS_CHECK_HELP } from './kafkajs-check-help.js'
import { printable } from './printable.js'

const EXIT_FAILED = 1
const EXIT_USAGE = 2
/** Of a line, before escaping. */
const LINE_MAX = 4000

interface Command {
  readonly help: string
  /** Loaded when it is run: help is there even where the native addon is not. */
  readonly run: (args: readonly string[]) => Promise<number>
}

const commands: Readonly<Record<string, Command>> = {
  produce: {
    help: PRODUCE_HELP,
    run: async args => (await import('./produce.js')).produce(args),
  },
  perf: {
    help: PERF_HELP,
    run: async args => (await import('./perf/perf.js')).perf(args),
  },
  verify: {
    help: VERIFY_HELP,
    run: async args => (await import('./verifiable/verifiable.js')).verify(args),
  },
  broker: {
    help: BROKER_HELP,
    run: async args => (await import('./broker.js')).broker(args),
  },
  'build-addon': {
    help: BUILD_ADDON_HELP,
    run: async args => (await import('./build-addon.js')).buildAddon(args),
  },
  'kafkajs-check': {
    help: KAFKAJS_CHECK_HELP,
    run: async args => (await import('./kafkajs-check.js')).kafkajsCheck(args),
  },
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined) {
    process.stderr.write(MAIN_HELP)
    return EXIT_USAGE
  }
  if (name === '--version' || name === '-V') return print(`${packageVersion() ?? 'of unknown version'}\n`)
  if (name === '--help' || name === '-h' || name === 'help') {
    return print((rest[0] !== undefined && commandOf(rest[0])?.help) || MAIN_HELP)
  }
  const command = commandOf(name)
  if (!command) {
    const near = nearest(name, Object.keys(commands))
    const what = name.startsWith('-') ? 'option' : 'command'
    const hint = near === undefined ? 'try millrace --help' : `did you mean ${near}?`
    process.stderr.write(`millrace: unknown ${what} ${printable(quote(name))}; ${hint}\n`)
    return EXIT_USAGE
  }
  if (rest.length === 1 && rest[0] === '--version')
    return print(`${packageVersion() ?? 'of unknown version'}\n`)
  if (rest.includes('--help') || rest.includes('-h')) return print(command.help)
  try {
    return await command.run(rest)
  } catch (error) {
    return complain(name, error)
  }
}

function commandOf(name: string): Command | undefined {
  return Object.hasOwn(commands, name) ? commands[name] : undefined
}

function complain(command: string, error: unknown): number {
  if (error instanceof UsageError || error instanceof ConfigError) {
    process.stderr.write(
      `millrace ${command}: ${printable(error.message, LINE_MAX)}\nSee millrace ${command} --help\n`,
    )
    return EXIT_USAGE
  }
  const known = error instanceof KafkaError || (error as NodeJS.ErrnoException)?.syscall !== undefined
  const text = error instanceof Error ? (known ? error.message : (error.stack ?? '')) : String(error)
  // A stack has lines of its own.
  const lines = text.split('\n').map(line => printable(line, LINE_MAX))
  process.stderr.write(`millrace ${command}: ${lines.join('\n')}\n`)
  return EXIT_FAILED
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

// A reader that has seen enough (`| head`) is no failure of ours.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
})

main(process.argv.slice(2)).then(code => {
  process.exitCode = code
})
