import type { Clock } from '../common/clock.js'

interface NodeTimes {
  wantedMs: number
  drainableMs: number
}

/** When a leader last had data to send, and when it could last be sent to (Java: `NodeLatencyStats`). */
export class NodeLatency {
  private readonly timeoutMs: number
  private readonly clock: Clock
  private readonly nodes = new Map<number, NodeTimes>()
  /** The node that was asked for last: a turn asks for each one many times. */
  private lastId = Number.NaN
  private last: NodeTimes | undefined

  /** `timeoutMs` is `partitioner.availability.timeout.ms`; 0 turns the bookkeeping off. */
  constructor(timeoutMs: number, clock: Clock) {
    this.timeoutMs = timeoutMs
    this.clock = clock
  }

  /** There is data for the node; `isReady` tells whether the node could take it. */
  observe(nodeId: number, isReady: boolean): void {
    if (this.timeoutMs === 0) return
    const nowMs = this.clock.now()
    const node = this.nodes.get(nodeId)
    if (node === undefined) this.nodes.set(nodeId, { wantedMs: nowMs, drainableMs: nowMs })
    else {
      node.wantedMs = nowMs
      if (isReady) node.drainableMs = nowMs
    }
  }

  /** False if the node has had data waiting for longer than the time-out. */
  isDrainable(nodeId: number): boolean {
    if (nodeId !== this.lastId || this.last === undefined) {
      this.lastId = nodeId
      this.last = this.nodes.get(nodeId)
    }
    const { last } = this
    return last === undefined || last.wantedMs - last.drainableMs <= this.timeoutMs
  }
}
