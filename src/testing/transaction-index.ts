/** A transaction that was aborted, as a `read_committed` fetch tells it. */
interface AbortedRange {
  readonly producerId: bigint
  /** Of its first record in the partition. */
  readonly firstOffset: number
  /** Of its marker. */
  readonly lastOffset: number
}

interface OpenTransaction {
  readonly producerEpoch: number
  /** Of its first record in the partition. */
  readonly firstOffset: number
}

/** What one partition knows of transactions: which are open, and which records belong to aborted ones. */
export class TransactionIndex {
  /** By producer id. */
  private readonly open = new Map<bigint, OpenTransaction>()
  /** By the offset of the marker. */
  private aborted: AbortedRange[] = []

  /** Whether a producer has a transaction open: in any of its epochs, or in one. */
  isOpen(producerId: bigint, producerEpoch?: number): boolean {
    const transaction = this.open.get(producerId)
    if (transaction === undefined) return false
    return producerEpoch === undefined || transaction.producerEpoch === producerEpoch
  }

  /** A transactional batch was stored. */
  appended(producerId: bigint, producerEpoch: number, firstOffset: number): void {
    if (!this.open.has(producerId)) this.open.set(producerId, { producerEpoch, firstOffset })
  }

  /** A marker was stored. */
  ended(producerId: bigint, committed: boolean, markerOffset: number): void {
    const transaction = this.open.get(producerId)
    this.open.delete(producerId)
    if (transaction === undefined || committed) return
    this.aborted.push({ producerId, firstOffset: transaction.firstOffset, lastOffset: markerOffset })
  }

  /** Records before this offset are decided; `endOffset` if all are. */
  lastStableOffset(endOffset: number): number {
    let least = endOffset
    for (const { firstOffset } of this.open.values()) least = Math.min(least, firstOffset)
    return least
  }

  isAborted(producerId: bigint, offset: number): boolean {
    return this.aborted.some(
      range => range.producerId === producerId && range.firstOffset <= offset && offset <= range.lastOffset,
    )
  }

  /** The aborted transactions that have records from `from` on and before `to`. */
  abortedBetween(from: number, to: number): AbortedRange[] {
    return this.aborted.filter(range => range.lastOffset >= from && range.firstOffset < to)
  }

  /** Records before this offset are deleted. */
  truncate(startOffset: number): void {
    this.aborted = this.aborted.filter(range => range.lastOffset >= startOffset)
  }
}
