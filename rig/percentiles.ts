/** Median and maximum of some figures under names that begin alike. */
export function resultOf(name: string, values: readonly number[]): Record<string, number> {
  if (values.length === 0) return {}
  const sorted = [...values].sort((a, b) => a - b)
  return {
    [`${name}Median`]: Math.round(sorted[sorted.length >> 1] as number),
    [`${name}Max`]: Math.round(sorted[sorted.length - 1] as number),
  }
}
