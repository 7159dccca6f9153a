import { hostname } from 'node:os'

const { env } = process

/** What all examples of this folder take from the environment. */
export const settings = {
  bootstrapServers: env.BOOTSTRAP_SERVERS ?? '127.0.0.1:9092',
  groupId: env.GROUP_ID ?? 'exactly-once',
  input: env.INPUT ?? 'orders',
  output: env.OUTPUT ?? 'invoices',
  /** Of this copy of the program: the same after a restart, and no other's at the same time. */
  instance: env.INSTANCE ?? hostname(),
  sessionTimeoutMs: Number(env.SESSION_TIMEOUT_MS ?? 45_000),
  /** The example for kafkajs needs one that is well below the session timeout. */
  transactionTimeoutMs: Number(env.TRANSACTION_TIMEOUT_MS ?? 15_000),
}

/** The work itself: a record of the input becomes one of the output. */
export function transform({ key, value }) {
  return { topic: settings.output, key, value: `invoice of ${value}` }
}

export function say(...words) {
  console.log(new Date().toISOString(), settings.instance, ...words)
}

/** Ends the program at SIGTERM or SIGINT; a second signal does not wait for `stop`. */
export function onSignal(stop) {
  const end = async () => {
    process.once('SIGTERM', () => process.exit(1)).once('SIGINT', () => process.exit(1))
    await stop()
    process.exit(0)
  }
  process.once('SIGTERM', end).once('SIGINT', end)
}
