import type { Socket } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { SocketFactory } from '../common/network-hooks.js'
import { ConfigError } from '../errors/index.js'
import type { Connect } from './node-connection.js'
import { SOCKET_READY } from './socket-ready.js'

const METHODS = ['write', 'on', 'once', 'emit', 'destroy', 'cork', 'uncork'] as const

/** Opens sockets by the application's factory; `tlsFor` answers what a TLS connection to a host needs. */
export function connectThrough(
  factory: SocketFactory,
  tlsFor: ((host: string) => ConnectionOptions) | null,
): Connect {
  const connect = (_address: string, port: number, host: string): Socket => {
    let told = false
    const onConnect = () => {
      if (told) return
      told = true
      // A factory may call this before it returns, when nobody listens yet.
      setImmediate(() => ready(socket, host, tlsFor !== null))
    }
    const socket = checked(factory({ host, port, tls: tlsFor?.(host) ?? null, onConnect }))
    return socket
  }
  return Object.assign(connect, { isForeign: true as const })
}

function ready(socket: Socket, host: string, needsTls: boolean): void {
  if (needsTls && (socket as Partial<TLSSocket>).encrypted !== true) {
    socket.destroy(new Error(`the socket that socketFactory opened to ${host} is not encrypted`))
    return
  }
  socket.emit(SOCKET_READY)
}

function checked(socket: unknown): Socket {
  const isSocket =
    typeof socket === 'object' &&
    socket !== null &&
    METHODS.every(name => typeof Reflect.get(socket, name) === 'function')
  if (!isSocket) throw new ConfigError('socketFactory did not return a socket', 'socketFactory')
  return socket as Socket
}
