/** What has become of the elements that a sink has taken. */
export interface SinkCounts {
  /** Taken from the source and given to the producer. */
  readonly accepted: number
  /** Of these, stored. */
  readonly acknowledged: number
  /** Of these, not stored, or not known to be. */
  readonly failed: number
  /** Of these, still without an outcome. */
  readonly pending: number
}
