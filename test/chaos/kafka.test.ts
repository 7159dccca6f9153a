import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kafkaSkip } from '../kafka/java.js'
import { KafkaGround } from './kafka-ground.js'
import { cuts } from './lanes/cuts.js'
import { kills } from './lanes/kills.js'
import type { LaneOptions } from './lanes/lane.js'
import { describeResult, type LaneResult } from './result.js'

const options: LaneOptions = {
  client: 'millrace',
  seed: 20261121,
  isSmall: true,
  isSerial: false,
  records: undefined,
  seconds: undefined,
  faults: undefined,
  recordsPerSecond: undefined,
  say: line => console.log(line),
}

describe('three nodes of a real Kafka', { skip: kafkaSkip(), timeout: 300_000 }, () => {
  let ground: KafkaGround

  const assertPassed = (result: LaneResult) => {
    assert.ok(result.ok, describeResult(result))
    console.log(describeResult(result))
  }

  before(async () => {
    ground = await KafkaGround.start()
  })
  after(() => ground?.[Symbol.asyncDispose]())

  test('a million records over three kills of the leader: each stored once and in order', async () => {
    assertPassed(await kills(options, ground))
  })

  test('two hundred connections cut at random bytes: each record stored once and in order', async () => {
    assertPassed(await cuts(options, ground))
  })
})
