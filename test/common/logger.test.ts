import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harmless, type Logger } from '../../dist/common/logger.js'
import { Producer } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'

const throwing: Logger = {
  debug: () => assert.fail('debug'),
  info: () => assert.fail('info'),
  warn: () => assert.fail('warn'),
  error: () => assert.fail('error'),
}

test('a logger gets what it is told as it is told, on the object it is a method of', () => {
  class Recorder {
    readonly lines: unknown[][] = []
    debug(...line: unknown[]) {
      this.lines.push(line)
    }
    info(...line: unknown[]) {
      this.lines.push(line)
    }
    warn(...line: unknown[]) {
      this.lines.push(line)
    }
    error(...line: unknown[]) {
      this.lines.push(line)
    }
  }
  const recorder = new Recorder()
  const logger = harmless(recorder)
  const details = { reason: 'none' }
  logger.debug('a')
  logger.info('b', details)
  logger.warn('c')
  logger.error('d', details)
  assert.deepEqual(recorder.lines, [['a'], ['b', details], ['c'], ['d', details]])
})

test('a logger that throws stops nobody', () => {
  const logger = harmless(throwing)
  logger.debug('a')
  logger.info('b')
  logger.warn('c')
  logger.error('d')
})

test('callbacks that throw into a logger that throws are all called', async () => {
  await using broker = await startBroker({ quiet: true })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, logger: throwing })
  let called = 0
  for (let i = 0; i < 10; i++) {
    producer.send({ topic: 't', value: 'v' }, () => {
      called++
      throw new Error('callback')
    })
  }
  await producer.flush()
  assert.equal(called, 10)
})
