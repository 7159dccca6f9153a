import type { Logger } from '../common/logger.js'
import type { KafkaError } from '../errors/index.js'
import { type AuthenticationTarget, authenticate, prepareExchange } from './authentication.js'
import { DeadlineTimer } from './deadline-timer.js'

/** Share of a session's life after which it is renewed, drawn anew each time, as in Java. */
const RENEW_FROM = 0.85
const RENEW_SPREAD = 0.1
/** Renewals do not follow each other faster, however short the broker says the session is. */
const RENEW_MS_MIN = 100

interface SaslSessionEvents {
  /** `durationMs`: of the exchange with the broker. */
  onRenewed(durationMs: number): void
  /** The connection ends with that. */
  onRenewalFailed(error: KafkaError): void
}

/**
 * The authentication of one connection and, where the broker lets sessions end, its renewals (KIP-368).
 *
 *     start ──▶ in session ──85–95 % of its life──▶ credentials asked for, requests go on
 *                   ▲                                     │
 *                   └── answered ◀── renewing: only SASL requests, behind those in flight
 *
 * A broker takes nothing but SASL between the handshake and its end, and answers in order: requests that are
 * in flight when it begins stay so and get their answers first.
 */
export class SaslSession {
  /** Whether nothing else may be sent now. */
  isRenewing = false
  private readonly target: AuthenticationTarget
  private readonly logger: Logger
  private readonly events: SaslSessionEvents
  private readonly timer: DeadlineTimer
  private endsAt = Number.POSITIVE_INFINITY
  private isOver = false

  constructor(target: AuthenticationTarget, logger: Logger, events: SaslSessionEvents) {
    this.target = target
    this.logger = logger
    this.events = events
    this.timer = new DeadlineTimer(target.clock, () => {
      void this.renew()
    })
  }

  /** Authenticates for the first time. Rejects with what is to end the connection. */
  async start(): Promise<void> {
    this.begin(await authenticate(this.target, await prepareExchange(this.target)))
  }

  /** The connection is of no more use: there is nothing to renew. */
  end(): void {
    this.isOver = true
    this.timer.cancel()
  }

  private begin(lifetimeMs: number): void {
    if (lifetimeMs === 0 || this.isOver) return
    const now = this.target.clock.now()
    this.endsAt = now + lifetimeMs
    const delayMs = lifetimeMs * (RENEW_FROM + RENEW_SPREAD * Math.random())
    this.timer.ensure(now + Math.max(RENEW_MS_MIN, delayMs))
  }

  private async renew(): Promise<void> {
    const { target } = this
    const { connection } = target
    try {
      const prepared = await this.prepare()
      if (prepared === null || this.isOver || !connection.usable) return
      // Renewing is not use: an idle connection stays as idle as it was.
      const idleSince = connection.inFlightCount === 0 ? connection.lastActiveAt : null
      this.isRenewing = true
      const beganAt = target.clock.now()
      const lifetimeMs = await authenticate(target, prepared)
      this.isRenewing = false
      if (idleSince !== null) connection.lastActiveAt = idleSince
      if (this.isOver) return
      this.logger.debug(`authenticated with broker ${connection.broker} again`)
      this.begin(lifetimeMs)
      this.events.onRenewed(target.clock.now() - beganAt)
    } catch (error) {
      if (!connection.usable) return
      this.events.onRenewalFailed(error as KafkaError)
      connection.destroy(error as KafkaError)
    }
  }

  /** Credentials; null where there are none now and the session lasts long enough to ask again. */
  private async prepare() {
    const { clock, connection } = this.target
    try {
      return await prepareExchange(this.target)
    } catch (error) {
      const leftMs = this.endsAt - clock.now()
      if (leftMs < RENEW_MS_MIN) throw error
      this.logger.warn(
        `no credentials to authenticate with broker ${connection.broker} again, asking once more`,
        {
          reason: (error as KafkaError).message,
        },
      )
      this.timer.ensure(clock.now() + leftMs / 2)
      return null
    }
  }
}
