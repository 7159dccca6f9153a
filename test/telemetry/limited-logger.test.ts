import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { pino } from 'pino'
import { createLogger, format, transports } from 'winston'
import { harmless, type Logger } from '../../dist/common/logger.js'
import { NetworkError } from '../../dist/errors/index.js'
import { limitedLogger } from '../../dist/telemetry/limited-logger.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { batchOf, newTelemetry } from './support.js'

type Line = [level: string, message: string, details?: object]

function recording(): { lines: Line[]; logger: Logger } {
  const lines: Line[] = []
  const of =
    (level: string) =>
    (...said: unknown[]) =>
      lines.push([level, ...said] as Line)
  return { lines, logger: { debug: of('debug'), info: of('info'), warn: of('warn'), error: of('error') } }
}

/** What a logger of the application writes, line by line. */
function output(): { stream: Writable; lines: () => Record<string, unknown>[] } {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  return {
    stream,
    lines: () =>
      text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
  }
}

describe('a limited logger', () => {
  test('writes lines alike once in ten seconds, and says how many it has left out', () => {
    const clock = new FakeClock()
    const { lines, logger } = recording()
    const limited = limitedLogger(logger, clock)
    for (let attempt = 1; attempt <= 50; attempt++) limited.warn(`attempt ${attempt} failed`, { attempt })
    clock.advance(10_000)
    limited.warn('attempt 51 failed', { attempt: 51 })
    assert.deepEqual(lines, [
      ['warn', 'attempt 1 failed', { attempt: 1 }],
      ['warn', 'attempt 51 failed', { attempt: 51, suppressed: 49 }],
    ])
  })

  test('keeps levels, brokers and texts apart, and never holds back what is for debugging', () => {
    const { lines, logger } = recording()
    const limited = limitedLogger(logger, new FakeClock())
    limited.warn('lost', { broker: 'a:1' })
    limited.warn('lost', { broker: 'b:1' })
    limited.error('lost', { broker: 'a:1' })
    limited.warn('found', { broker: 'a:1' })
    limited.debug('same')
    limited.debug('same')
    limited.info('no details')
    assert.equal(lines.length, 7)
    assert.deepEqual(lines.at(-1), ['info', 'no details'])
  })

  test('forgets the oldest of very many kinds', () => {
    const { lines, logger } = recording()
    const limited = limitedLogger(logger, new FakeClock())
    for (let kind = 0; kind < 2000; kind++) limited.warn('lost', { broker: `broker-${'x'.repeat(kind)}` })
    assert.equal(lines.length, 2000)
    limited.warn('lost', { broker: 'broker-' })
    assert.equal(lines.length, 2001)
  })
})

describe('retries that last', () => {
  test('are said once, with the reason, and so is their end', async () => {
    const clock = new FakeClock({ startMs: 0 })
    const { lines, logger } = recording()
    const telemetry = newTelemetry(clock, { logger })
    const error = new NetworkError('The connection to broker a:1 was closed')
    telemetry.batchRetried(batchOf(), 1, error, 100)
    assert.equal(lines.length, 0)
    clock.advance(5000)
    for (let attempts = 1; attempts < 9; attempts++)
      telemetry.batchRetried(batchOf({ attempts }), 1, error, 100)
    assert.equal(lines.length, 1)
    const [[level, message, details]] = lines as [Line]
    assert.equal(level, 'warn')
    assert.match(message, /orders-0/)
    const place = { topic: 'orders', partition: 0, records: 10 }
    assert.deepEqual(details, { ...place, attempts: 2, reason: error.message })
    telemetry.batchAcknowledged(batchOf(), 1)
    telemetry.batchAcknowledged(batchOf(), 1)
    assert.deepEqual(
      lines.map(([level]) => level),
      ['warn', 'info'],
    )
  })
})

describe('the loggers that applications have', () => {
  const details = { broker: 'a:1', failures: 3 }

  test('pino gets the details, which it takes before the message', () => {
    const { stream, lines } = output()
    const logger = harmless(pino({ level: 'debug' }, stream) as unknown as Logger)
    logger.warn('lost', details)
    logger.info('found')
    const [first, second] = lines()
    assert.equal(first?.msg, 'lost')
    assert.equal(first?.broker, 'a:1')
    assert.equal(first?.failures, 3)
    assert.equal(second?.msg, 'found')
  })

  test('winston gets them after the message', () => {
    const { stream, lines } = output()
    const transport = new transports.Stream({ stream })
    const logger = harmless(createLogger({ level: 'debug', format: format.json(), transports: [transport] }))
    logger.warn('lost', details)
    const [line] = lines()
    assert.deepEqual(line, { level: 'warn', message: 'lost', ...details })
  })
})
