import type { Clock } from '../common/clock.js'

/** When a leader last had data to send, and when it could last be sent to (Java: `NodeLatencyStats`). */
export class NodeLatency {
  private readonly timeoutMs: number
  private readonly clock: Clock
  private readonly nodes = new Map<number, { wantedMs: number; drainableMs: number }>()

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
    const node = this.nodes.get(nodeId)
    return node === undefined || node.wantedMs - node.drainableMs <= this.timeoutMs
  }
}
