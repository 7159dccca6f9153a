import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { BatchError } from '../../dist/testing/batch-error.js'
import { ProducerStates } from '../../dist/testing/producer-state.js'
import { type BatchHeader, readBatchHeader } from '../../dist/testing/record-batch.js'
import { encodeBatch, numbered } from './support.js'

const { INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, DUPLICATE_SEQUENCE_NUMBER } = ErrorCodes

/** A batch as [epoch, first sequence, records]. */
type Step = readonly [epoch: number, sequence: number, count: number]

function headerOf([producerEpoch, baseSequence, count]: Step): BatchHeader {
  return readBatchHeader(encodeBatch(numbered(count), { producerId: 7n, producerEpoch, baseSequence }))
}

/** `append`, the base offset of the batch that is there already, or the error. */
function judge(states: ProducerStates, step: Step): 'append' | bigint | number {
  try {
    const duplicate = states.check(headerOf(step))
    return duplicate === null ? 'append' : BigInt(duplicate.baseOffset)
  } catch (error) {
    assert.ok(error instanceof BatchError)
    return error.errorCode
  }
}

const LAST = 0x7fffffff
const six: Step[] = [0, 1, 2, 3, 4, 5].map(n => [0, n * 10, 10])

const table: readonly [
  name: string,
  history: readonly Step[],
  next: Step,
  outcome: 'append' | bigint | number,
][] = [
  ['an unknown producer may start at 0', [], [0, 0, 1], 'append'],
  ['an unknown producer may start anywhere', [], [3, 77, 2], 'append'],
  ['the next sequence is appended', [[0, 0, 3]], [0, 3, 1], 'append'],
  ['a gap is out of order', [[0, 0, 3]], [0, 4, 1], OUT_OF_ORDER_SEQUENCE_NUMBER],
  ['a far gap is out of order', [[0, 0, 3]], [0, 2 ** 30 + 7, 1], OUT_OF_ORDER_SEQUENCE_NUMBER],
  ['the same batch again is a duplicate of it', [[0, 0, 3]], [0, 0, 3], 0n],
  [
    'the middle of three again is a duplicate of it',
    [
      [0, 0, 3],
      [0, 3, 2],
      [0, 5, 1],
    ],
    [0, 3, 2],
    3n,
  ],
  ['the fifth batch back is still recognised', six, [0, 10, 10], 10n],
  ['the sixth batch back is an old duplicate', six, [0, 0, 10], DUPLICATE_SEQUENCE_NUMBER],
  ['part of the sixth batch back is an old duplicate', six, [0, 2, 3], DUPLICATE_SEQUENCE_NUMBER],
  ['half forgotten, half remembered is out of order', six, [0, 5, 10], OUT_OF_ORDER_SEQUENCE_NUMBER],
  ['a batch cut otherwise than before is out of order', [[0, 0, 4]], [0, 0, 2], OUT_OF_ORDER_SEQUENCE_NUMBER],
  ['a batch that overlaps the end is out of order', [[0, 0, 4]], [0, 2, 4], OUT_OF_ORDER_SEQUENCE_NUMBER],
  [
    'what came before the first batch ever seen is no duplicate',
    [[0, 10, 5]],
    [0, 0, 10],
    OUT_OF_ORDER_SEQUENCE_NUMBER,
  ],
  ['an older epoch is fenced', [[2, 0, 3]], [1, 3, 1], INVALID_PRODUCER_EPOCH],
  [
    'a duplicate of an older epoch is fenced',
    [
      [1, 0, 3],
      [2, 0, 1],
    ],
    [1, 0, 3],
    INVALID_PRODUCER_EPOCH,
  ],
  ['a newer epoch starts at 0', [[0, 0, 3]], [1, 0, 1], 'append'],
  [
    'a newer epoch that starts elsewhere is out of order',
    [[0, 0, 3]],
    [1, 3, 1],
    OUT_OF_ORDER_SEQUENCE_NUMBER,
  ],
  [
    'a newer epoch has no duplicates of the older',
    [
      [0, 0, 3],
      [1, 0, 1],
    ],
    [1, 0, 3],
    OUT_OF_ORDER_SEQUENCE_NUMBER,
  ],
  ['after 2147483647 comes 0', [[0, LAST - 1, 2]], [0, 0, 1], 'append'],
  ['a batch may run over the wrap', [[0, LAST - 3, 2]], [0, LAST - 1, 5], 'append'],
  ['a batch that ran over the wrap is recognised', [[0, LAST - 1, 5]], [0, LAST - 1, 5], 0n],
  ['after a batch over the wrap comes its end', [[0, LAST - 1, 5]], [0, 3, 1], 'append'],
  ['a gap at the wrap is out of order', [[0, LAST - 1, 2]], [0, 1, 1], OUT_OF_ORDER_SEQUENCE_NUMBER],
]

for (const [name, history, next, outcome] of table) {
  test(name, () => {
    const states = new ProducerStates()
    let offset = 0
    for (const step of history) {
      assert.equal(judge(states, step), 'append', `history ${step}`)
      states.appended(headerOf(step), offset, -1)
      offset += step[2]
    }
    assert.equal(judge(states, next), outcome)
  })
}

test('producers do not know of each other', () => {
  const states = new ProducerStates()
  states.appended(headerOf([4, 0, 3]), 0, -1)
  const other = encodeBatch(numbered(1), { producerId: 8n, producerEpoch: 0, baseSequence: 9 })
  assert.equal(states.check(readBatchHeader(other)), null)
})
