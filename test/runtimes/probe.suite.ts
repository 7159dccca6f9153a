// A suite that misbehaves on request; run.test.ts checks with it that every runtime's runner notices.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'

const { MILLRACE_RUNTIME, PROBE, PROBE_RUNTIME } = process.env
const misbehaves = (how: string) => PROBE === how && (PROBE_RUNTIME ?? MILLRACE_RUNTIME) === MILLRACE_RUNTIME

let isPrepared = false
before(() => {
  isPrepared = true
})

test('hooks run before "tests" & <others>', () => {
  assert.ok(isPrepared)
})
test('what is skipped is not counted as passed', { skip: 'on purpose' }, () => {
  assert.fail()
})
if (misbehaves('fails')) {
  test('an assertion after an await fails', async () => {
    await null
    assert.equal(1, 2)
  })
}
if (misbehaves('rejects')) {
  test('a rejection that nobody handles', async () => {
    Promise.reject(new Error('unhandled'))
    await new Promise(resolve => setTimeout(resolve, 20))
  })
}
if (misbehaves('throws')) throw new Error('thrown while the suite is loaded')
if (!misbehaves('registers fewer')) test('the last test is registered', () => {})
