import { Agent, request } from 'node:http'

/** What a client has heard of one event. */
export interface Sent {
  user: string
  sequence: number
  /** The status of the answer, or the error of a request that got none. */
  status: number | string
  /** Whether the service was asked to answer before the event is stored. */
  isAsync: boolean
  partition?: number
  offset?: number
}

interface LoadOptions {
  port: number
  workers: number
  /** What the names of users begin with. Default `user`. */
  name?: string
  /** Time between two requests of one worker, in ms; 0 is as fast as it goes. */
  everyMs: number
  /** Length of the text in each event. */
  padding?: number
  /** One worker in so many asks for early answers; 0: none. */
  asyncOnceIn?: number
}

/**
 * Clients that each post the events of one user, one after the other, over a connection of their own. Whether the
 * answer is 200 or not, the next event has another sequence: each is posted once.
 */
export class Load {
  readonly sent: Sent[] = []
  private readonly options: LoadOptions
  private readonly agent = new Agent({ keepAlive: true })
  private readonly workers: Promise<void>[]
  private isStopping = false
  /** Answers that asked for the end of the connection. */
  closing = 0

  constructor(options: LoadOptions) {
    this.options = options
    this.workers = Array.from({ length: options.workers }, (_, i) => this.work(i))
  }

  count(status: number | string): number {
    return this.sent.filter(each => each.status === status).length
  }

  /** How many answers there were of each kind. */
  summary(): string {
    const counts = new Map<number | string, number>()
    for (const { status } of this.sent) counts.set(status, (counts.get(status) ?? 0) + 1)
    return Array.from(counts, ([status, count]) => `${count} × ${status}`).join(', ')
  }

  /** Lets every request that is under way come to its end. */
  async stop(): Promise<void> {
    this.isStopping = true
    await Promise.all(this.workers)
    this.agent.destroy()
  }

  /** Each worker ends by itself when its connection is ended by an answer, as a balancer would turn away. */
  private async work(index: number): Promise<void> {
    const { asyncOnceIn = 0, everyMs, name = 'user', padding = 200 } = this.options
    const user = `${name}-${index}`
    const isAsync = asyncOnceIn > 0 && index % asyncOnceIn === 0
    for (let sequence = 0; !this.isStopping; sequence++) {
      const data = { sequence, padding: 'x'.repeat(padding) }
      const body = JSON.stringify({ id: `${user}:${sequence}`, user, type: 'test', data })
      const answer = await this.post(body, isAsync)
      this.sent.push({ user, sequence, isAsync, ...answer })
      if (answer.isLast) break
      if (everyMs > 0) await new Promise(resolve => setTimeout(resolve, everyMs))
    }
  }

  private post(
    body: string,
    isAsync: boolean,
  ): Promise<{ status: number | string; partition?: number; offset?: number; isLast: boolean }> {
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    if (isAsync) headers.prefer = 'respond-async'
    return new Promise(resolve => {
      const { port } = this.options
      const call = request({
        agent: this.agent,
        host: '127.0.0.1',
        port,
        path: '/events',
        method: 'POST',
        headers,
      })
      call.once('error', (error: NodeJS.ErrnoException) =>
        resolve({ status: error.code ?? error.message, isLast: true }),
      )
      call.once('response', response => {
        let text = ''
        response.setEncoding('utf8').on('data', chunk => {
          text += chunk
        })
        response.once('end', () => {
          const isLast = response.headers.connection === 'close'
          if (isLast) this.closing++
          const status = response.statusCode as number
          const { partition, offset } = status === 200 ? JSON.parse(text) : {}
          resolve({ status, partition, offset, isLast })
        })
      })
      call.end(body)
    })
  }
}

interface Stored {
  partition: number
  offset: number | bigint
  key: Uint8Array | null
  value: Uint8Array | null
}

/** What is wrong with what is stored, given what the clients have heard; one text a finding. */
export function compare(sent: readonly Sent[], stored: readonly Stored[]): string[] {
  const findings: string[] = []
  const places = new Map<string, string>()
  const last = new Map<string, number>()
  for (const { partition, offset, key, value } of stored) {
    const { id, user, data } = JSON.parse(Buffer.from(value ?? []).toString())
    if (Buffer.from(key ?? []).toString() !== user) findings.push(`${id} is stored under another key`)
    if (places.has(id)) findings.push(`${id} is stored twice`)
    if (data.sequence < (last.get(user) ?? -1)) findings.push(`${id} is stored after a later event`)
    places.set(id, `${partition}@${offset}`)
    last.set(user, data.sequence)
  }
  for (const { user, sequence, status, partition, offset } of sent) {
    const id = `${user}:${sequence}`
    if (status === 200 && places.get(id) !== `${partition}@${offset}`) {
      findings.push(`${id} was answered ${partition}@${offset} and is stored at ${places.get(id)}`)
    }
    if (status === 202 && !places.has(id)) findings.push(`${id} was accepted and is not stored`)
  }
  return findings
}
