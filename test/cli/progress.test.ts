import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Failures } from '../../dist/cli/failures.js'
import { Histogram } from '../../dist/cli/histogram.js'
import { Progress, type ProgressStream } from '../../dist/cli/progress.js'
import { formatCount, formatDuration, formatMegabytes, summaryLines, Totals } from '../../dist/cli/summary.js'

function screen(terminal: boolean, columns = 120): ProgressStream & { text: string } {
  return {
    text: '',
    isTTY: terminal,
    columns,
    write(text: string) {
      this.text += text
    },
  }
}

function totals(delivered: number, failed = 0): Totals {
  const result = new Totals()
  result.delivered = delivered
  result.failed = failed
  result.deliveredBytes = delivered * 100
  return result
}

describe('progress', () => {
  test('is plain lines where there is no terminal', async () => {
    const stream = screen(false)
    let now = 0
    const progress = new Progress({
      stream,
      totals: totals(250_000),
      share: () => 0.25,
      now: () => now,
      lineIntervalMs: 10,
    })
    now = 2_000
    while (stream.text === '') await delay(5)
    progress.stop()
    const [line] = stream.text.split('\n')
    assert.equal(line, ' 25%  250,000 records  25.0 MB  125,000 records/s  ETA 6 s')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    assert.doesNotMatch(stream.text, /[\r\x1b]/)
    const { length } = stream.text
    await delay(40)
    assert.equal(stream.text.length, length, 'nothing after the stop')
  })

  test('is a bar that is drawn over on a terminal', () => {
    const stream = screen(true)
    let now = 0
    const progress = new Progress({ stream, totals: totals(500, 2), share: () => 0.5, now: () => now })
    now = 1_000
    progress.draw()
    const bar = `[${'='.repeat(12)}${' '.repeat(12)}]   50%  500 records  0.050 MB  500 records/s  2 failed  ETA 1 s`
    assert.equal(stream.text, `\r\x1b[2K${bar}`)
    progress.note('line 3: not JSON')
    assert.ok(stream.text.endsWith('\r\x1b[2Kline 3: not JSON\n'))
    progress.stop()
    assert.ok(stream.text.endsWith(`\r\x1b[2K${bar}\n`))
  })

  test('never fills the last column of a terminal', () => {
    const stream = screen(true, 40)
    const progress = new Progress({ stream, totals: totals(1_000_000), share: () => 0.5, now: () => 0 })
    progress.draw()
    assert.equal(stream.text.length, '\r\x1b[2K'.length + 39)
    progress.stop()
  })

  test('fits 80 columns whatever there is to be shown, on a terminal and elsewhere', () => {
    const details = ['draining, 30 s left', 'p50 1,234.5 p99 12,345.6 ms']
    for (const terminal of [true, false]) {
      for (const columns of [80, 0, 20, 41]) {
        for (let digits = 0; digits < 15; digits++) {
          const count = 7 * 10 ** digits
          for (const share of [null, 0, 0.123, 1]) {
            const stream = screen(terminal, columns)
            const options = { stream, totals: totals(count, count), share: () => share, now: () => 0 }
            const progress = new Progress({ ...options, details: () => details })
            progress.draw()
            const shown = stream.text.replace('\r\x1b[2K', '').replace('\n', '')
            assert.ok(shown.length < (terminal && columns > 0 ? columns : 81), `${columns}: ${shown}`)
            assert.match(shown, columns === 80 ? /records {2}.*failed/ : /\d/)
            progress.stop()
          }
        }
      }
    }
  })

  test('makes way for the output of others', () => {
    const stream = screen(true)
    const progress = new Progress({ stream, totals: totals(1), share: () => null, now: () => 0 })
    progress.clear()
    assert.equal(stream.text, '', 'nothing is cleared that was not drawn')
    progress.draw()
    progress.clear()
    assert.ok(stream.text.endsWith('\r\x1b[2K'))
    progress.stop()
  })

  test('has neither percentage nor end where the whole is not known', () => {
    const stream = screen(false)
    let now = 0
    const progress = new Progress({ stream, totals: totals(10), share: () => null, now: () => now })
    now = 1_000
    progress.draw()
    progress.stop()
    assert.equal(stream.text, '10 records  0.001 MB  10 records/s\n')
  })
})

describe('failures', () => {
  test('records with the same message are reported together, by ranges of their numbers', () => {
    const reported: string[] = []
    const counted = totals(0)
    const failures = new Failures('line', counted, text => reported.push(text))
    failures.add([1, 2, 3, 5, 7, 8], 'timed out')
    failures.add([6], 'not JSON')
    failures.add([], 'nothing')
    assert.deepEqual(reported, ['lines 1-3, 5, 7-8: timed out', 'line 6: not JSON'])
    assert.equal(counted.failed, 7)
  })
})

describe('summary', () => {
  test('says records, size, rate, latency and errors', () => {
    const counted = totals(2_000_000, 3)
    counted.latency.add(5, 1_990_000)
    counted.latency.add(80, 10_001)
    assert.deepEqual(summaryLines(counted, 2.5), [
      'records    2,000,000 delivered',
      'size       200.0 MB of keys and values',
      'time       2.50 s',
      'rate       800,000 records/s, 80.0 MB/s',
      'latency    p50 5.09 ms, p99 5.09 ms',
      'errors     3',
    ])
  })

  test('has no latency where nothing was delivered', () => {
    assert.ok(summaryLines(totals(0), 0).includes('latency    p50 - ms, p99 - ms'))
  })

  test('numbers are made readable', () => {
    assert.equal(formatCount(1234567.4), '1,234,567')
    assert.equal(formatMegabytes(0), '0.0 MB')
    assert.equal(formatMegabytes(12_345), '0.012 MB')
    assert.equal(formatMegabytes(1_234_567_890), '1,234.6 MB')
    assert.deepEqual([0.4, 59.6, 200, 7_500].map(formatDuration), [
      '0 s',
      '1 min 0 s',
      '3 min 20 s',
      '2 h 5 min',
    ])
  })

  test('quantiles are at most a thirty-second too high', () => {
    const histogram = new Histogram()
    const values = Array.from({ length: 10_000 }, (_, index) => 0.01 * 1.0012 ** index)
    for (const value of values) histogram.add(value)
    for (const share of [0.01, 0.5, 0.9, 0.99, 1]) {
      const exact = values[Math.ceil(share * values.length) - 1] as number
      const quantile = histogram.quantile(share) as number
      assert.ok(quantile >= exact * 0.9999 && quantile <= exact * 1.032, `${share}: ${quantile} for ${exact}`)
    }
  })

  test('quantiles take any latency, weighted by its count', () => {
    const histogram = new Histogram()
    assert.equal(histogram.quantile(0.5), null)
    histogram.add(0, 99)
    histogram.add(1e12, 1)
    assert.equal(histogram.quantile(0.5), 0.001)
    assert.ok((histogram.quantile(1) as number) > 3_600_000)
  })
})
