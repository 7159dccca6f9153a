// What clients write that is not by the book, and Kafka takes; test/kafka/rig.test.ts compares with a real one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { Produce } from '../../dist/protocol/produce.js'
import { startBroker } from '../../dist/testing/index.js'
import { refused, taken } from './odd-batches.js'
import { encodeBatch, numbered, produceRequest, quietBroker, RawClient, valuesOf } from './support.js'

for (const [name, batch] of taken) {
  test(`a batch with ${name} is taken and told of, or refused where the broker is strict`, async () => {
    const lines: string[] = []
    await using broker = await startBroker({ log: line => lines.push(line) })
    broker.createTopic('t')
    using client = await RawClient.connect(broker)
    for (let i = 0; i < 2; i++) {
      const { errorCode, baseOffset } = await client.produce('t', 0, Buffer.from(batch))
      // The second of an idempotent producer is a duplicate of the first.
      assert.deepEqual([errorCode, baseOffset <= BigInt(i)], [ErrorCodes.NONE, true])
    }
    const { baseOffset } = await client.produce('t', 0, encodeBatch(numbered(1, 7)))
    const records = [...broker.records('t')]
    assert.deepEqual(
      records.map(({ offset }) => offset),
      records.map((_, i) => BigInt(i)),
    )
    assert.equal(baseOffset, BigInt(records.length - 1))
    assert.equal(valuesOf(broker, 't').at(-1), '7')

    await using strict = await quietBroker({ verify: 'strict' })
    strict.createTopic('t')
    using other = await RawClient.connect(strict)
    const { errorCode, errorMessage } = await other.produce('t', 0, Buffer.from(batch))
    assert.equal(errorCode, ErrorCodes.INVALID_RECORD)
    assert.ok(errorMessage)
    const told = lines.filter(line => line.includes('its batches are odd and taken'))
    // What follows a batch is dropped and not looked at.
    assert.equal(told.length, name.endsWith('after it') ? 0 : 1, lines.join('\n'))
  })
}

test('a batch that is refused is told of once, with the reason', async () => {
  const lines: string[] = []
  await using broker = await startBroker({ log: line => lines.push(line) })
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  for (const [name, batch, errorCode] of refused) {
    const response = await client.produce('t', 0, Buffer.from(batch), 7)
    assert.equal(response.errorCode, errorCode, name)
  }
  const told = lines.filter(line => line.includes('a batch for t-0 is refused'))
  assert.match(told[0] ?? '', /INVALID_RECORD, 0 bytes are less than the 61 of an empty batch$/)
  assert.equal(new Set(told.map(line => line.replace(/.*refused/, ''))).size, told.length)
  assert.deepEqual(valuesOf(broker, 't'), [])
})

test('a Produce with acks 0 that fails ends the connection, with the reason in the log', async () => {
  const lines: string[] = []
  await using broker = await startBroker({ autoCreateTopics: false, log: line => lines.push(line) })
  using client = await RawClient.connect(broker)
  client.send(Produce, 9, produceRequest('nowhere', 3, encodeBatch(numbered(1)), 0))
  await client.end()
  assert.match(
    lines[1] ?? '',
    /of client "raw": Produce with acks 0 failed, nowhere-3: UNKNOWN_TOPIC_OR_PARTITION$/,
  )
})

test('what goes wrong again and again is not told without end', async () => {
  const lines: string[] = []
  await using broker = await startBroker({ log: line => lines.push(line) })
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  for (let i = 0; i < 300; i++) {
    await client.produce('t', 0, encodeBatch(numbered(1), { recordCount: -i }))
  }
  assert.ok(lines.length > 50 && lines.length <= 101, `${lines.length} lines`)
})
