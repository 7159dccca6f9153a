/** What a consumer group has committed for a partition. */
export interface CommittedOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** -1 where the client did not say. */
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/**
 * Offsets of consumer groups that were committed in transactions: pending until the transaction ends. There
 * are no groups here otherwise: members and generations are not checked.
 */
export class GroupOffsets {
  /** By group and `topic-partition`. */
  private readonly committed = new Map<string, Map<string, CommittedOffset>>()
  /** The same for open transactions, by producer id. */
  private readonly pending = new Map<bigint, Map<string, Map<string, CommittedOffset>>>()

  add(producerId: bigint, groupId: string, offset: CommittedOffset): void {
    let groups = this.pending.get(producerId)
    if (groups === undefined) {
      groups = new Map()
      this.pending.set(producerId, groups)
    }
    offsetsOf(groups, groupId).set(`${offset.topic}-${offset.partition}`, offset)
  }

  end(producerId: bigint, committed: boolean): void {
    const groups = this.pending.get(producerId)
    this.pending.delete(producerId)
    if (groups === undefined || !committed) return
    for (const [groupId, offsets] of groups) {
      const target = offsetsOf(this.committed, groupId)
      for (const [key, offset] of offsets) target.set(key, offset)
    }
  }

  of(groupId: string): CommittedOffset[] {
    return [...(this.committed.get(groupId)?.values() ?? [])]
  }
}

function offsetsOf(
  groups: Map<string, Map<string, CommittedOffset>>,
  groupId: string,
): Map<string, CommittedOffset> {
  let offsets = groups.get(groupId)
  if (offsets === undefined) {
    offsets = new Map()
    groups.set(groupId, offsets)
  }
  return offsets
}
