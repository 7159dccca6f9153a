import { Histogram } from './histogram.js'

/** What has become of the records so far. */
export class Totals {
  delivered = 0
  failed = 0
  /** Of keys and values delivered. */
  deliveredBytes = 0
  /** From handing over an array of records to its outcome, counted once per record delivered. */
  readonly latency = new Histogram()
}

/** `1,234,567` */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** `12.3 MB`, `0.012 MB`; a megabyte is 1,000,000 bytes. */
export function formatMegabytes(bytes: number): string {
  const digits = bytes > 0 && bytes < 1e6 ? 3 : 1
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  return `${(bytes / 1e6).toLocaleString('en-US', options)} MB`
}

/** `8 s`, `3 min 20 s`, `2 h 5 min` */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** The closing lines of `produce`. */
export function summaryLines(totals: Totals, seconds: number): string[] {
  const { delivered, failed, deliveredBytes, latency } = totals
  const rate = (amount: number) => amount / Math.max(seconds, 1e-9)
  const milliseconds = (share: number) => {
    const value = latency.quantile(share)
    return value === null ? '-' : value.toFixed(value < 10 ? 2 : 1)
  }
  return [
    `records    ${formatCount(delivered)} delivered`,
    `size       ${formatMegabytes(deliveredBytes)} of keys and values`,
    `time       ${seconds.toFixed(2)} s`,
    `rate       ${formatCount(rate(delivered))} records/s, ${formatMegabytes(rate(deliveredBytes))}/s`,
    `latency    p50 ${milliseconds(0.5)} ms, p99 ${milliseconds(0.99)} ms`,
    `errors     ${formatCount(failed)}`,
  ]
}
