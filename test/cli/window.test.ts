import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Failures } from '../../dist/cli/failures.js'
import type { RecordArray } from '../../dist/cli/records.js'
import { Totals } from '../../dist/cli/summary.js'
import { DeliveryWindow, type WindowOptions } from '../../dist/cli/window.js'
import { KafkaError, RecordTooLargeError, SendManyError, TimeoutError } from '../../dist/index.js'

type Report = Awaited<ReturnType<WindowOptions['sender']['sendMany']>>

/** A report that only its identity matters of. */
const fakeReport = (length: number) => ({ length }) as Report

function setUp(arrays: number) {
  const calls: { resolve: (report: Report) => void; reject: (error: Error) => void; length: number }[] = []
  const totals = new Totals()
  const reported: string[] = []
  const delivered: number[] = []
  const failures = new Failures('line', totals, text => reported.push(text))
  const window = new DeliveryWindow({
    sender: {
      sendMany: records =>
        new Promise((resolve, reject) => {
          calls.push({ resolve, reject, length: records.length })
        }),
    },
    totals,
    failures,
    arrays,
    onDelivered: array => delivered.push(array.firstNumber),
  })
  return { calls, totals, reported, delivered, window }
}

function arrayOf(firstNumber: number, length: number): RecordArray {
  const records = Array.from({ length }, () => ({ topic: 't', key: 'k', value: Buffer.from('123') }))
  return { records, numbers: null, firstNumber, bytes: length * 4 }
}

async function settledBy(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  promise.then(() => {
    settled = true
  })
  await nextTurn()
  return settled
}

describe('the delivery window', () => {
  test('holds back the next array until one of the open ones is settled', async () => {
    const { calls, window } = setUp(2)
    assert.equal(await settledBy(window.send(arrayOf(1, 10))), true)
    const second = window.send(arrayOf(11, 10))
    assert.equal(await settledBy(second), false)
    calls[0]?.resolve(fakeReport(10))
    assert.equal(await settledBy(second), true)
    const drained = window.drained()
    assert.equal(await settledBy(drained), false)
    calls[1]?.resolve(fakeReport(10))
    assert.equal(await settledBy(drained), true)
  })

  test('accounts for arrays in the order of sending, whatever settles first', async () => {
    const { calls, totals, delivered, window } = setUp(8)
    for (const first of [1, 11, 21]) await window.send(arrayOf(first, 10))
    calls[2]?.resolve(fakeReport(10))
    calls[1]?.resolve(fakeReport(10))
    await nextTurn()
    assert.deepEqual(delivered, [])
    calls[0]?.resolve(fakeReport(10))
    await window.drained()
    assert.deepEqual(delivered, [1, 11, 21])
    assert.equal(totals.delivered, 30)
    assert.equal(totals.deliveredBytes, 120)
  })

  test('counts the delivered records of an array that failed in part', async () => {
    const { calls, totals, reported, delivered, window } = setUp(8)
    await window.send(arrayOf(101, 4))
    const errors = new Map<number, KafkaError>([[2, new TimeoutError('too late')]])
    calls[0]?.reject(new SendManyError(fakeReport(4), errors))
    await window.drained()
    assert.deepEqual(reported, ['line 103: too late (TIMED_OUT)'])
    assert.equal(totals.delivered, 3)
    assert.equal(totals.deliveredBytes, 12)
    assert.equal(totals.failed, 1)
    assert.deepEqual(delivered, [101])
    assert.equal(window.hopeless, null)
  })

  test('gives up when all records of an array fail for a reason that is not theirs', async () => {
    const { calls, totals, reported, window } = setUp(8)
    await window.send(arrayOf(1, 3))
    const timeout = new TimeoutError('no metadata')
    calls[0]?.reject(new SendManyError(fakeReport(3), new Map([0, 1, 2].map(index => [index, timeout]))))
    await window.drained()
    assert.equal(window.hopeless, 'no metadata (TIMED_OUT)')
    assert.deepEqual(reported, ['lines 1-3: no metadata (TIMED_OUT)'])
    assert.equal(totals.failed, 3)
  })

  test('goes on when the records themselves are at fault', async () => {
    const { calls, totals, window } = setUp(8)
    await window.send(arrayOf(1, 1))
    calls[0]?.reject(new SendManyError(fakeReport(1), new Map([[0, new RecordTooLargeError('2 MB')]])))
    await window.drained()
    assert.equal(window.hopeless, null)
    assert.equal(totals.failed, 1)
  })

  test('an error of the call itself fails all its records', async () => {
    const { calls, totals, reported, window } = setUp(8)
    await window.send(arrayOf(5, 2))
    calls[0]?.reject(new KafkaError('PRODUCER_CLOSED', 'closed'))
    await window.drained()
    assert.equal(totals.failed, 2)
    assert.deepEqual(reported, ['lines 5-6: closed (PRODUCER_CLOSED)'])
    assert.equal(window.hopeless, 'closed (PRODUCER_CLOSED)')
  })
})
