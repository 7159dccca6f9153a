/** Whether a number can be kept in a word of an Int32Array. */
export function isInt32(value: number): boolean {
  return (value | 0) === value
}
