import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Cluster, ClusterNode } from './cluster.js'
import { Connection, type SeenRequest } from './connection.js'

/** One broker of the cluster: the port it listens on and the connections to it. */
export class BrokerNode {
  readonly node: ClusterNode
  readonly connections = new Set<Connection>()
  private readonly cluster: Cluster
  private readonly notify: (request: SeenRequest) => void
  private server: Server | null = null
  /** Below TLS, where a handshake may never end. */
  private readonly sockets = new Set<Socket>()

  constructor(cluster: Cluster, node: ClusterNode, notify: (request: SeenRequest) => void) {
    this.cluster = cluster
    this.node = node
    this.notify = notify
  }

  /** Listens, on the same port as before where it has been up already. */
  async start(): Promise<void> {
    if (this.server !== null) return
    const { port, host, unref } = this.cluster.settings
    const server = this.createServer()
    this.server = server
    if (unref) server.unref()
    const wanted = this.node.port || (port === 0 ? 0 : port + this.node.id - 1)
    try {
      this.node.port = await listen(server, wanted, host)
    } catch (error) {
      this.server = null
      throw error
    }
    this.cluster.nodeUp(this.node)
  }

  /** Moves its partitions to the other nodes, ends all connections and gives the port back. */
  async stop(): Promise<void> {
    const { server } = this
    if (server === null) return
    this.server = null
    this.cluster.nodeDown(this.node)
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    this.disconnect()
    await closed
  }

  /** Ends all connections that are open now. */
  disconnect(): void {
    for (const connection of this.connections) connection.destroy()
    for (const socket of this.sockets) socket.destroy()
  }

  private createServer(): Server {
    const { tls } = this.cluster.settings
    if (tls === null) return createServer(socket => this.accept(socket))
    const server = createTlsServer(tls, socket => this.accept(socket))
    server.on('tlsClientError', (error, { remotePort }) => {
      this.cluster.settings.log(
        `millrace broker: node ${this.node.id}, connection from port ${remotePort}: ` +
          `the TLS handshake failed, ${error.message}`,
      )
    })
    server.on('connection', socket => {
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket))
    })
    return server
  }

  private accept(socket: Socket): void {
    const { counters, settings } = this.cluster
    counters.connections++
    counters.openConnections++
    if (settings.unref) socket.unref()
    const connection = new Connection(counters.connections, this.cluster, this.node, socket, this.notify)
    this.connections.add(connection)
    socket.on('close', () => {
      this.connections.delete(connection)
      counters.openConnections--
    })
  }
}

/** Resolves to the port once the server listens. */
function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(address !== null && typeof address === 'object' ? address.port : port)
    })
  })
}
