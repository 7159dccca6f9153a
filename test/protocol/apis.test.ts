import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProtocolError } from '../../dist/errors/index.js'
import { apis, apisByKey } from '../../dist/protocol/apis.js'
import { everyMessage } from './every-message.js'
import { randomOf, withPlainBytes } from './schema-codec.js'

const BODIES = 12

describe('every API', () => {
  it('is listed by ascending key and found by it', () => {
    const keys = apis.map(api => api.key)
    assert.deepEqual(keys, [0, 1, 2, 3, 10, 17, 18, 19, 22, 24, 25, 26, 28, 36, 65, 71, 72])
    for (const api of apis) assert.equal(apisByKey.get(api.key), api)
  })

  it('has the versions of Kafka 4.3', () => {
    const versions = apis.map(api => `${api.name} ${api.minVersion}-${api.maxVersion} ${api.flexibleFrom}`)
    assert.deepEqual(versions, [
      'Produce 3-13 9',
      'Fetch 4-18 12',
      'ListOffsets 1-11 6',
      'Metadata 0-13 9',
      'FindCoordinator 0-6 3',
      'SaslHandshake 0-1 Infinity',
      'ApiVersions 0-4 3',
      'CreateTopics 2-7 5',
      'InitProducerId 0-6 2',
      'AddPartitionsToTxn 0-5 3',
      'AddOffsetsToTxn 0-4 3',
      'EndTxn 0-5 3',
      'TxnOffsetCommit 0-5 3',
      'SaslAuthenticate 0-2 2',
      'DescribeTransactions 0-0 0',
      'GetTelemetrySubscriptions 0-0 0',
      'PushTelemetry 0-0 0',
    ])
  })

  it('writes every message of every version as its definition says', () => {
    const random = randomOf(1)
    for (const message of everyMessage) {
      for (let i = 0; i < BODIES; i++) {
        const body = message.random(random)
        const written = Buffer.from(message.write(message.codecBody(body)))
        assert.equal(written.toString('hex'), message.bytes(body).toString('hex'), message.title)
      }
    }
  })

  it('reads every message of every version, with defaults for what the version does not carry', () => {
    const random = randomOf(2)
    for (const message of everyMessage) {
      for (let i = 0; i < BODIES; i++) {
        const body = message.random(random)
        const read = message.read(message.bytes(body))
        assert.deepEqual(withPlainBytes(read.body), message.codecBody(body), message.title)
        assert.equal(read.remaining, 0, message.title)
      }
    }
  })

  it('takes arrays of elements as small as they can be, each of every message', () => {
    let arrays = 0
    for (const message of everyMessage) {
      for (const body of message.smallest(200)) {
        const read = message.read(message.bytes(body))
        assert.deepEqual(withPlainBytes(read.body), message.codecBody(body), message.title)
        arrays++
      }
    }
    assert.ok(arrays > everyMessage.length, `only ${arrays} arrays`)
  })

  it('passes over tagged fields it does not know, in every struct', () => {
    const random = randomOf(3)
    for (const message of everyMessage.filter(each => each.flexible)) {
      for (const unknownTag of [7, 5000]) {
        const body = message.random(random)
        const read = message.read(message.bytes(body, { unknownTag }))
        assert.deepEqual(withPlainBytes(read.body), message.codecBody(body), message.title)
        assert.equal(read.remaining, 0, message.title)
      }
    }
  })

  it('refuses a message cut at any byte', () => {
    const random = randomOf(4)
    for (const message of everyMessage) {
      const whole = message.bytes(message.random(random))
      for (let length = 0; length < whole.length; length++) {
        assert.throws(
          () => message.read(whole.subarray(0, length)),
          ProtocolError,
          `${message.title}, ${length}`,
        )
      }
    }
  })

  it('refuses lengths and counts that are larger than the frame or negative, each of every message', () => {
    const random = randomOf(5)
    for (const message of everyMessage) {
      const body = message.random(random)
      const lengths = message.lengths(body)
      for (let lengthIndex = 0; lengthIndex < lengths; lengthIndex++) {
        for (const lengthValue of message.flexible ? [0x7fffffff, 0xfffffffe] : [0x7fffffff, -2]) {
          const bytes = message.bytes(body, { lengthIndex, lengthValue })
          assert.throws(() => message.read(bytes), ProtocolError, `${message.title}, length ${lengthIndex}`)
        }
      }
    }
  })
})
