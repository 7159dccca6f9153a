import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventText, generateEvents, sequenceOf } from '../../dist/cli/generate.js'

test('events are JSON of some 100 to 150 bytes that carry their sequence number', () => {
  let bytes = 0
  for (let sequence = 0; sequence < 10_000; sequence++) {
    const text = eventText(sequence)
    assert.equal(JSON.parse(text).sequence, sequence)
    assert.ok(text.length > 90 && text.length < 160, text)
    bytes += text.length
  }
  const mean = bytes / 10_000
  assert.ok(mean > 100 && mean < 150, `${mean}`)
})

test('sequence numbers of any size are read back', () => {
  for (const sequence of [0, 9, 10, 999_999_999, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    assert.equal(sequenceOf(Buffer.from(eventText(sequence))), sequence)
  }
})

test('arrays hold all events in order, each with its user as the key', () => {
  let sequence = 0
  const lengths: number[] = []
  for (const { records, firstNumber, bytes } of generateEvents({ topic: 't', partition: 1 }, 2_500, 1_000)) {
    assert.equal(firstNumber, sequence)
    lengths.push(records.length)
    let size = 0
    for (const { topic, partition, key, value } of records) {
      assert.equal(topic, 't')
      assert.equal(partition, 1)
      const text = Buffer.from(value as Uint8Array).toString()
      assert.equal(text, eventText(sequence))
      assert.equal(Buffer.from(key as Uint8Array).toString(), JSON.parse(text).user)
      size += (key as Uint8Array).length + (value as Uint8Array).length
      sequence++
    }
    assert.equal(bytes, size)
  }
  assert.deepEqual(lengths, [1_000, 1_000, 500])
})

test('what is not an event has no sequence number', () => {
  for (const text of ['', '{"sequence":', '{"sequence":x', '{"sequence":,']) {
    assert.equal(sequenceOf(Buffer.from(text)), -1)
  }
})
