import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { chartFile, chartKind } from '../../../dist/cli/perf/chart.js'
import { metricLines } from '../../../dist/cli/perf/metrics.js'
import { SplittableRandom } from '../../../dist/cli/perf/splittable-random.js'
import { intervalLine, Stats, type Summary, totalLine } from '../../../dist/cli/perf/stats.js'
import { Timeline } from '../../../dist/cli/perf/timeline.js'

describe("Java's SplittableRandom with seed 0", () => {
  test('gives the letters and numbers that Java 17 gives', () => {
    const letters = new SplittableRandom(100_000)
    assert.equal(letters.letters(70_000, 40).toString(), 'YQHHNEBSEPDNSEIFGAMSUJXKOLTXSPLGHDIOYZJF')
    const random = new SplittableRandom(0)
    const drawn = Array.from({ length: 8 }, () => [3, 8, 2_000_000_000].map(bound => random.nextInt(bound)))
    assert.deepEqual(drawn, [
      [1, 1, 1297781037],
      [0, 2, 751831786],
      [2, 1, 1311816718],
      [0, 7, 1094833259],
      [2, 5, 1833276700],
      [2, 4, 437506862],
      [2, 5, 1873697924],
      [2, 7, 1477468834],
    ])
  })

  test('never leaves the bound', () => {
    const random = new SplittableRandom(0)
    const seen = new Set(Array.from({ length: 10_000 }, () => random.nextInt(26)))
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      Array.from({ length: 26 }, (_, index) => index),
    )
  })
})

describe('the figures', () => {
  test('are those of the records, by interval and in all', () => {
    let now = 0
    const intervals: [Summary, boolean][] = []
    const stats = new Stats({
      records: 4,
      reportingIntervalMs: 1_000,
      isSteadyState: false,
      onInterval: (summary, isFirst) => intervals.push([summary, isFirst]),
      now: () => now,
    })
    for (const [at, latency] of [
      [500, 10],
      [1_000, 30],
      [1_500, 20],
      [2_500, 40],
    ] as const) {
      now = at
      stats.record(latency, 1024 * 1024, now)
    }
    assert.deepEqual(intervals, [
      [{ records: 2, recordsPerSecond: 2, megabytesPerSecond: 2, averageMs: 20, maxMs: 30 }, true],
      [
        { records: 2, recordsPerSecond: 2 / 1.5, megabytesPerSecond: 2 / 1.5, averageMs: 30, maxMs: 40 },
        false,
      ],
    ])
    assert.equal(
      intervalLine(intervals[0]?.[0] as Summary),
      '2 records sent, 2.0 records/sec (2.00 MB/sec), 20.0 ms avg latency, 30.0 ms max latency.',
    )
    const total = stats.total()
    assert.deepEqual(
      [total.p50Ms, total.p95Ms, total.p99Ms, total.p999Ms],
      [30, 40, 40, 40],
      'the index is the share of the count, rounded down',
    )
    assert.equal(
      totalLine(total, true),
      '4 steady state records sent, 1.600000 records/sec (1.60 MB/sec), 25.00 ms avg latency, ' +
        '40.00 ms max latency, 30 ms 50th, 40 ms 95th, 40 ms 99th, 40 ms 99.9th.',
    )
  })

  test('keep at most 500,000 samples, of every n-th record', () => {
    const stats = new Stats({
      records: 1_500_000,
      reportingIntervalMs: 1e9,
      isSteadyState: false,
      onInterval: () => {},
      now: () => 1,
    })
    for (let index = 0; index < 1_500_000; index++) stats.record(index % 3 === 0 ? 5 : 1_000, 1, 1)
    assert.equal(stats.total().p999Ms, 5)
    assert.equal(stats.total().maxMs, 1_000)
  })

  test('of nothing are what Java prints', () => {
    const options = { reportingIntervalMs: 1, isSteadyState: false, onInterval: () => {} }
    const stats = new Stats({ records: 1, ...options, now: () => 5 })
    assert.match(totalLine(stats.total(), false), /^0 records sent, NaN records\/sec .* 0 ms 99\.9th\.$/)
  })
})

describe('the timeline', () => {
  test('counts what was acknowledged in each stretch, and lengthens them with the run', () => {
    const timeline = new Timeline()
    timeline.record(50, 1)
    timeline.record(60, 3)
    timeline.record(350, 7)
    const short = timeline.points()
    assert.deepEqual(
      short.map(({ recordsPerSecond, maxMs }) => [recordsPerSecond, maxMs]),
      [
        [20, 3],
        [0, null],
        [0, null],
        [20, 7],
      ],
    )
    for (let at = 0; at < 100_000; at += 10) timeline.record(at, 2)
    const long = timeline.points()
    assert.ok(long.length > 100 && long.length <= 240)
    const counted = long.slice(1, -1).map(({ recordsPerSecond }) => recordsPerSecond)
    assert.deepEqual(new Set(counted), new Set([100]))
    assert.ok((long[0]?.p99Ms ?? 0) <= 7)
  })
})

describe('the chart', () => {
  const points = [0, 1, 2, 3].map(index => ({
    seconds: index + 0.5,
    recordsPerSecond: index * 1_000,
    p50Ms: index === 1 ? null : 1.5,
    p99Ms: index === 1 ? null : 4,
    maxMs: index === 1 ? null : 9,
  }))
  const chart = { title: 'topic <a> & "b" \x1b', facts: [['Records', '4,000']] as [string, string][], points }

  test('has a line for each series, with gaps, and nothing that is not escaped', () => {
    const svg = chartFile('svg', chart)
    assert.match(svg, /^<svg xmlns=/)
    assert.match(svg, /topic &lt;a&gt; &amp; &quot;b&quot; \\u001b/)
    const paths = [...svg.matchAll(/<path d="(M[^"]*)" fill="none" stroke="(#[0-9a-f]+)"/g)].filter(
      ([, path]) => !/h28$/.test(path ?? ''),
    )
    assert.equal(paths.length, 4)
    assert.equal(paths[0]?.[1]?.match(/M/g)?.length, 1)
    assert.equal(paths[1]?.[1]?.match(/M/g)?.length, 2, 'a stretch without records is a gap')
    assert.doesNotMatch(svg, /NaN|Infinity|undefined/)
  })

  test('is a page with the figures in a table, or of nothing', () => {
    const html = chartFile('html', chart)
    assert.match(html, /<tr><th scope="row">Records<\/th><td>4,000<\/td><\/tr>/)
    assert.doesNotMatch(html.replace('http://www.w3.org/2000/svg', ''), /https?:|<script/)
    assert.doesNotMatch(chartFile('svg', { ...chart, points: [] }), /NaN|Infinity/)
  })

  test('is of the kind that its name says', () => {
    assert.equal(chartKind('a.SVG'), 'svg')
    assert.equal(chartKind('a.htm'), 'html')
    assert.throws(() => chartKind('a.png'), /must end in \.svg or \.html/)
  })
})

describe('the metrics', () => {
  test("are printed as Kafka's tools print them", () => {
    const metrics = [
      { name: 'b', group: 'producer-metrics', tags: { 'client-id': 'x' }, value: 1.5 },
      { name: 'version', group: 'app-info', tags: { 'client-id': 'x', n: '1' }, value: '4.3' },
    ]
    assert.deepEqual(metricLines(metrics), [
      '',
      'Metric Name                           Value',
      'app-info:version:{client-id=x, n=1} : 4.3',
      'producer-metrics:b:{client-id=x}    : 1.500',
    ])
  })
})
