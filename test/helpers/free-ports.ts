import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'

/** Below it are ports of well-known services. */
const LOWEST = 12_000
/** Where macOS and Windows, too, begin to hand out ports of their own choice. */
const EPHEMERAL_ELSEWHERE = 49_152
const ATTEMPTS = 1_000

/** The ports of a process stand together, each process at a place of its own. */
let next = -1

/**
 * Ports that nobody listens on, for programs that must know theirs before they start. The system gives none of them
 * to connections or to port 0, so they stay free while a program starts, or is down for a while.
 */
export async function freePorts(count: number): Promise<number[]> {
  const end = ephemeralBegin()
  const size = end - LOWEST
  if (next < 0) next = Math.floor(Math.random() * size)
  const ports: number[] = []
  for (let attempt = 0; ports.length < count; attempt++) {
    if (attempt === ATTEMPTS) throw new Error(`no ${count} free ports in ${LOWEST}..${end - 1}`)
    const port = LOWEST + next
    next = (next + 1) % size
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  return port as number
}

/** The first port that the system may give to whoever does not ask for one. */
function ephemeralBegin(): number {
  if (process.platform !== 'linux') return EPHEMERAL_ELSEWHERE
  const [begin] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)
  // A range that leaves no room below: then a port is only free, not kept.
  return Number(begin) > LOWEST + ATTEMPTS ? Number(begin) : EPHEMERAL_ELSEWHERE
}

async function isFree(port: number): Promise<boolean> {
  const server: Server = createServer()
  try {
    const listening = once(server, 'listening')
    server.listen(port, '127.0.0.1')
    await listening
  } catch {
    return false
  }
  await new Promise(resolve => server.close(resolve))
  return true
}
