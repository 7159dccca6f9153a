/** In the unit of the times, which it sorts. */
export function quantilesOf(times) {
  times.sort()
  const at = share => times[Math.min(times.length - 1, Math.floor(times.length * share))]
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: times.at(-1) }
}
