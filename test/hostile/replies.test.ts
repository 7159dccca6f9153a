import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CapturedReply, captureReplies, coverageOf } from './captured-replies.js'
import { ReplyDelivery } from './reply-delivery.js'
import { ReplyParsing } from './reply-parsing.js'

const SEED = Number(process.env.HOSTILE_SEED ?? 20_261_121)
let replies: CapturedReply[] = []

test('replies of every API a producer uses are captured, in all versions', async () => {
  replies = await captureReplies()
  const versions = (name: string) => [...(coverageOf(replies).get(name as never) ?? [])].sort((a, b) => a - b)
  assert.deepEqual(versions('Produce'), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  assert.deepEqual(versions('Metadata'), [4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  for (const name of [
    'ApiVersions',
    'InitProducerId',
    'FindCoordinator',
    'AddPartitionsToTxn',
    'AddOffsetsToTxn',
    'TxnOffsetCommit',
    'EndTxn',
    'SaslHandshake',
    'SaslAuthenticate',
  ]) {
    assert.ok(versions(name).length > 0, name)
  }
})

test('297,000 changed replies are read or refused as malformed, each in less than 50 ms', async () => {
  const { parsed, refused, longestMs } = await new ReplyParsing(SEED, replies).run(297_000)
  assert.ok(parsed > 20_000 && refused > 20_000, `${parsed} read, ${refused} refused`)
  assert.ok(longestMs <= 50, `${longestMs} ms`)
})

test('producers that get 3,000 changed replies settle all records and recover', async () => {
  const outcome = await ReplyDelivery.run(SEED, 3_000)
  const failed = [...outcome.failed.values()].reduce((sum, count) => sum + count, 0)
  assert.ok(outcome.mutated >= 3_000)
  assert.ok(outcome.stored + failed >= outcome.sent)
  assert.ok(
    outcome.stored > outcome.sent / 5,
    `only ${outcome.stored} of ${outcome.sent} records were stored`,
  )
  // A full garbage collection may be in the way of one or the other.
  assert.ok(outcome.over50Ms <= 2, `${outcome.longestMs} ms`)
})
