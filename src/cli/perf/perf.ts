import { writeFileSync } from 'node:fs'
import { Producer } from '../../index.js'
import { PERF_HELP } from '../help.js'
import { Histogram } from '../histogram.js'
import { Drain, Interruption } from '../interrupt.js'
import { Output } from '../output.js'
import { jsonLine } from '../printable.js'
import { Progress } from '../progress.js'
import { formatCount, Totals } from '../summary.js'
import { Watchdog } from '../watchdog.js'
import { chartFile, chartKind } from './chart.js'
import { metricLines } from './metrics.js'
import { type PerfPlan, planPerf } from './options.js'
import { Sending } from './sending.js'
import { intervalLine, Stats, type Summary, type Total, totalLine } from './stats.js'
import { Timeline } from './timeline.js'

const RECENT_MS = 1_000
/** So many failures before the first success are enough. */
const FAILURES_MAX = 1_000

/** Errors that all records have in common. */
function isAboutCluster(code: string | undefined): boolean {
  return ['TIMED_OUT', 'AUTHENTICATION_FAILED', 'AUTHORIZATION_FAILED', 'PRODUCER_FENCED'].includes(
    code ?? '',
  )
}

/** `millrace perf`: measures producing, and answers the exit code: 0 only if all records were delivered. */
export async function perf(args: readonly string[]): Promise<number> {
  if (args.length === 0) {
    process.stdout.write(PERF_HELP)
    return 0
  }
  const plan = planPerf(args)
  const output = new Output()
  for (const notice of plan.notices) output.note(notice)
  for (const line of plan.announcements) plan.json ? output.note(line) : output.print(line)
  return await new Run(plan, output).execute()
}

/** One run of the command. */
class Run {
  readonly #plan: PerfPlan
  readonly #output: Output
  readonly #totals = new Totals()
  readonly #timeline: Timeline | null
  readonly #failures = new Map<string, number>()
  /** Null until the first record that is sent in the steady state. */
  #steady: Stats | null = null
  #all!: Stats
  #sending: Sending | undefined
  #watchdog!: Watchdog
  #drain: Drain | null = null
  #gaveUp = false
  #startedAt = 0
  /** Of the last full second and of the one now, for the terminal. */
  #recent: { full: Histogram; filling: Histogram; since: number } | null = null

  constructor(plan: PerfPlan, output: Output) {
    this.#plan = plan
    this.#output = output
    this.#timeline = plan.chart === null ? null : new Timeline()
  }

  async execute(): Promise<number> {
    const plan = this.#plan
    this.#watchdog = this.#watch()
    const producer = new Producer({ ...plan.options, logger: this.#watchdog.logger })
    const interruption = this.#listen(producer)
    let failed = false
    try {
      failed = !(await this.#start(producer, interruption).run())
      if (plan.printMetrics) {
        await producer.flush()
        this.#report()
        const metrics = producer.metrics()
        if (plan.json) this.#output.raw(`${jsonLine({ type: 'metrics', metrics })}\n`)
        else for (const line of metricLines(metrics)) this.#output.print(line)
      }
    } finally {
      await producer.close()
      this.#output.endProgress()
      interruption.end()
      this.#drain?.end()
      this.#watchdog.stop()
    }
    if (!plan.printMetrics) this.#report()
    for (const [message, count] of this.#failures) {
      if (count > 1) this.#output.note(`${formatCount(count)} records failed: ${message}`)
    }
    this.#writeChart()
    return interruption.exitCode ?? (failed || this.#totals.failed > 0 ? 1 : 0)
  }

  #watch(): Watchdog {
    return new Watchdog({
      servers: this.#plan.servers,
      isWaiting: () => this.#sending?.isWaiting ?? false,
      answers: () => this.#sending?.answers ?? 0,
      note: text => this.#output.note(text),
      allowanceMs: this.#plan.lingerMs,
    })
  }

  #listen(producer: Producer): Interruption {
    return new Interruption({
      onFirst: () => {
        this.#sending?.stop()
        this.#drain = new Drain({
          timeoutMs: this.#plan.drainTimeoutMs,
          open: () => this.#sending?.open ?? 0,
          note: text => this.#output.note(text),
          silent: () => this.#watchdog.silent,
          expire: () => void producer.close({ timeoutMs: 0 }),
          drawn: this.#output.progress !== null,
        })
      },
      onAnnounce: () => this.#drain?.announce(),
      onSecond: () => this.#drain?.stopped(),
    })
  }

  #start(producer: Producer, interruption: Interruption): Sending {
    const { records, reportingIntervalMs, warmupRecords, json, quiet } = this.#plan
    if (warmupRecords > 0 && !json) {
      this.#output.print(
        `Warmup first ${warmupRecords} records. ` +
          'Steady state results will print after the complete test summary.',
      )
    }
    this.#all = new Stats({
      records,
      reportingIntervalMs,
      isSteadyState: false,
      onInterval: summary => {
        // The steady state has intervals of its own.
        if (this.#steady === null) this.#interval(summary, false)
      },
      now: () => performance.now(),
    })
    this.#startedAt = performance.now()
    const sending = new Sending(this.#plan, producer, {
      onSent: index => {
        if (index === warmupRecords && warmupRecords > 0) this.#beginSteadyState()
      },
      onDelivered: (index, latencyMs, bytes, now) => {
        this.#delivered(latencyMs, bytes, now)
        if (index >= warmupRecords) this.#steady?.record(latencyMs, bytes, now)
      },
      onFailed: (error, count) => this.#failed(error, count),
    })
    this.#sending = sending
    if (interruption.signal.aborted) sending.stop()
    if (quiet || !process.stderr.isTTY) return sending
    this.#recent = { full: new Histogram(), filling: new Histogram(), since: this.#startedAt }
    this.#output.progress = new Progress({
      stream: process.stderr,
      totals: this.#totals,
      share: () => (this.#drain ? null : (this.#totals.delivered + this.#totals.failed) / records),
      details: () => this.#details(),
    })
    return sending
  }

  #beginSteadyState(): void {
    const { records, warmupRecords, reportingIntervalMs } = this.#plan
    this.#steady = new Stats({
      records: records - warmupRecords,
      reportingIntervalMs,
      isSteadyState: true,
      onInterval: (summary, isFirst) => {
        if (isFirst && !this.#plan.json) this.#output.print('In steady state.')
        this.#interval(summary, true)
      },
      now: () => performance.now(),
    })
  }

  #interval(summary: Summary, steadyState: boolean): void {
    if (this.#plan.json) this.#output.raw(`${jsonLine({ type: 'interval', steadyState, ...summary })}\n`)
    else this.#output.print(intervalLine(summary))
  }

  #delivered(latencyMs: number, bytes: number, now: number): void {
    const totals = this.#totals
    totals.delivered++
    totals.deliveredBytes += bytes
    this.#all.record(latencyMs, bytes, now)
    this.#timeline?.record(now - this.#startedAt, latencyMs)
    const recent = this.#recent
    if (recent === null) return
    if (now - recent.since >= RECENT_MS) {
      recent.full = recent.filling
      recent.filling = new Histogram()
      recent.since = now
    }
    recent.filling.add(latencyMs)
  }

  #failed(error: Error, count: number): void {
    const { code } = error as { code?: string }
    const message = code === undefined ? error.message : `${error.message} (${code})`
    const before = this.#failures.get(message) ?? 0
    if (before === 0) this.#output.note(message)
    this.#failures.set(message, before + count)
    this.#totals.failed += count
    // Each further one would wait for a time-out of its own.
    const isHopeless = isAboutCluster(code) || this.#totals.failed >= FAILURES_MAX
    if (this.#totals.delivered > 0 || !isHopeless || this.#gaveUp) return
    this.#gaveUp = true
    this.#output.note('stopped: no record was delivered')
    this.#sending?.stop()
  }

  /** What the terminal shows besides the counts: the latencies of the last second. */
  #details(): string[] {
    const recent = this.#recent
    const details: string[] = []
    const latency = recent && (recent.full.total > 0 ? recent.full : recent.filling)
    const shown = (share: number) => latencyText(latency?.quantile(share) ?? null)
    if (this.#drain) details.push(this.#drain.countdown())
    else if (this.#watchdog.silent) details.push('no answer')
    if (latency && latency.total > 0) details.push(`p50 ${shown(0.5)} p99 ${shown(0.99)} ms`)
    return details
  }

  #report(): void {
    this.#output.endProgress()
    this.#total(this.#all.total(), false)
    if (this.#steady !== null) this.#total(this.#steady.total(), true)
  }

  #total(total: Total, steadyState: boolean): void {
    const { mode, topic } = this.#plan
    const { failed } = this.#totals
    if (!this.#plan.json) this.#output.print(totalLine(total, steadyState))
    else this.#output.raw(`${jsonLine({ type: 'total', steadyState, mode, topic, failed, ...total })}\n`)
  }

  #writeChart(): void {
    const { chart, topic, mode } = this.#plan
    if (chart === null || this.#timeline === null) return
    const total = this.#all.total()
    const ms = (value: number) => `${value.toFixed(2)} ms`
    writeFileSync(
      chart,
      chartFile(chartKind(chart), {
        title: `millrace perf: ${topic}, ${mode}`,
        facts: [
          ['Records acknowledged', formatCount(total.records)],
          ['Records failed', formatCount(this.#totals.failed)],
          ['Records per second', formatCount(total.recordsPerSecond || 0)],
          ['MiB per second', total.megabytesPerSecond.toFixed(2)],
          ['Latency, average', ms(total.averageMs)],
          ['Latency, p50', ms(total.p50Ms)],
          ['Latency, p95', ms(total.p95Ms)],
          ['Latency, p99', ms(total.p99Ms)],
          ['Latency, p99.9', ms(total.p999Ms)],
          ['Latency, longest', ms(total.maxMs)],
        ],
        points: this.#timeline.points(),
      }),
    )
    this.#output.note(`chart: ${chart}`)
  }
}

function latencyText(ms: number | null): string {
  return ms === null ? '-' : ms.toFixed(ms < 10 ? 1 : 0)
}
