import { createServer, type Server, type Socket } from 'node:net'
import type { AnyApi } from '../../dist/cluster/api-version-table.js'
import type { Api } from '../../dist/protocol/api.js'
import { ApiVersions } from '../../dist/protocol/api-versions.js'
import { encodeResponse, readRequestHeader } from '../../dist/protocol/header.js'
import { Metadata, type MetadataResponse } from '../../dist/protocol/metadata.js'
import { Produce } from '../../dist/protocol/produce.js'
import { Reader } from '../../dist/protocol/reader.js'
import { ZERO_UUID } from '../../dist/protocol/uuid.js'

/** A request as it came in, and the means to answer it, now or later. */
export interface IncomingRequest {
  readonly apiKey: number
  readonly version: number
  readonly correlationId: number
  readonly socket: Socket
  /** The request's body. */
  readonly body: Reader
  /** Answers with this body. */
  reply(api: AnyApi, body: unknown): void
}

/** Returns true if it has dealt with the request (or means never to). */
export type Script = (request: IncomingRequest) => boolean

const KNOWN: readonly AnyApi[] = [ApiVersions, Metadata, Produce]

/** What the default script says to ApiVersions. */
export function apiVersionsResponse(ranges?: readonly [apiKey: number, min: number, max: number][]) {
  const apiKeys =
    ranges?.map(([apiKey, minVersion, maxVersion]) => ({ apiKey, minVersion, maxVersion })) ??
    KNOWN.map(({ key, minVersion, maxVersion }) => ({ apiKey: key, minVersion, maxVersion }))
  return {
    errorCode: 0,
    apiKeys,
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1n,
    finalizedFeatures: [],
    zkMigrationReady: false,
  }
}

/** A node that does only what its test says: by default it answers ApiVersions and nothing else. */
export class ScriptedBroker {
  /** Asked first, for every request. */
  script: Script
  readonly sockets: Socket[] = []
  readonly requests: IncomingRequest[] = []
  private readonly server: Server

  private constructor(script: Script) {
    this.script = script
    this.server = createServer(socket => this.take(socket))
  }

  static async start(script: Script = () => false, port = 0): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(script)
    await new Promise<void>((resolve, reject) => {
      broker.server.once('error', reject)
      broker.server.listen(port, '127.0.0.1', resolve)
    })
    return broker
  }

  get port(): number {
    const address = this.server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.port }
  }

  /** Requests of one API that have come so far. */
  requestsOf(api: AnyApi): IncomingRequest[] {
    return this.requests.filter(request => request.apiKey === api.key)
  }

  /** Ends every connection; new ones are still accepted. */
  cut(): void {
    for (const socket of this.sockets.splice(0)) socket.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    if (!this.server.listening) return
    await new Promise<void>(resolve => this.server.close(() => resolve()))
  }

  /** Serves a connection, also one that somebody else has accepted. */
  take(socket: Socket): void {
    this.sockets.push(socket)
    socket.on('error', () => {})
    let pending = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
        const end = 4 + pending.readInt32BE(0)
        const frame = pending.subarray(4, end)
        pending = pending.subarray(end)
        this.answer(socket, frame)
      }
    })
  }

  private answer(socket: Socket, frame: Uint8Array): void {
    const body = new Reader(frame)
    const { apiKey, apiVersion: version, correlationId } = readRequestHeader(body)
    const request: IncomingRequest = {
      apiKey,
      version,
      correlationId,
      socket,
      body,
      reply: (api, response) => {
        socket.write(encodeResponse(api as Api<never, unknown>, version, correlationId, response))
      },
    }
    this.requests.push(request)
    if (this.script(request) || apiKey !== ApiVersions.key) return
    request.reply(ApiVersions, apiVersionsResponse())
  }
}

export interface MetadataShape {
  brokers?: readonly { id: number; host: string; port: number }[]
  /** Partition i of a topic is led by the i-th id. */
  topics?: Record<
    string,
    { leaders?: readonly number[]; epoch?: number; id?: Uint8Array; errorCode?: number }
  >
  errorCode?: number
  throttleTimeMs?: number
}

/** A Metadata response, with everything not said at its default. */
export function metadataResponse(shape: MetadataShape): MetadataResponse {
  return {
    throttleTimeMs: shape.throttleTimeMs ?? 0,
    brokers: (shape.brokers ?? []).map(({ id, host, port }) => ({ nodeId: id, host, port, rack: null })),
    clusterId: 'test-cluster',
    controllerId: -1,
    clusterAuthorizedOperations: -2147483648,
    errorCode: shape.errorCode ?? 0,
    topics: Object.entries(shape.topics ?? {}).map(([name, topic]) => ({
      errorCode: topic.errorCode ?? 0,
      name,
      topicId: topic.id ?? ZERO_UUID,
      isInternal: false,
      topicAuthorizedOperations: -2147483648,
      partitions: (topic.leaders ?? []).map((leaderId, partitionIndex) => ({
        errorCode: leaderId === -1 ? 5 : 0,
        partitionIndex,
        leaderId,
        leaderEpoch: topic.epoch ?? 0,
        replicaNodes: [leaderId],
        isrNodes: [leaderId],
        offlineReplicas: [],
      })),
    })),
  }
}

/** The names a Metadata request asks for; null: all. */
export function requestedTopics(request: IncomingRequest): (string | null)[] | null {
  const { topics } = Metadata.readRequest(request.body, request.version)
  return topics?.map(topic => topic.name) ?? null
}
