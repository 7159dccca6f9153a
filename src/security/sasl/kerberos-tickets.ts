import { builtins } from '../../common/builtins.js'
import { reasonOf } from '../../common/foreign-text.js'
import type { Logger } from '../../common/logger.js'
import { AuthenticationError } from '../../errors/index.js'
import { type CachedTicket, readTicket, ticketCacheFile } from './ticket-cache.js'

/** How tickets are obtained and renewed (`sasl.kerberos.*`). */
export interface TicketRules {
  /** Path of `kinit`. */
  readonly kinitCommand: string
  /** Logins do not follow each other faster. */
  readonly minMsBeforeRelogin: number
  /** Share of a ticket's life after which there is a new one. */
  readonly renewWindowFactor: number
  /** Random share that is added, at most. */
  readonly renewJitter: number
}

/** Where the tickets come from. */
export type TicketSource =
  /** Somebody else sees to it: the ticket cache is filled, or the library has a client keytab. */
  | { readonly kind: 'given' }
  /** They are renewed by `kinit -R` (Java: `useTicketCache`). */
  | { readonly kind: 'cache' }
  /** They are obtained with a key; without a file that of the system's keytab (Java: `useKeyTab`). */
  | { readonly kind: 'keytab'; readonly principal: string; readonly file: string | null }

const KINIT_MS_MAX = 30_000

/**
 * Sees to it that there is a ticket before an exchange needs one. Only exchanges do, so nothing runs between
 * them: Java has a thread for it (`KerberosLogin`). Tickets are in the process's credential cache, which the
 * system's library reads.
 */
export class KerberosTickets {
  private readonly source: TicketSource
  private readonly rules: TicketRules
  private readonly logger: Logger
  private lastLoginAt = Number.NEGATIVE_INFINITY
  /** Drawn anew for each ticket. */
  private renewShare: number

  constructor(source: TicketSource, rules: TicketRules, logger: Logger) {
    this.source = source
    this.rules = rules
    this.logger = logger
    this.renewShare = this.drawShare()
  }

  /** Calls must not overlap. Rejects where there is no ticket and none can be had. */
  async ensure(): Promise<void> {
    const { source } = this
    if (source.kind === 'given') return
    const now = Date.now()
    if (now - this.lastLoginAt < this.rules.minMsBeforeRelogin) return
    const ticket = await this.current()
    if (source.kind === 'cache') {
      // Of a cache that cannot be read nothing is known: whoever filled it keeps it full.
      if (ticket !== null && this.isDue(ticket, now)) await this.logIn(['-R'], ticket)
      return
    }
    const isFirst = this.lastLoginAt === Number.NEGATIVE_INFINITY
    if (!isFirst && ticket !== null && !this.isDue(ticket, now)) return
    const keytab = source.file === null ? [] : ['-t', source.file]
    await this.logIn(['-k', ...keytab, source.principal], ticket)
  }

  private async current(): Promise<CachedTicket | null> {
    const file = ticketCacheFile()
    const ticket = file === null ? null : await readTicket(file)
    if (ticket === null || this.source.kind !== 'keytab') return ticket
    const { principal } = this.source
    return ticket.principal === principal || ticket.principal.startsWith(`${principal}@`) ? ticket : null
  }

  private isDue({ startsAt, endsAt }: CachedTicket, now: number): boolean {
    return now >= startsAt + (endsAt - startsAt) * this.renewShare
  }

  private drawShare(): number {
    return this.rules.renewWindowFactor + this.rules.renewJitter * Math.random()
  }

  private async logIn(args: readonly string[], ticket: CachedTicket | null): Promise<void> {
    const { kinitCommand } = this.rules
    try {
      await kinit(kinitCommand, args)
      this.lastLoginAt = Date.now()
      this.renewShare = this.drawShare()
    } catch (cause) {
      const message = `${kinitCommand} ${args[0]} failed: ${reasonOf(cause)}`
      if (ticket === null || ticket.endsAt <= Date.now()) throw new AuthenticationError(message, { cause })
      this.logger.warn(`${message}; the ticket of ${ticket.principal} is used until it ends`)
    }
  }
}

function kinit(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { timeout: KINIT_MS_MAX, windowsHide: true }
    builtins.childProcess.execFile(command, [...args], options, (error, _stdout, stderr) => {
      if (error === null) resolve()
      else reject(new Error(stderr.trim() || error.message, { cause: error }))
    })
  })
}
