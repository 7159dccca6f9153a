import type { Buffer } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { environmentVariable } from '../../common/environment.js'

/** A ticket-granting ticket in a cache; times are in milliseconds since 1970. */
export interface CachedTicket {
  /** Whose it is, such as `alice@EXAMPLE.COM`. */
  readonly principal: string
  readonly startsAt: number
  readonly endsAt: number
}

const VERSION_3 = 0x0503
const VERSION_4 = 0x0504
const TICKET_GRANTING_SERVICE = 'krbtgt'

/**
 * The file in which the system's library keeps the process's tickets (`KRB5CCNAME`); null where it keeps them
 * in something else.
 */
export function ticketCacheFile(): string | null {
  const name = environmentVariable('KRB5CCNAME')
  if (name === undefined || name === '') {
    const uid = process.getuid?.()
    return uid === undefined ? null : `/tmp/krb5cc_${uid}`
  }
  if (name.startsWith('FILE:')) return name.slice('FILE:'.length)
  return /^[A-Za-z]+:/.test(name) ? null : name
}

/** The ticket that others are obtained with, in a cache's file; null where there is none that can be read. */
export async function readTicket(file: string): Promise<CachedTicket | null> {
  try {
    return ticketIn(await readFile(file))
  } catch {
    // No file, none of ours, or cut off in the midst of a write.
    return null
  }
}

/**
 * The format of MIT's and Heimdal's libraries, big-endian:
 *
 *     file       = version int16, [version 4: header of int16 bytes], principal, credential*
 *     principal  = type int32, components int32, realm data, component data*
 *     credential = client principal, server principal, key, auth-, start-, end-, renew-time int32 each,
 *                  is-skey int8, flags int32, addresses, authorization data, ticket data, second ticket data
 *     data       = int32 length, bytes
 */
function ticketIn(bytes: Buffer): CachedTicket | null {
  const reader = new CacheReader(bytes)
  const version = reader.int16()
  if (version !== VERSION_3 && version !== VERSION_4) return null
  if (version === VERSION_4) reader.skip(reader.int16())
  const principal = reader.principal().text
  while (!reader.atEnd) {
    const client = reader.principal()
    const server = reader.principal()
    reader.skip(version === VERSION_3 ? 4 : 2)
    reader.data()
    const [authTime, startTime, endTime] = [reader.int32(), reader.int32(), reader.int32()]
    reader.skip(4 + 1 + 4)
    for (const _list of ['addresses', 'authorization data']) reader.typedList()
    for (const _ticket of ['ticket', 'second ticket']) reader.data()
    if (client.text !== principal || server.components[0] !== TICKET_GRANTING_SERVICE) continue
    return { principal, startsAt: (startTime || authTime) * 1000, endsAt: endTime * 1000 }
  }
  return null
}

/** Reads on; throws a RangeError past the end. */
class CacheReader {
  private readonly bytes: Buffer
  private at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get atEnd(): boolean {
    return this.at >= this.bytes.length
  }

  int16(): number {
    this.skip(2)
    return this.bytes.readUInt16BE(this.at - 2)
  }

  int32(): number {
    this.skip(4)
    return this.bytes.readUInt32BE(this.at - 4)
  }

  data(): Buffer {
    const length = this.int32()
    this.skip(length)
    return this.bytes.subarray(this.at - length, this.at)
  }

  principal(): { text: string; components: string[] } {
    this.skip(4)
    const count = this.int32()
    const realm = this.data().toString()
    const components: string[] = []
    while (components.length < count) components.push(this.data().toString())
    return { text: `${components.join('/')}@${realm}`, components }
  }

  typedList(): void {
    for (let left = this.int32(); left > 0; left--) {
      this.skip(2)
      this.data()
    }
  }

  skip(count: number): void {
    this.at += count
    if (this.at > this.bytes.length) throw new RangeError('the ticket cache ends early')
  }
}
