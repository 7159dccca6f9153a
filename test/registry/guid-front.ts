import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import protobuf from 'protobufjs'
import 'protobufjs/ext/descriptor/index.js'

/**
 * Apicurio 2.6 has no GUIDs and gives Protobuf schemas as text only. This stands before it and adds the two things that
 * Confluent's newer clients ask for: a GUID for every id, and `format=serialized`. All else is Apicurio's.
 */
export class GuidFront implements AsyncDisposable {
  private readonly target: string
  private readonly server: Server
  private readonly ids = new Map<string, number>()

  private constructor(target: string) {
    this.target = target
    this.server = createServer((request, response) => {
      this.serve(request, response).catch(error => {
        response.writeHead(500)
        response.end(JSON.stringify({ error_code: 50001, message: String(error) }))
      })
    })
  }

  static async start(target: string): Promise<GuidFront> {
    const front = new GuidFront(target)
    front.server.listen(0, '127.0.0.1')
    await once(front.server, 'listening')
    return front
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, 'close')
    this.server.close()
    this.server.closeAllConnections()
    await closed
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url as string, this.url)
    const isSerialized = url.searchParams.get('format') === 'serialized'
    url.searchParams.delete('format')
    const byGuid = /^\/schemas\/guids\/(.+)$/.exec(url.pathname)
    const byId = /^\/schemas\/ids\/(\d+)$/.exec(url.pathname)
    const id = byGuid === null ? Number(byId?.[1]) : this.ids.get(byGuid[1] as string)
    const path = byGuid === null ? url.pathname : `/schemas/ids/${id ?? -1}`
    const answer = await fetch(this.target + path + url.search, {
      method: request.method as string,
      headers: { 'content-type': request.headers['content-type'] ?? 'application/json' },
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    })
    const body = (await answer.json()) as Record<string, unknown>
    if (answer.ok && !Array.isArray(body)) {
      const known = (body.id as number | undefined) ?? id
      if (known !== undefined && Number.isInteger(known)) body.guid = this.guidOf(known)
      if (isSerialized && body.schemaType === 'PROTOBUF') body.schema = serialized(body.schema as string)
    }
    response.writeHead(answer.status, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
    response.end(JSON.stringify(body))
  }

  private guidOf(id: number): string {
    const hex = createHash('sha256').update(`schema ${id}`).digest('hex')
    const guid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)]
    this.ids.set(guid.join('-'), id)
    return guid.join('-')
  }
}

/** A file's descriptor, as Confluent's registry gives it. */
function serialized(proto: string): string {
  const { root, package: name } = protobuf.parse(proto, new protobuf.Root(), { keepCase: true })
  root.resolveAll()
  const { file } = (root as unknown as { toDescriptor(syntax: string): { file: object[] } }).toDescriptor(
    'proto3',
  )
  const [descriptor] = file.filter(each => (each as { package?: string }).package === (name ?? ''))
  const { FileDescriptorProto } = (protobuf as unknown as { descriptor: Record<string, protobuf.Type> })
    .descriptor as unknown as { FileDescriptorProto: protobuf.Type }
  return Buffer.from(FileDescriptorProto.encode(descriptor as never).finish()).toString('base64')
}
