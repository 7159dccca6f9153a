import { type NodeConnection, NodeState } from './node-connection.js'

/** Where a request that any broker can answer should go. */
export type NodeChoice =
  /** Send it there now. */
  | { readonly kind: 'usable'; readonly node: NodeConnection }
  /** A connection is being made: wait for it rather than open another. */
  | { readonly kind: 'connecting'; readonly node: NodeConnection }
  /** Connect to it. */
  | { readonly kind: 'connectable'; readonly node: NodeConnection }
  /**
   * Nothing can be done before this clock time; `connected`: there are connections, but they are throttled.
   */
  | { readonly kind: 'none'; readonly until: number; readonly connected: boolean }

/**
 * The least loaded node: of the usable ones that with the fewest requests in flight, else one that is
 * connecting, else the connectable one whose last attempt is longest ago. `start` (random) spreads clients.
 */
export function chooseNode(nodes: readonly NodeConnection[], now: number, start: number): NodeChoice {
  let usable: NodeConnection | undefined
  let connecting: NodeConnection | undefined
  let connectable: NodeConnection | undefined
  let connected = false
  let until = Infinity
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[(start + i) % nodes.length] as NodeConnection
    if (node.isUsable) {
      if (usable === undefined || node.inFlightCount < usable.inFlightCount) usable = node
    } else if (node.state === NodeState.Ready) {
      connected = true
    } else if (node.state !== NodeState.Disconnected) {
      connecting = node
    } else if (node.canConnect(now)) {
      if (connectable === undefined || node.lastAttemptAt < connectable.lastAttemptAt) connectable = node
    } else {
      until = Math.min(until, node.backoffUntil)
    }
  }
  if (usable !== undefined) return { kind: 'usable', node: usable }
  if (connecting !== undefined) return { kind: 'connecting', node: connecting }
  if (connectable !== undefined) return { kind: 'connectable', node: connectable }
  return { kind: 'none', until, connected }
}
