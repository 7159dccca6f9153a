import { connect, createServer, type Server, type Socket } from 'node:net'

/** Passes connections on to a port of this machine and keeps every byte the client has sent. */
export class CapturingProxy implements AsyncDisposable {
  connections = 0
  private readonly chunks: Buffer[] = []
  private readonly server: Server
  private readonly sockets = new Set<Socket>()

  private constructor(targetPort: number, serverBytesMax: number) {
    this.server = createServer(client => this.pass(client, targetPort, serverBytesMax))
  }

  /** With `serverBytesMax`, a connection ends when the server has sent so many bytes; the rest is lost. */
  static async start(targetPort: number, serverBytesMax = Number.POSITIVE_INFINITY): Promise<CapturingProxy> {
    const proxy = new CapturingProxy(targetPort, serverBytesMax)
    await new Promise<void>(resolve => proxy.server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    const address = this.server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** All that clients have sent. */
  get captured(): Buffer {
    return Buffer.concat(this.chunks)
  }

  /** Ends all connections that are open now. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    await new Promise(resolve => this.server.close(resolve))
  }

  private pass(client: Socket, targetPort: number, serverBytesMax: number): void {
    this.connections++
    const target = connect(targetPort, '127.0.0.1')
    let left = serverBytesMax
    for (const socket of [client, target]) {
      this.sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.sockets.delete(socket)
        client.destroy()
        target.destroy()
      })
    }
    client.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk)
      target.write(chunk)
    })
    target.on('data', (chunk: Buffer) => {
      const passed = chunk.subarray(0, left)
      left -= passed.length
      client.write(passed)
      if (left === 0) client.end()
    })
    target.on('end', () => client.end())
  }
}
