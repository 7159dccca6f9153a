import type { Reader } from './reader.js'
import type { Writer } from './writer.js'

/** Where a leader named in a Produce or Fetch response is to be reached (KIP-951). */
export interface NodeEndpoint {
  nodeId: number
  host: string
  port: number
  rack: string | null
}

/** The leader a partition has moved to; -1 = not said. */
export interface LeaderIdAndEpoch {
  leaderId: number
  leaderEpoch: number
}

/** The default of `currentLeader`, shared by all partitions that do not carry it. */
export const NO_LEADER: LeaderIdAndEpoch = Object.freeze({ leaderId: -1, leaderEpoch: -1 })

/** Least bytes of a node endpoint on the wire. */
export const NODE_ENDPOINT_BYTES_MIN = 11

/** `nodeId:int32 host:string port:int32 rack:string?`, in flexible versions only. */
export function readNodeEndpoint(r: Reader): NodeEndpoint {
  const node = { nodeId: r.int32(), host: r.string(true), port: r.int32(), rack: r.nullableString(true) }
  r.skipTags()
  return node
}

export function writeNodeEndpoint(w: Writer, _version: number, node: NodeEndpoint): void {
  w.int32(node.nodeId)
  w.string(node.host, true)
  w.int32(node.port)
  w.nullableString(node.rack, true)
  w.noTags()
}

/** `leaderId:int32 leaderEpoch:int32`, in flexible versions only. */
export function readLeader(r: Reader): LeaderIdAndEpoch {
  const leader = { leaderId: r.int32(), leaderEpoch: r.int32() }
  r.skipTags()
  return leader
}

export function writeLeader(w: Writer, leader: LeaderIdAndEpoch): void {
  w.int32(leader.leaderId)
  w.int32(leader.leaderEpoch)
  w.noTags()
}

export function isNoLeader(leader: LeaderIdAndEpoch): boolean {
  return leader.leaderId === -1 && leader.leaderEpoch === -1
}
