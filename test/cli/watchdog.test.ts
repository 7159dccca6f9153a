import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Watchdog } from '../../dist/cli/watchdog.js'

function setUp(options: { verbose?: boolean; silenceMs?: number } = {}) {
  const state = { isWaiting: true, answers: 0 }
  const notes: string[] = []
  const watchdog = new Watchdog({
    servers: 'a:1',
    isWaiting: () => state.isWaiting,
    answers: () => state.answers,
    note: text => notes.push(text),
    silenceMs: 30,
    ...options,
  })
  // It looks by itself, too; here only when it is told to.
  watchdog.stop()
  return { state, notes, watchdog }
}

describe('the watchdog', () => {
  test('says once that nothing answers, with the reason, and then that something does', async () => {
    const { state, notes, watchdog } = setUp()
    watchdog.look()
    watchdog.logger.debug('no metadata', { reason: 'refused' })
    assert.deepEqual(notes, [])
    await delay(40)
    watchdog.look()
    watchdog.look()
    assert.equal(watchdog.silent, true)
    assert.equal(notes.length, 1)
    assert.match(notes[0] ?? '', /^no answer from a:1 for 0\.\d s: refused; still trying$/)
    state.answers++
    watchdog.look()
    assert.equal(watchdog.silent, false)
    assert.match(notes[1] ?? '', /^answered again after \d\.\d s$/)
  })

  test('is quiet while nothing is waited for, and while answers come', async () => {
    const { state, notes, watchdog } = setUp()
    state.isWaiting = false
    await delay(40)
    watchdog.look()
    state.isWaiting = true
    for (let count = 0; count < 4; count++) {
      await delay(15)
      state.answers++
      watchdog.look()
    }
    assert.deepEqual(notes, [])
  })

  test('passes on each warning of the producer once until there is an answer', () => {
    const { state, notes, watchdog } = setUp({ silenceMs: 1e9 })
    const { logger } = watchdog
    logger.warn('failed', { failures: 1 })
    logger.warn('failed', { failures: 2 })
    logger.error('other')
    logger.info('not shown')
    state.answers++
    watchdog.look()
    logger.warn('failed')
    assert.deepEqual(notes, ['warn: failed', 'error: other', 'warn: failed'])
  })

  test('passes on everything if asked to', () => {
    const { notes, watchdog } = setUp({ verbose: true })
    watchdog.logger.debug('x', { offset: 1n, error: new Error('why') })
    assert.deepEqual(notes, ['debug: x {"offset":"1","error":"why"}'])
  })
})
