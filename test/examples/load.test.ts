// The comparison that the tests of examples/ingestion rest on finds what is planted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare, type Sent } from './load.js'

const USERS = ['ada', 'bob']
const EVENTS = 5

const sent: Sent[] = USERS.flatMap((user, partition) =>
  Array.from({ length: EVENTS }, (_, sequence) => ({
    ...{ user, sequence, partition, offset: sequence },
    ...{ status: sequence === 3 ? 202 : 200, isAsync: sequence === 3 },
  })),
)

const storedAt = (user: string, sequence: number, partition: number, offset: number) => ({
  partition,
  offset,
  key: Buffer.from(user),
  value: Buffer.from(JSON.stringify({ id: `${user}:${sequence}`, user, data: { sequence } })),
})

const stored = () =>
  sent.map(({ user, sequence, partition = 0, offset = 0 }) => storedAt(user, sequence, partition, offset))

test('nothing is found where all is well, or where an event without a promise is missing', () => {
  assert.deepEqual(compare(sent, stored()), [])
  const refused: Sent = { user: 'ada', sequence: EVENTS, status: 503, isAsync: false }
  assert.deepEqual(compare([...sent, refused], stored()), [])
  assert.deepEqual(compare([...sent, refused], [...stored(), storedAt('ada', EVENTS, 0, EVENTS)]), [])
})

test('an event that is lost, doubled, out of order, elsewhere or under another key is found', () => {
  const without = (index: number) => stored().filter((_, i) => i !== index)
  assert.match(compare(sent, without(1)).join(), /ada:1 was answered 0@1 and is stored at undefined/)
  assert.match(compare(sent, without(3)).join(), /ada:3 was accepted and is not stored/)
  assert.match(compare(sent, [...stored(), storedAt('bob', 4, 1, 5)]).join(), /bob:4 is stored twice/)
  const [first, second, ...others] = stored()
  assert.ok(first && second)
  assert.match(compare(sent, [second, first, ...others]).join(), /ada:0 is stored after a later event/)
  assert.match(
    compare(sent, [storedAt('ada', 0, 1, 9), ...without(0)]).join(),
    /ada:0 was answered 0@0 and is/,
  )
  const misplaced = { ...storedAt('ada', 0, 0, 0), key: Buffer.from('bob') }
  assert.match(compare(sent, [misplaced, ...without(0)]).join(), /ada:0 is stored under another key/)
})
