/** A partition as those who send know it; the same partition is the same object. */
export interface PartitionRef {
  readonly topic: { readonly name: string }
  readonly index: number
}

/** The partitions of one transaction: which are part of it, and which have yet to be added. */
export class TransactionPartitions {
  private added = new Set<PartitionRef>()
  private adding = new Set<PartitionRef>()
  private wanted = new Set<PartitionRef>()

  get hasWanted(): boolean {
    return this.wanted.size > 0
  }

  /** None has been added, nor may have been. */
  get isEmpty(): boolean {
    return this.added.size === 0
  }

  isAdded(partition: PartitionRef): boolean {
    return this.added.has(partition)
  }

  want(partition: PartitionRef): void {
    if (!this.added.has(partition) && !this.adding.has(partition)) this.wanted.add(partition)
  }

  /** The wanted ones, which are being added from now on. */
  takeWanted(): ReadonlySet<PartitionRef> {
    const { wanted } = this
    for (const partition of wanted) this.adding.add(partition)
    this.wanted = new Set()
    return wanted
  }

  markAdded(partitions: ReadonlySet<PartitionRef>): void {
    for (const partition of partitions) {
      this.adding.delete(partition)
      this.added.add(partition)
    }
  }

  /** Nothing more is added: the transaction is being aborted. */
  forgetWanted(): void {
    this.wanted.clear()
  }

  clear(): void {
    this.added = new Set()
    this.adding = new Set()
    this.wanted = new Set()
  }
}
