// reference/errors.md: every code of this library, and every error that brokers answer with.
import { errorTexts } from './error-texts.mjs'
import { built, code, generatedBy, source, table } from './support.mjs'

/** The members of the union `ErrorCode`. */
function errorCodes() {
  const [, union] = /export type ErrorCode =([\s\S]*?)\n\n/.exec(source('src/errors/index.ts'))
  return [...union.matchAll(/'([A-Z_]+)'/g)].map(([, name]) => name)
}

function checkedTexts() {
  const codes = errorCodes()
  const missing = codes.filter(name => errorTexts[name] === undefined)
  const left = Object.keys(errorTexts).filter(name => !codes.includes(name))
  if (missing.length > 0) throw new Error(`site/pages/error-texts.mjs has no text for ${missing.join(', ')}`)
  if (left.length > 0)
    throw new Error(`site/pages/error-texts.mjs has texts for codes that are gone: ${left.join(', ')}`)
  return codes.map(name => [name, errorTexts[name]])
}

function ownError([name, { classes, happened, record, advice }]) {
  return [
    `### ${name}`,
    `Class: \`${classes}\`.`,
    `- **What happened**: ${happened}\n- **The record**: ${record}\n- **What to do**: ${advice}`,
  ].join('\n\n')
}

/** Of errors that are no answers to a Produce request. */
const ELSEWHERE = {
  UNSUPPORTED_SASL_MECHANISM: 'No connection is made, and records that wait for it fail.',
  ILLEGAL_SASL_STATE: 'No connection is made, and records that wait for it fail.',
  SASL_AUTHENTICATION_FAILED:
    'No connection is made, and records that wait for it fail. Later sends try again.',
  REBOOTSTRAP_REQUIRED: 'Records wait until the cluster is found again, for at most `delivery.timeout.ms`.',
  MESSAGE_TOO_LARGE: 'A batch of several records is divided and sent. A single record fails.',
}

/** Errors that coordinators answer with. */
const COORDINATORS =
  /COORDINATOR|TXN|TRANSACTION|^GROUP_AUTH|^PRODUCER_FENCED|^INVALID_PRODUCER_(EPOCH|ID_MAPPING)|^INVALID_TRANSACTION/

const IN_A_TRANSACTION = {
  retry:
    'The producer asks again by itself until `max.block.ms`; a call that has timed out may be made again.',
  abort: 'The transaction has failed: abort it and do it again.',
  uninitialize: '`initTransactions` has failed, and may be called again.',
  fatal: 'The producer can do no more transactions: close it and make a new one.',
  fenced: 'Another producer has taken over: close this one.',
}
const SAME_AS = { find: 'retry', 'abort-and-bump': 'abort' }

/** What an error does to a transaction, over all requests of transactions. */
function inTransaction({ treatmentOf, rpcNames }, number) {
  const treatments = rpcNames.map(rpc => treatmentOf(rpc, number)).filter(each => each !== 'ignore')
  const distinct = new Set(treatments.map(each => SAME_AS[each] ?? each))
  const told = Object.keys(IN_A_TRANSACTION).filter(each => distinct.has(each))
  if (told.length === 1) return IN_A_TRANSACTION[told[0]]
  return `It depends on the request. ${told.map(each => IN_A_TRANSACTION[each]).join(' Or: ')}`
}

/** What an error of Produce does to a batch in the usual mode, as `sender/verdict.ts` judges it. */
function inProduce({ judge, Verdict }, number) {
  const batch = { recordCount: 1, mayBeStored: false, partition: {} }
  batch.partition.inFlight = [batch]
  switch (judge(batch, number, 'idempotent', 0n)) {
    case Verdict.DONE:
      return 'It counts as stored.'
    case Verdict.RETRY:
      return 'It is sent again by itself, and fails only when `delivery.timeout.ms` or `retries` are used up.'
    case Verdict.RETRY_AFTER_EPOCH_BUMP:
      return 'The producer takes a new epoch and sends it again by itself.'
    case Verdict.RETRY_WITH_NEW_ID:
      return 'If an earlier attempt may have stored it, it counts as stored. Otherwise the producer takes a new id and sends it again.'
    case Verdict.FATAL:
      return 'It fails, and an idempotent producer can send nothing more: make a new one.'
    default:
      return 'It fails. It is not stored, unless an earlier attempt was.'
  }
}

const sentence = text => `${text[0].toUpperCase()}${text.slice(1)}.`

/** The message is `NAME (number): what happened. What to do.` */
function brokerError(make, javaClass, judging, name, number) {
  const error = make(number)
  const [, happened, advice] = new RegExp(`^${name} \\(-?\\d+\\): (.*?)\\. (?=[A-Z])(.*)\\.$`, 's').exec(
    error.message,
  )
  const facts = [
    `Number ${number}`,
    `\`code\` ${code(error.code)}`,
    `class \`${error.name}\``,
    `Java: \`${javaClass}\``,
  ]
  const isCoordinators = COORDINATORS.test(name)
  const effect = ELSEWHERE[name] ?? (isCoordinators ? inTransaction : inProduce)(judging, number)
  return [
    `### ${name}`,
    `${facts.join('; ')}.`,
    `- **What happened**: ${sentence(happened)}
- **${isCoordinators ? 'The transaction' : 'The record'}**: ${effect}
- **What to do**: ${sentence(advice)}`,
  ].join('\n\n')
}

/** The text for errors that have none of their own. */
const NO_TEXT = 'the broker refused the request'

export async function errorsPage() {
  const { ErrorCodes, errorJavaClass, isRetriable } = await built('protocol/error-codes.js')
  const { brokerError: make } = await built('protocol/broker-error.js')
  const judging = { ...(await built('sender/verdict.js')), ...(await built('transactions/rpc-errors.js')) }
  const all = Object.entries(ErrorCodes).filter(([name]) => name !== 'NONE')
  const told = all.filter(([, number]) => !make(number).message.includes(NO_TEXT))
  const others = all.filter(([name]) => !told.some(([each]) => each === name))
  return `${[
    '# Errors',
    generatedBy('the tables of errors'),
    `Every error is a \`KafkaError\` with a stable \`code\`. \`console.log\`, uncaught exceptions and
\`JSON.stringify\` show it. Look it up on this page. In your program, compare the code and never the message.`,
    table(
      ['property', 'what it says'],
      [
        ['`code`', 'one of the codes of this page'],
        [
          '`retriable`',
          'whether the same call may succeed later. The producer has already retried by itself',
        ],
        ['`topic`, `partition`, `broker`', 'where it happened, if that is known'],
        ['`cause`', 'the error behind it, such as the last refusal before a time-out'],
        ['`errorName`, `errorCode`', 'name and number in the protocol, if a broker answered with an error'],
        ['`fatal`, `abortable`', 'whether to make a new producer, or to abort the transaction'],
      ],
    ),
    '## Codes',
    ...checkedTexts().map(ownError),
    '## Errors of brokers',
    'Brokers answer with these errors. `errorName` of a `BrokerError` is the name, and each message begins with it.',
    ...told.map(([name, number]) => brokerError(make, errorJavaClass(number), judging, name, number)),
    '## Other errors of the protocol',
    "A producer does not normally meet these. If it does, the broker's log says more.",
    table(
      ['name', 'number', 'retried', 'Java'],
      others.map(([name, number]) => [
        code(name),
        number,
        isRetriable(number) ? 'yes' : 'no',
        code(errorJavaClass(number)),
      ]),
    ),
  ].join('\n\n')}\n`
}
