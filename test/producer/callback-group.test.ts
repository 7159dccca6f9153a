// Callbacks of records that fail before they are in a batch.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../dist/common/clock.js'
import { KafkaError } from '../../dist/errors/index.js'
import { CallbackDelivery, FailedCallbacks } from '../../dist/producer/send/callback-delivery.js'
import { RecordingLogger } from '../helpers/cluster-options.js'

const ERROR = new KafkaError('TIMED_OUT', 'late')
const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))

const newFailed = () => new FailedCallbacks(systemClock, new RecordingLogger())

test('failed records are called back on a later turn in order, and what fails meanwhile on the one after', async () => {
  const calls: string[] = []
  const failed = newFailed()
  const fail = (name: string, then = () => {}) => {
    const callback = (
      error: KafkaError | null,
      { topic, partition, offset }: { topic: string; partition: number; offset: bigint },
    ) => {
      calls.push(`${name} ${error?.code} ${topic} ${partition} ${offset}`)
      then()
    }
    new CallbackDelivery(callback, failed).fail(ERROR, 0, 't', 4)
  }
  fail('a', () => fail('c'))
  fail('b')
  assert.deepEqual(calls, [])
  await nextTurn()
  assert.deepEqual(calls, ['a TIMED_OUT t 4 -1', 'b TIMED_OUT t 4 -1'])
  await nextTurn()
  assert.equal(calls[2], 'c TIMED_OUT t 4 -1')
})

test('a callback that throws keeps no other from being called', async () => {
  const calls: string[] = []
  const failed = newFailed()
  const delivery = (name: string) =>
    new CallbackDelivery(() => {
      calls.push(name)
      throw new Error(name)
    }, failed)
  for (const each of [delivery('a'), delivery('b'), delivery('c')]) each.fail(ERROR, 0, 't', -1)
  await nextTurn()
  assert.deepEqual(calls, ['a', 'b', 'c'])
})
