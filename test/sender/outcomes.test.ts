// Every error code of the protocol, answered to the first, the middle and the last of five batches in flight,
// with and without idempotence: what becomes of that batch, of the others, of the epoch and of the memory.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TopicState } from '../../dist/accumulator/partition/topic-state.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { type Outcome, SenderRig, stored } from './rig.js'

/**
 * Code, name, outcome without idempotence, outcome with it, and whether metadata is refreshed.
 *
 * stored   the answer counts as success
 * retried  sent again as it is
 * bumped   sent again under the next epoch
 * split    its records are sent again in smaller batches
 * fails    its records fail; with idempotence the partition goes on under the next epoch
 * fatal    every record fails, now and later
 */
const TABLE = `
    -1 UNKNOWN_SERVER_ERROR                     fails    fails
     0 NONE                                     stored   stored
     1 OFFSET_OUT_OF_RANGE                      fails    fails
     2 CORRUPT_MESSAGE                          retried  retried
     3 UNKNOWN_TOPIC_OR_PARTITION               retried  retried refresh
     4 INVALID_FETCH_SIZE                       fails    fails
     5 LEADER_NOT_AVAILABLE                     retried  retried refresh
     6 NOT_LEADER_OR_FOLLOWER                   retried  retried refresh
     7 REQUEST_TIMED_OUT                        retried  retried
     8 BROKER_NOT_AVAILABLE                     fails    fails
     9 REPLICA_NOT_AVAILABLE                    retried  retried refresh
    10 MESSAGE_TOO_LARGE                        split    split
    11 STALE_CONTROLLER_EPOCH                   fails    fails
    12 OFFSET_METADATA_TOO_LARGE                fails    fails
    13 NETWORK_EXCEPTION                        retried  retried refresh
    14 COORDINATOR_LOAD_IN_PROGRESS             retried  retried
    15 COORDINATOR_NOT_AVAILABLE                retried  retried
    16 NOT_COORDINATOR                          retried  retried
    17 INVALID_TOPIC_EXCEPTION                  fails    fails
    18 RECORD_LIST_TOO_LARGE                    fails    fails
    19 NOT_ENOUGH_REPLICAS                      retried  retried
    20 NOT_ENOUGH_REPLICAS_AFTER_APPEND         retried  retried
    21 INVALID_REQUIRED_ACKS                    fails    fails
    22 ILLEGAL_GENERATION                       fails    fails
    23 INCONSISTENT_GROUP_PROTOCOL              fails    fails
    24 INVALID_GROUP_ID                         fails    fails
    25 UNKNOWN_MEMBER_ID                        fails    fails
    26 INVALID_SESSION_TIMEOUT                  fails    fails
    27 REBALANCE_IN_PROGRESS                    fails    fails
    28 INVALID_COMMIT_OFFSET_SIZE               fails    fails
    29 TOPIC_AUTHORIZATION_FAILED               fails    fails
    30 GROUP_AUTHORIZATION_FAILED               fails    fails
    31 CLUSTER_AUTHORIZATION_FAILED             fails    fatal
    32 INVALID_TIMESTAMP                        fails    fails
    33 UNSUPPORTED_SASL_MECHANISM               fails    fails
    34 ILLEGAL_SASL_STATE                       fails    fails
    35 UNSUPPORTED_VERSION                      fails    fatal
    36 TOPIC_ALREADY_EXISTS                     fails    fails
    37 INVALID_PARTITIONS                       fails    fails
    38 INVALID_REPLICATION_FACTOR               fails    fails
    39 INVALID_REPLICA_ASSIGNMENT               fails    fails
    40 INVALID_CONFIG                           fails    fails
    41 NOT_CONTROLLER                           retried  retried
    42 INVALID_REQUEST                          fails    fails
    43 UNSUPPORTED_FOR_MESSAGE_FORMAT           fails    fails
    44 POLICY_VIOLATION                         fails    fails
    45 OUT_OF_ORDER_SEQUENCE_NUMBER             fails    bumped
    46 DUPLICATE_SEQUENCE_NUMBER                stored   renewed
    47 INVALID_PRODUCER_EPOCH                   fails    fails
    48 INVALID_TXN_STATE                        fails    fails
    49 INVALID_PRODUCER_ID_MAPPING              fails    fatal
    50 INVALID_TRANSACTION_TIMEOUT              fails    fails
    51 CONCURRENT_TRANSACTIONS                  retried  retried
    52 TRANSACTION_COORDINATOR_FENCED           fails    fails
    53 TRANSACTIONAL_ID_AUTHORIZATION_FAILED    fails    fatal
    54 SECURITY_DISABLED                        fails    fails
    55 OPERATION_NOT_ATTEMPTED                  fails    fails
    56 KAFKA_STORAGE_ERROR                      retried  retried refresh
    57 LOG_DIR_NOT_FOUND                        fails    fails
    58 SASL_AUTHENTICATION_FAILED               fails    fails
    59 UNKNOWN_PRODUCER_ID                      fails    retried
    60 REASSIGNMENT_IN_PROGRESS                 fails    fails
    61 DELEGATION_TOKEN_AUTH_DISABLED           fails    fails
    62 DELEGATION_TOKEN_NOT_FOUND               fails    fails
    63 DELEGATION_TOKEN_OWNER_MISMATCH          fails    fails
    64 DELEGATION_TOKEN_REQUEST_NOT_ALLOWED     fails    fails
    65 DELEGATION_TOKEN_AUTHORIZATION_FAILED    fails    fails
    66 DELEGATION_TOKEN_EXPIRED                 fails    fails
    67 INVALID_PRINCIPAL_TYPE                   fails    fails
    68 NON_EMPTY_GROUP                          fails    fails
    69 GROUP_ID_NOT_FOUND                       fails    fails
    70 FETCH_SESSION_ID_NOT_FOUND               retried  retried
    71 INVALID_FETCH_SESSION_EPOCH              retried  retried
    72 LISTENER_NOT_FOUND                       retried  retried refresh
    73 TOPIC_DELETION_DISABLED                  fails    fails
    74 FENCED_LEADER_EPOCH                      retried  retried refresh
    75 UNKNOWN_LEADER_EPOCH                     retried  retried
    76 UNSUPPORTED_COMPRESSION_TYPE             fails    fails
    77 STALE_BROKER_EPOCH                       fails    fails
    78 OFFSET_NOT_AVAILABLE                     retried  retried
    79 MEMBER_ID_REQUIRED                       fails    fails
    80 PREFERRED_LEADER_NOT_AVAILABLE           retried  retried refresh
    81 GROUP_MAX_SIZE_REACHED                   fails    fails
    82 FENCED_INSTANCE_ID                       fails    fails
    83 ELIGIBLE_LEADERS_NOT_AVAILABLE           retried  retried refresh
    84 ELECTION_NOT_NEEDED                      retried  retried refresh
    85 NO_REASSIGNMENT_IN_PROGRESS              fails    fails
    86 GROUP_SUBSCRIBED_TO_TOPIC                fails    fails
    87 INVALID_RECORD                           fails    fails
    88 UNSTABLE_OFFSET_COMMIT                   retried  retried
    89 THROTTLING_QUOTA_EXCEEDED                retried  retried
    90 PRODUCER_FENCED                          fails    fatal
    91 RESOURCE_NOT_FOUND                       fails    fails
    92 DUPLICATE_RESOURCE                       fails    fails
    93 UNACCEPTABLE_CREDENTIAL                  fails    fails
    94 INCONSISTENT_VOTER_SET                   fails    fails
    95 INVALID_UPDATE_VERSION                   fails    fails
    96 FEATURE_UPDATE_FAILED                    fails    fails
    97 PRINCIPAL_DESERIALIZATION_FAILURE        fails    fails
    98 SNAPSHOT_NOT_FOUND                       fails    fails
    99 POSITION_OUT_OF_RANGE                    fails    fails
   100 UNKNOWN_TOPIC_ID                         retried  retried refresh
   101 DUPLICATE_BROKER_REGISTRATION            fails    fails
   102 BROKER_ID_NOT_REGISTERED                 fails    fails
   103 INCONSISTENT_TOPIC_ID                    retried  retried refresh
   104 INCONSISTENT_CLUSTER_ID                  fails    fails
   105 TRANSACTIONAL_ID_NOT_FOUND               fails    fails
   106 FETCH_SESSION_TOPIC_ID_ERROR             retried  retried
   107 INELIGIBLE_REPLICA                       fails    fails
   108 NEW_LEADER_ELECTED                       fails    fails
   109 OFFSET_MOVED_TO_TIERED_STORAGE           fails    fails
   110 FENCED_MEMBER_EPOCH                      fails    fails
   111 UNRELEASED_INSTANCE_ID                   fails    fails
   112 UNSUPPORTED_ASSIGNOR                     fails    fails
   113 STALE_MEMBER_EPOCH                       fails    fails
   114 MISMATCHED_ENDPOINT_TYPE                 fails    fails
   115 UNSUPPORTED_ENDPOINT_TYPE                fails    fails
   116 UNKNOWN_CONTROLLER_ID                    fails    fails
   117 UNKNOWN_SUBSCRIPTION_ID                  fails    fails
   118 TELEMETRY_TOO_LARGE                      fails    fails
   119 INVALID_REGISTRATION                     fails    fails
   120 TRANSACTION_ABORTABLE                    fails    fails
   121 INVALID_RECORD_STATE                     fails    fails
   122 SHARE_SESSION_NOT_FOUND                  retried  retried
   123 INVALID_SHARE_SESSION_EPOCH              retried  retried
   124 FENCED_STATE_EPOCH                       fails    fails
   125 INVALID_VOTER_KEY                        fails    fails
   126 DUPLICATE_VOTER                          fails    fails
   127 VOTER_NOT_FOUND                          fails    fails
   128 INVALID_REGULAR_EXPRESSION               fails    fails
   129 REBOOTSTRAP_REQUIRED                     fails    fails
   130 STREAMS_INVALID_TOPOLOGY                 fails    fails
   131 STREAMS_INVALID_TOPOLOGY_EPOCH           fails    fails
   132 STREAMS_TOPOLOGY_FENCED                  fails    fails
   133 SHARE_SESSION_LIMIT_REACHED              retried  retried
`

/** `renewed`: under another producer id, for the sequence is another producer's. */
type Expected = 'stored' | 'renewed' | 'retried' | 'bumped' | 'split' | 'fails' | 'fatal'

interface Row {
  code: number
  name: string
  expected: Record<'plain' | 'idempotent', Expected>
  refreshes: boolean
}

const rows: Row[] = TABLE.trim()
  .split('\n')
  .map(line => {
    const [code, name, plain, idempotent, refresh] = line.trim().split(/ +/)
    const expected = { plain: plain as Expected, idempotent: idempotent as Expected }
    return { code: Number(code), name: name as string, expected, refreshes: refresh === 'refresh' }
  })

const BATCHES = 5
const PER_BATCH = 2
const VALUE_BYTES = 40
/** Room for two records of that size, and not for three. */
const BATCH_BYTES = 61 + 2 * (VALUE_BYTES + 7) + 4

const POSITIONS = { first: 1, middle: 3, last: 5 } as const
type Position = keyof typeof POSITIONS

let broker: TestBroker
before(async () => {
  broker = await startBroker({ quiet: true, partitions: 1 })
})
after(() => broker.close())

test('the table has every error code once', () => {
  assert.deepEqual(
    rows.map(({ code }) => code),
    Array.from({ length: 135 }, (_, i) => i - 1),
  )
})

for (const mode of ['plain', 'idempotent'] as const) {
  for (const row of rows) {
    test(`${row.name} (${row.code}), ${mode}: ${row.expected[mode]}`, async () => {
      for (const position of Object.keys(POSITIONS) as Position[]) await tryCell(row, mode, position, false)
      // The error came after the append: what may be retried is recognised, or is reported as it is.
      const mayFollowAppend = row.expected[mode] === 'retried' || row.expected[mode] === 'fails'
      if (mode === 'idempotent' && mayFollowAppend && row.name !== 'UNKNOWN_PRODUCER_ID') {
        for (const position of Object.keys(POSITIONS) as Position[]) await tryCell(row, mode, position, true)
      }
    })
  }
}

let cells = 0

/** What one cell has seen. */
interface Seen {
  topic: string
  sent: string[]
  outcomes: Outcome[]
  requests: number
  refreshes: number
  epochs: number
  /** Whether the records of a batch (from 1) were stored. */
  log: string[]
}

async function tryCell(row: Row, mode: 'plain' | 'idempotent', position: Position, afterAppend: boolean) {
  const name = `cell-${cells++}`
  await using rig = new SenderRig(broker, {
    idempotent: mode === 'idempotent',
    batchBytes: BATCH_BYTES,
    bufferBytes: 16 * 1024,
  })
  const topic = await rig.topic(name)
  const expected = row.expected[mode]
  // Without a first success only one batch would be in flight.
  await Promise.all(records('warm', 1).map(value => rig.send(topic, value)))
  const epoch = rig.identity?.epoch ?? 0
  let refreshes = 0
  const requestUpdate = rig.client.requestUpdate.bind(rig.client)
  rig.client.requestUpdate = () => {
    refreshes++
    requestUpdate()
  }
  // Without sequences a duplicate can only be what is in the log already.
  const isStored = afterAppend || (row.name === 'DUPLICATE_SEQUENCE_NUMBER' && mode === 'plain')
  const watch = watchRequests(rig, topic, row, POSITIONS[position], isStored)
  const sent = records('v', BATCHES)
  const outcomes = await Promise.all(sent.map(value => rig.send(topic, value)))
  const seen = { requests: watch.requests, refreshes }
  watch.stop()
  assert.equal(watch.inFlight, BATCHES, 'five batches in flight when the first arrived')
  const last = await Promise.all(records('last', 1).map(value => rig.send(topic, value)))
  await rig.flush()
  const cell: Seen = {
    topic: name,
    sent,
    outcomes,
    ...seen,
    epochs: (rig.identity?.epoch ?? 0) - epoch,
    log: stored(broker, name).slice(PER_BATCH),
  }
  const at = `${row.name}, ${mode}, ${position}${afterAppend ? ', after the append' : ''}`
  checkRecords(cell, row, expected, POSITIONS[position], afterAppend, at)
  checkOffsets(cell, at)
  if (!afterAppend) checkEffort(cell, row, expected, mode, position, at)
  for (const { error } of last) assert.equal(error !== null, expected === 'fatal', `${at}: the next batch`)
  const inOrder = mode === 'idempotent' && expected !== 'fatal' && !afterAppend
  if (inOrder) assert.deepEqual(rig.settled.slice(2, 12), sent, `${at}: order`)
  assert.equal(rig.usedBytes, 0, `${at}: memory`)
  assert.equal(rig.accumulator.hasIncomplete, false)
}

function records(prefix: string, batches: number): string[] {
  return Array.from({ length: batches * PER_BATCH }, (_, i) => `${prefix}${i}`.padEnd(VALUE_BYTES, '.'))
}

/** Has the n-th Produce request to the topic answered with the row's error. */
function watchRequests(rig: SenderRig, topic: TopicState, row: Row, n: number, isStored: boolean) {
  const watch = { requests: 0, inFlight: 0, stop: () => {} }
  watch.stop = broker.onRequest(({ api }) => {
    if (api !== 'Produce') return
    if (++watch.requests === 1) watch.inFlight = rig.partition(topic).onWire
    if (watch.requests !== n || row.code === 0) return
    broker.fail({ api: 'Produce', error: row.code, topic: topic.name, afterAppend: isStored })
  })
  return watch
}

/** Who failed, with what; and that all others are in the log, each once, in order where order is promised. */
function checkRecords(
  cell: Seen,
  row: Row,
  expected: Expected,
  struck: number,
  afterAppend: boolean,
  at: string,
): void {
  const failed = new Set<string>()
  for (const [i, { error }] of cell.outcomes.entries()) {
    const batch = Math.floor(i / PER_BATCH) + 1
    const mustFail = (expected === 'fails' && batch === struck) || (expected === 'fatal' && batch >= struck)
    assert.equal(error !== null, mustFail, `${at}: record ${i}: ${error?.message ?? 'stored'}`)
    if (error === null) continue
    assert.ok(error.message.startsWith(`${row.name} (${row.code}) for ${cell.topic}-0`), error.message)
    failed.add(cell.sent[i] as string)
  }
  const rest = records('last', 1)
  const expectedLog = cell.sent.filter(value => afterAppend || !failed.has(value))
  if (expected !== 'fatal') expectedLog.push(...rest)
  const keepsOrder = row.expected.idempotent === expected && at.includes('idempotent')
  if (keepsOrder) assert.deepEqual(cell.log, expectedLog, at)
  else assert.deepEqual([...cell.log].sort(), expectedLog.sort(), at)
}

/** A record is where its metadata says. */
function checkOffsets(cell: Seen, at: string): void {
  for (const [i, { metadata }] of cell.outcomes.entries()) {
    const offset = metadata?.offset ?? -1n
    if (offset >= 0n)
      assert.equal(cell.log[Number(offset) - PER_BATCH], cell.sent[i], `${at}: offset of ${i}`)
  }
}

/** Requests, metadata refreshes and epochs that it took. */
function checkEffort(
  cell: Seen,
  row: Row,
  expected: Expected,
  mode: 'plain' | 'idempotent',
  position: Position,
  at: string,
): void {
  const extra = { stored: 0, renewed: 1, retried: 1, bumped: 1, split: 2, fails: 0, fatal: 0 }[expected]
  // With idempotence those behind the struck one are refused by the broker, and go again, too.
  if (mode === 'plain' || position === 'last') assert.equal(cell.requests, BATCHES + extra, `${at}: requests`)
  else assert.ok(cell.requests >= BATCHES + extra, `${at}: requests`)
  assert.equal(cell.refreshes > 0, row.refreshes, `${at}: refreshes metadata`)
  if (mode === 'plain') return
  const bumps = expected === 'bumped' || expected === 'fails' ? 1 : 0
  assert.equal(cell.epochs, bumps, `${at}: epochs`)
}
