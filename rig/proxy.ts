import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Random } from './random.js'

/** `in` is what clients send, `out` what they are answered. */
export type Direction = 'in' | 'out'
export const DIRECTIONS: readonly Direction[] = ['in', 'out']

/** What the proxy has done, counted where it is done: the proof that a fault took place. */
export interface ProxyCounters {
  connections: number
  /** Connections that the broker refused. */
  unreachable: number
  /** Bytes delivered. */
  bytes: Record<Direction, number>
  /** Connections cut because a byte offset was reached. */
  cuts: number
  /** Connections ended because their time was up. */
  expiredLifetimes: number
  /** Connections ended by `disconnect`. */
  disconnected: number
  /** Chunks that were kept back by a delay, and for how long in all. */
  delayedChunks: number
  delayedMs: number
  /** Times a chunk had to wait for the throttle. */
  throttleWaits: number
  /** Bytes that were taken and never delivered. */
  swallowedBytes: number
  /** Chunks kept back by `hold`, and those let go again. */
  heldChunks: number
  releasedChunks: number
}

export interface CutRule {
  /**
   * Most bytes in each direction: a connection is cut after a number from 0 to this, drawn for each, in a
   * direction that is drawn, too, where there are both.
   */
  mostBytes: Partial<Record<Direction, number>>
  /** Fewest bytes; default 0. */
  leastBytes?: number
  /** Connections to cut; default: all from now on. */
  times?: number
  random: Random
}

export interface LifetimeRule {
  minMs: number
  maxMs: number
  random: Random
}

/** Bytes kept in user space for one direction before the sender is no longer read. */
const QUEUE_BYTES_MAX = 256 * 1024
const THROTTLE_SLICE_MS = 20

/** The faults in force; connections look at them with every chunk, so a change also meets those that are open. */
class Rules {
  readonly delayMs: Record<Direction, number> = { in: 0, out: 0 }
  readonly bytesPerSecond: Record<Direction, number> = { in: Infinity, out: Infinity }
  readonly swallow: Record<Direction, boolean> = { in: false, out: false }
  readonly hold: Record<Direction, boolean> = { in: false, out: false }
  readonly stall: Record<Direction, boolean> = { in: false, out: false }
  cut: CutRule | null = null
  lifetime: LifetimeRule | null = null
}

/**
 * A TCP proxy in front of one broker that can do to connections what networks do: delay, throttle, cut at a
 * byte, limit the life of connections, swallow bytes, hold them back. Without a fault it only passes bytes on.
 */
export class ChaosProxy implements AsyncDisposable {
  readonly counters: ProxyCounters = {
    connections: 0,
    unreachable: 0,
    bytes: { in: 0, out: 0 },
    cuts: 0,
    expiredLifetimes: 0,
    disconnected: 0,
    delayedChunks: 0,
    delayedMs: 0,
    throttleWaits: 0,
    swallowedBytes: 0,
    heldChunks: 0,
    releasedChunks: 0,
  }
  /** Port of the broker; may be set later than the proxy's own is known. */
  targetPort: number
  private readonly server: Server
  private readonly rules = new Rules()
  private readonly links = new Set<Link>()

  private constructor(server: Server, targetPort: number) {
    this.server = server
    this.targetPort = targetPort
  }

  static async start(targetPort = 0): Promise<ChaosProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const proxy = new ChaosProxy(server, targetPort)
    server.on('connection', socket => proxy.accept(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  get openConnections(): number {
    return this.links.size
  }

  /** Every chunk arrives that much later, in order. */
  delay(ms: number, directions: readonly Direction[] = DIRECTIONS): void {
    for (const direction of directions) this.rules.delayMs[direction] = ms
  }

  /** Each direction of each connection passes at most so many bytes a second. */
  throttle(bytesPerSecond: number, directions: readonly Direction[] = DIRECTIONS): void {
    for (const direction of directions) this.rules.bytesPerSecond[direction] = bytesPerSecond
    this.pumpAll()
  }

  /** Takes bytes and never delivers them; the connection stays open: a broker that has gone without a word. */
  swallow(isOn: boolean, directions: readonly Direction[] = DIRECTIONS): void {
    for (const direction of directions) this.rules.swallow[direction] = isOn
  }

  /** Takes bytes and keeps them back until released. */
  hold(directions: readonly Direction[] = ['out']): { release(): void } {
    for (const direction of directions) this.rules.hold[direction] = true
    return {
      release: () => {
        for (const direction of directions) this.rules.hold[direction] = false
        this.pumpAll()
      },
    }
  }

  /** No longer reads that direction's sender at all, so that bytes back up into its own buffers. */
  stall(directions: readonly Direction[] = ['in']): { release(): void } {
    for (const direction of directions) this.rules.stall[direction] = true
    for (const link of this.links) link.readAsAllowed()
    return {
      release: () => {
        for (const direction of directions) this.rules.stall[direction] = false
        for (const link of this.links) link.readAsAllowed()
      },
    }
  }

  /** Cuts new connections at a byte offset. */
  cut(rule: CutRule | null): void {
    this.rules.cut = rule
  }

  /** Ends connections, from now on or open already, after a random time. */
  lifetimes(rule: LifetimeRule | null): void {
    this.rules.lifetime = rule
    for (const link of this.links) link.armLifetime()
  }

  /** Ends all connections that are open now. */
  disconnect(): void {
    for (const link of [...this.links]) {
      this.counters.disconnected++
      link.destroy()
    }
  }

  /** Takes every fault away; what is held or delayed goes on its way. */
  calm(): void {
    Object.assign(this.rules, new Rules())
    this.pumpAll()
    for (const link of this.links) {
      link.readAsAllowed()
      link.armLifetime()
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.server.close(() => resolve()))
    for (const link of [...this.links]) link.destroy()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private accept(client: Socket): void {
    this.counters.connections++
    const link = new Link(client, this.targetPort, this.rules, this.counters, () => this.links.delete(link))
    this.links.add(link)
  }

  private pumpAll(): void {
    for (const link of this.links) link.pump()
  }
}

/** One client's connection and the one to the broker that belongs to it. */
class Link {
  private readonly client: Socket
  private readonly broker: Socket
  private readonly rules: Rules
  private readonly counters: ProxyCounters
  private readonly onEnd: () => void
  private readonly pipes: Record<Direction, Pipe>
  private lifetime: NodeJS.Timeout | undefined
  private isOver = false
  private isConnected = false

  constructor(client: Socket, port: number, rules: Rules, counters: ProxyCounters, onEnd: () => void) {
    this.client = client
    this.rules = rules
    this.counters = counters
    this.onEnd = onEnd
    this.broker = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    this.pipes = {
      in: new Pipe('in', client, this.broker, rules, counters, () => this.cut(this.broker)),
      out: new Pipe('out', this.broker, client, rules, counters, () => this.cut(client)),
    }
    this.drawCut()
    this.broker.on('connect', () => {
      this.isConnected = true
    })
    for (const socket of [client, this.broker]) {
      socket.on('error', () => this.destroy())
      socket.on('close', () => this.destroy())
    }
    this.armLifetime()
    this.readAsAllowed()
  }

  private drawCut(): void {
    const { cut } = this.rules
    if (cut === null) return
    const { mostBytes, leastBytes = 0, random } = cut
    const direction = random.pick(DIRECTIONS.filter(each => mostBytes[each] !== undefined))
    this.pipes[direction].cutAtBytes = random.integer(leastBytes, mostBytes[direction] as number)
  }

  armLifetime(): void {
    clearTimeout(this.lifetime)
    const { lifetime } = this.rules
    if (lifetime === null || this.isOver) return
    const ms = lifetime.random.integer(lifetime.minMs, lifetime.maxMs)
    this.lifetime = setTimeout(() => {
      this.counters.expiredLifetimes++
      this.destroy()
    }, ms)
  }

  readAsAllowed(): void {
    for (const direction of DIRECTIONS) this.pipes[direction].readAsAllowed()
  }

  pump(): void {
    for (const direction of DIRECTIONS) this.pipes[direction].pump()
  }

  private cut(receiver: Socket): void {
    const { cut } = this.rules
    if (cut?.times !== undefined && --cut.times <= 0) this.rules.cut = null
    this.counters.cuts++
    this.destroy(receiver)
  }

  /**
   * Ends both connections with a reset, as a dying process or a dropped mapping does; what the kernel holds is lost
   * with it. A receiver that must first get all it was sent is ended in order.
   */
  destroy(receiver: Socket | null = null): void {
    if (this.isOver) return
    this.isOver = true
    if (!this.isConnected) this.counters.unreachable++
    clearTimeout(this.lifetime)
    for (const direction of DIRECTIONS) this.pipes[direction].stop()
    for (const socket of [this.client, this.broker]) {
      const isEnding = socket.writableEnded && !socket.writableFinished
      if (socket === receiver) socket.destroySoon()
      // Node cannot reset while it shuts down: the process would never exit.
      else if (isEnding) socket.destroy()
      else socket.resetAndDestroy()
    }
    this.onEnd()
  }
}

interface Queued {
  chunk: Buffer
  arrivedAt: number
  dueAt: number
  wasHeld: boolean
}

/** One direction of a connection: a queue between two sockets, empty while there is no fault. */
class Pipe {
  /** The connection is cut when exactly so many bytes have been delivered. */
  cutAtBytes = Infinity
  private readonly direction: Direction
  private readonly from: Socket
  private readonly to: Socket
  private readonly rules: Rules
  private readonly counters: ProxyCounters
  private readonly onCut: () => void
  private readonly queue: Queued[] = []
  private queuedBytes = 0
  private delivered = 0
  private tokens = 0
  private tokensAt = performance.now()
  private timer: NodeJS.Timeout | undefined
  private isFull = false
  private hasEnded = false
  private isStopped = false

  constructor(
    direction: Direction,
    from: Socket,
    to: Socket,
    rules: Rules,
    counters: ProxyCounters,
    onCut: () => void,
  ) {
    this.direction = direction
    this.from = from
    this.to = to
    this.rules = rules
    this.counters = counters
    this.onCut = onCut
    from.on('data', (chunk: Buffer) => this.take(chunk))
    from.on('end', () => {
      this.hasEnded = true
      this.pump()
    })
    to.on('drain', () => {
      this.isFull = false
      this.pump()
    })
  }

  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
    this.queue.length = 0
  }

  private take(chunk: Buffer): void {
    if (this.isStopped) return
    const { direction, rules, counters } = this
    if (rules.swallow[direction]) {
      counters.swallowedBytes += chunk.length
      return
    }
    const now = performance.now()
    const isHeld = rules.hold[direction]
    if (isHeld) counters.heldChunks++
    this.queue.push({ chunk, arrivedAt: now, dueAt: now + rules.delayMs[direction], wasHeld: isHeld })
    this.queuedBytes += chunk.length
    this.pump()
  }

  pump(): void {
    if (this.isStopped) return
    while (this.queue.length > 0 && !this.isStopped && this.mayPass()) this.passHead()
    if (this.isStopped) return
    if (this.hasEnded && this.queue.length === 0 && !this.to.writableEnded) this.to.end()
    this.readAsAllowed()
  }

  readAsAllowed(): void {
    const mayRead = !this.rules.stall[this.direction] && this.queuedBytes < QUEUE_BYTES_MAX
    if (mayRead && this.from.isPaused()) this.from.resume()
    else if (!mayRead && !this.from.isPaused()) this.from.pause()
  }

  /** Whether the head of the queue may be delivered now; otherwise arms whatever will ask again. */
  private mayPass(): boolean {
    const { direction, rules } = this
    if (this.isFull || rules.hold[direction]) return false
    const now = performance.now()
    const head = this.queue[0] as Queued
    // Timers may fire a little early.
    if (head.dueAt > now) {
      this.arm(Math.ceil(head.dueAt - now))
      return false
    }
    const rate = rules.bytesPerSecond[direction]
    if (rate === Infinity) return true
    const most = Math.max(1, (rate * THROTTLE_SLICE_MS) / 1000)
    this.tokens = Math.min(most, this.tokens + ((now - this.tokensAt) * rate) / 1000)
    this.tokensAt = now
    if (this.tokens >= 1) return true
    this.counters.throttleWaits++
    this.arm(THROTTLE_SLICE_MS)
    return false
  }

  private passHead(): void {
    const { direction, rules, counters } = this
    const head = this.queue[0] as Queued
    let bytes = head.chunk.length
    if (rules.bytesPerSecond[direction] !== Infinity) {
      bytes = Math.min(bytes, Math.floor(this.tokens))
      this.tokens -= bytes
    }
    const untilCut = this.cutAtBytes - this.delivered
    const isCut = bytes >= untilCut
    if (isCut) bytes = untilCut
    this.delivered += bytes
    this.queuedBytes -= bytes
    counters.bytes[direction] += bytes
    const passed = head.chunk.subarray(0, bytes)
    if (isCut) {
      this.isStopped = true
      if (bytes > 0) this.to.write(passed)
      this.onCut()
      return
    }
    if (bytes > 0) this.isFull = !this.to.write(passed)
    if (bytes < head.chunk.length) head.chunk = head.chunk.subarray(bytes)
    else this.shift(head)
  }

  private shift(head: Queued): void {
    this.queue.shift()
    const { counters } = this
    if (head.wasHeld) counters.releasedChunks++
    if (head.dueAt > head.arrivedAt) {
      counters.delayedChunks++
      counters.delayedMs += performance.now() - head.arrivedAt
    }
  }

  private arm(ms: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.pump(), ms)
  }
}
