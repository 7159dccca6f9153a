import { startBroker } from '../testing/index.js'
import { type OptionTable, parseOptions, UsageError, wholeNumber } from './arguments.js'
import { onInterrupt } from './interrupt.js'
import { formatCount, formatMegabytes } from './summary.js'

const OPTIONS = {
  port: { type: 'string' },
  nodes: { type: 'string' },
  partitions: { type: 'string' },
} as const satisfies OptionTable

const DEFAULT_PORT = '9092'

/** `millrace broker`: runs the in-process broker until it is interrupted, and answers the exit code. */
export async function broker(args: readonly string[]): Promise<number> {
  const values = parseOptions(args, OPTIONS)
  const nodes = wholeNumber('nodes', values.nodes ?? '1', 1, 100)
  const partitions = wholeNumber('partitions', values.partitions ?? '1', 1, 10_000)
  const port = wholeNumber('port', values.port ?? DEFAULT_PORT, 0, 65_535)
  if (port + nodes > 65_536) throw new UsageError(`--port ${port} leaves no ports for ${nodes} nodes`)

  // Before anything is announced: whoever waits for the announcement may interrupt right after it.
  let release = () => {}
  const interrupted = new Promise<void>(resolve => {
    release = onInterrupt(resolve)
  })
  try {
    let isAnnounced = false
    // What the broker says at its start is said below, with more.
    const log = (line: string) => void (isAnnounced && process.stderr.write(`${line}\n`))
    const running = await startBroker({ nodes, partitions, port, log })
    isAnnounced = true
    process.stdout.write(
      'millrace broker: Kafka protocol, in memory, for development only\n' +
        `bootstrap.servers=${running.bootstrapServers}\n` +
        `Topics are made on first use, partitions: ${partitions}. Ctrl-C ends it.\n`,
    )
    await interrupted
    const { records, bytes } = running.counters()
    await running.close()
    process.stdout.write(`ended with ${formatCount(records)} records in ${formatMegabytes(bytes)}\n`)
    return 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    process.stderr.write(`millrace: port ${port} is in use; choose another with --port\n`)
    return 1
  } finally {
    release()
  }
}
