// Small forms of the lanes in which a cluster changes, as services send.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kafkaSkip } from '../dist-test/kafka/java.js'
import { KafkaGround } from './kafka-ground.js'
import { cutOff, REPLICA_LAG_MS } from './lanes/cut-off.js'
import { fullDisk } from './lanes/full-disk.js'
import type { LaneOptions } from './lanes/lane.js'
import { rights } from './lanes/rights.js'
import { topics } from './lanes/topics.js'
import { upgrade } from './lanes/upgrade.js'
import { describeResult, type LaneResult } from './result.js'
import { smallDisksSkip } from './small-disks.js'

const DISK_MIB = 256

const options: LaneOptions = {
  client: 'millrace',
  seed: 20261130,
  isSmall: true,
  isSerial: false,
  isService: true,
  records: 30_000,
  seconds: undefined,
  faults: undefined,
  recordsPerSecond: 5_000,
  say: line => console.log(line),
}

function assertPassed(result: LaneResult): void {
  assert.ok(result.ok, describeResult(result))
  console.log(describeResult(result))
}

/** Without the right to mount one the disk cannot be small; with CI=true that is a failure. */
function diskSkip(): string | false {
  const missing = smallDisksSkip()
  if (missing && process.env.CI === 'true')
    throw new Error(`${missing}, and with CI=true nothing may be skipped`)
  return missing
}

describe('three nodes that change under load', { skip: kafkaSkip(), timeout: 600_000 }, () => {
  let ground: KafkaGround

  before(async () => {
    ground = await KafkaGround.start({
      isSecured: true,
      hasPeerProxies: true,
      properties: { 'replica.lag.time.max.ms': REPLICA_LAG_MS },
      ...(diskSkip() ? {} : { diskMib: DISK_MIB }),
    })
  })
  after(() => ground?.[Symbol.asyncDispose]())

  test('a topic that is deleted and made again, and one that grows: what is there is there once, in order', async () => {
    assertPassed(await topics({ ...options, faults: 1 }, ground))
  })

  test('rights and credentials taken and given back: refused is not stored, and what is allowed goes on', async () => {
    assertPassed(await rights(options, ground))
  })

  test('a broker that only its peers cannot reach: each record stored once and in order', async () => {
    assertPassed(await cutOff(options, ground))
  })

  test('a disk that is full: each record stored once and in order', { skip: diskSkip() }, async () => {
    assertPassed(await fullDisk(options, ground))
  })
})

describe('an upgrade', { skip: kafkaSkip(), timeout: 600_000 }, () => {
  test('of three nodes from 3.9, one after the other: each record stored once and in order', async () => {
    assertPassed(await upgrade(options))
  })
})
