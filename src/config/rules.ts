import type { Logger } from '../common/logger.js'
import { ConfigError } from '../errors/index.js'
import type { OptionKey } from './definitions.js'
import type { ParsedValues } from './values.js'

const INT32_MAX = 0x7fffffff

/** With more requests in flight, brokers could not tell a duplicate from a reordered batch. */
const MAX_IN_FLIGHT_WITH_IDEMPOTENCE = 5

/** What a rule across options works on. Rules may change `values`; `explicit` is what the user gave. */
interface RuleContext {
  readonly values: ParsedValues
  readonly explicit: ReadonlySet<OptionKey>
  readonly logger: Logger
}

/**
 * The rules that tie options together, with Java's outcomes: a conflict the user asked for is an error, one
 * that only a default makes is settled in favour of what the user gave.
 */
export function applyRules(context: RuleContext): void {
  normalise(context)
  settleIdempotence(context)
  checkTransactions(context)
  settleDeliveryTimeout(context)
  settleBackoffs(context)
}

function normalise({ values }: RuleContext): void {
  if (values.acks === 'all') values.acks = '-1'
  if (values['batch.size'] === 0) values['batch.size'] = 1
  values['linger.ms'] = Math.min(values['linger.ms'], INT32_MAX)
}

function settleIdempotence({ values, explicit, logger }: RuleContext): void {
  if (!values['enable.idempotence']) return
  const inFlight = values['max.in.flight.requests.per.connection']
  const conflicts: string[] = []
  if (values.retries === 0) conflicts.push('retries = 0 (it needs at least 1)')
  if (values.acks !== '-1') conflicts.push(`acks = ${values.acks} (it needs all)`)
  if (conflicts.length > 0 && explicit.has('enable.idempotence'))
    throw new ConfigError(
      `enable.idempotence = true conflicts with ${conflicts.join(' and ')}`,
      'enable.idempotence',
    )
  if (inFlight > MAX_IN_FLIGHT_WITH_IDEMPOTENCE)
    throw new ConfigError(
      `max.in.flight.requests.per.connection = ${inFlight} is not valid with idempotence; ` +
        `allowed: at most ${MAX_IN_FLIGHT_WITH_IDEMPOTENCE}, or more with enable.idempotence = false`,
      'max.in.flight.requests.per.connection',
    )
  if (conflicts.length === 0) return
  values['enable.idempotence'] = false
  logger.info(`idempotence is off because of ${conflicts.join(' and ')}`)
}

function checkTransactions({ values, explicit }: RuleContext): void {
  // Only a transaction whose end is decided here can end by a time-out (KIP-939).
  if (values['transaction.two.phase.commit.enable'] && explicit.has('transaction.timeout.ms'))
    throw new ConfigError(
      'transaction.timeout.ms cannot be set with transaction.two.phase.commit.enable = true',
      'transaction.timeout.ms',
    )
  if (!explicit.has('transactional.id') || values['enable.idempotence']) return
  throw new ConfigError(
    'transactional.id needs idempotence: enable.idempotence = true, acks = all and retries of at least 1',
    'transactional.id',
  )
}

function settleDeliveryTimeout({ values, explicit, logger }: RuleContext): void {
  const least = Math.min(values['linger.ms'] + values['request.timeout.ms'], INT32_MAX)
  const given = values['delivery.timeout.ms']
  if (given >= least) return
  if (explicit.has('delivery.timeout.ms'))
    throw new ConfigError(
      `delivery.timeout.ms = ${given} is not valid; ` +
        `allowed: at least linger.ms + request.timeout.ms, which is ${least}`,
      'delivery.timeout.ms',
    )
  values['delivery.timeout.ms'] = least
  logger.warn(
    `delivery.timeout.ms is ${least} instead of its default ${given}, ` +
      'because it must be at least linger.ms + request.timeout.ms',
  )
}

function settleBackoffs({ values, explicit, logger }: RuleContext): void {
  if (explicit.has('reconnect.backoff.ms') && !explicit.has('reconnect.backoff.max.ms')) {
    values['reconnect.backoff.max.ms'] = values['reconnect.backoff.ms']
    logger.warn(
      `reconnects wait a constant ${values['reconnect.backoff.ms']} ms, ` +
        'because reconnect.backoff.ms is set and reconnect.backoff.max.ms is not',
    )
  }
  const pairs = [
    ['retry.backoff.ms', 'retry.backoff.max.ms'],
    ['socket.connection.setup.timeout.ms', 'socket.connection.setup.timeout.max.ms'],
  ] as const
  for (const [initial, max] of pairs) {
    if (values[initial] <= values[max]) continue
    logger.warn(
      `${initial} = ${values[initial]} is above ${max} = ${values[max]}, so it is a constant ${values[max]}`,
    )
    values[initial] = values[max]
  }
}
