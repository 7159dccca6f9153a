/** What the broker has seen since it was started. */
export interface BrokerCounters {
  /** Records appended. */
  records: number
  /** Batches appended. */
  batches: number
  /** Bytes of the batches appended, as they were on the wire. */
  bytes: number
  /** Batches that were in the log already and were acknowledged again. */
  duplicates: number
  /** Batches answered with an error, those of `fail` included. */
  rejected: number
  /** Requests by name of the API. */
  requests: Record<string, number>
  /** Connections accepted. */
  connections: number
  /** Connections open now. */
  openConnections: number
}

export function newCounters(): BrokerCounters {
  return {
    records: 0,
    batches: 0,
    bytes: 0,
    duplicates: 0,
    rejected: 0,
    requests: {},
    connections: 0,
    openConnections: 0,
  }
}
