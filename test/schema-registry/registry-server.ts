import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface SeenRequest {
  method: string
  /** Path and query. */
  path: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: unknown
}

interface Version {
  id: number
  guid: string
  subject: string
  version: number
  schema: string
  schemaType: string
  references: unknown[]
}

export interface RegistryServerOptions {
  /** Whether its answers have guids. Default true. */
  hasGuids?: boolean
  /** What the header `authorization` must be. */
  authorization?: string
  tls?: { cert: string; key: string; ca: string }
}

type Answer = readonly [status: number, body: unknown, headers?: Record<string, string>]
type Fault = (request: SeenRequest) => Answer | 'cut' | undefined

/** A registry in memory with Confluent's REST interface, over loopback, that fails and delays on request. */
export class RegistryServer implements AsyncDisposable {
  readonly requests: SeenRequest[] = []
  /** Milliseconds before each answer. */
  delayMs = 0
  private readonly options: RegistryServerOptions
  private server: Server
  private port = 0
  private readonly versions: Version[] = []
  private readonly faults: { fault: Fault; times: number }[] = []
  private readonly associations = new Map<string, string[]>()

  private constructor(options: RegistryServerOptions) {
    this.options = options
    this.server = this.make()
  }

  static async start(options: RegistryServerOptions = {}): Promise<RegistryServer> {
    const server = new RegistryServer(options)
    await server.up()
    return server
  }

  get url(): string {
    return `${this.options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`
  }

  /** Listens, on the port it had before. */
  async up(): Promise<void> {
    this.server = this.make()
    this.server.listen(this.port, '127.0.0.1')
    await once(this.server, 'listening')
    this.port = (this.server.address() as AddressInfo).port
  }

  async down(): Promise<void> {
    if (!this.server.listening) return
    const closed = once(this.server, 'close')
    this.server.close()
    this.server.closeAllConnections()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down()
  }

  /** Registers without a request. Answers the id. */
  add(subject: string, schema: string | object, schemaType = 'AVRO', references: unknown[] = []): number {
    return this.register(subject, {
      schema: typeof schema === 'string' ? schema : JSON.stringify(schema),
      schemaType,
      references,
    }).id
  }

  guidOf(id: number): string {
    return this.versions.find(each => each.id === id)?.guid as string
  }

  associate(topic: string, field: string, ...subjects: string[]): void {
    this.associations.set(`${topic}/${field}`, subjects)
  }

  /** Answers the next `times` requests in another way, unless the fault answers undefined. */
  fail(fault: Fault | Answer | 'cut', times = Number.POSITIVE_INFINITY): void {
    this.faults.push({ fault: typeof fault === 'function' ? fault : () => fault, times })
  }

  recover(): void {
    this.faults.length = 0
  }

  private make(): Server {
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      this.serve(request, response).catch(error => response.destroy(error))
    }
    const { tls } = this.options
    return tls === undefined
      ? createServer(listener)
      : createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true }, listener)
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const seen: SeenRequest = {
      method: request.method as string,
      path: request.url as string,
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
    this.requests.push(seen)
    if (this.delayMs > 0) await sleep(this.delayMs, undefined, { ref: false })
    const answer = this.fault(seen) ?? this.answer(seen)
    if (answer === 'cut') {
      response.destroy()
      return
    }
    const [status, body, headers] = answer
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

  private fault(seen: SeenRequest): Answer | 'cut' | undefined {
    for (const each of this.faults) {
      if (each.times === 0) continue
      const answer = each.fault(seen)
      if (answer === undefined) continue
      each.times--
      return answer
    }
    return undefined
  }

  private answer({ method, path, headers, body }: SeenRequest): Answer {
    const { authorization } = this.options
    if (authorization !== undefined && headers.authorization !== authorization) {
      return [401, { error_code: 401, message: 'Unauthorized' }]
    }
    const url = new URL(path, this.url)
    const parts = url.pathname.split('/').slice(1).map(decodeURIComponent)
    const [room, name = '', , version] = parts
    if (room === 'schemas') {
      const found = this.versions.find(each => (name === 'ids' ? `${each.id}` : each.guid) === parts[2])
      return found === undefined ? notFound(40403, 'Schema not found') : [200, this.shown(found, ['id'])]
    }
    if (room === 'associations') {
      const subjects = this.associations.get(`${parts[3]}/${url.searchParams.get('associationType')}`) ?? []
      return [200, subjects.map(subject => ({ subject }))]
    }
    if (room !== 'subjects') return notFound(404, 'HTTP 404 Not Found')
    const versions = this.versions.filter(each => each.subject === name)
    if (method === 'POST' && parts[2] === 'versions') {
      const { id, guid } = this.register(name, body as never)
      return [200, this.options.hasGuids === false ? { id } : { id, guid }]
    }
    if (versions.length === 0) return notFound(40401, `Subject '${name}' not found.`)
    if (method === 'POST') {
      const { schema } = body as { schema: string }
      const found = versions.find(each => each.schema === schema)
      return found === undefined ? notFound(40403, 'Schema not found') : [200, this.shown(found)]
    }
    const found =
      version === 'latest' ? versions.at(-1) : versions.find(each => `${each.version}` === version)
    return found === undefined ? notFound(40402, 'Version not found.') : [200, this.shown(found)]
  }

  private shown(found: Version, without: string[] = []): object {
    const shown: Record<string, unknown> = { ...found }
    for (const name of without) delete shown[name]
    if (this.options.hasGuids === false) delete shown.guid
    if (found.schemaType === 'AVRO') delete shown.schemaType
    return shown
  }

  private register(
    subject: string,
    given: { schema: string; schemaType?: string; references?: unknown[] },
  ): Version {
    const { schema, schemaType = 'AVRO', references = [] } = given
    const same = this.versions.find(each => each.schema === schema)
    const there = this.versions.find(each => each.schema === schema && each.subject === subject)
    if (there !== undefined) return there
    const version: Version = {
      id: same?.id ?? 1 + Math.max(0, ...this.versions.map(({ id }) => id)),
      guid: same?.guid ?? randomUUID(),
      subject,
      version: this.versions.filter(each => each.subject === subject).length + 1,
      schema,
      schemaType,
      references,
    }
    this.versions.push(version)
    return version
  }
}

function notFound(code: number, message: string): Answer {
  return [404, { error_code: code, message }]
}
