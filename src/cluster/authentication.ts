import { Buffer } from 'node:buffer'
import type { Clock } from '../common/clock.js'
import { type ForeignTexts, reasonOf } from '../common/foreign-text.js'
import {
  AuthenticationError,
  KafkaError,
  NetworkError,
  ProtocolError,
  TimeoutError,
  UnsupportedVersionError,
} from '../errors/index.js'
import type { Api } from '../protocol/api.js'
import { brokerError } from '../protocol/broker-error.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import { encodeRequest } from '../protocol/header.js'
import { SaslAuthenticate, type SaslAuthenticateResponse } from '../protocol/sasl-authenticate.js'
import { SaslHandshake } from '../protocol/sasl-handshake.js'
import type { SaslBroker, SaslExchange, SaslMechanism } from '../security/index.js'
import type { ApiVersionTable } from './api-version-table.js'
import type { Connection } from './connection.js'

/** From this version on tokens travel in SaslAuthenticate, which can say why they are refused. */
const HANDSHAKE_VERSION = 1

/** Errors that mean the broker does not accept this client, now or later (Java: AuthenticationException). */
const REFUSALS: ReadonlySet<number> = new Set([
  ErrorCodes.UNSUPPORTED_SASL_MECHANISM,
  ErrorCodes.ILLEGAL_SASL_STATE,
  ErrorCodes.SASL_AUTHENTICATION_FAILED,
])

/** One connection to be authenticated, again and again if need be. */
export interface AuthenticationTarget {
  readonly connection: Connection
  readonly versions: ApiVersionTable
  readonly clientId: string
  readonly mechanism: SaslMechanism
  readonly broker: SaslBroker
  readonly clock: Clock
  /** Learns what brokers are not to be quoted with. */
  readonly texts: ForeignTexts
  /** For each step that is the client's own: asking for credentials, hashing. */
  readonly timeoutMs: number
}

/** An exchange whose first message is there; nothing of it has been sent. */
interface PreparedExchange {
  readonly exchange: SaslExchange
  readonly first: Uint8Array
}

/** Asks the mechanism for credentials and its first message, which may take as long as a token does. */
export function prepareExchange(target: AuthenticationTarget): Promise<PreparedExchange> {
  return ownStep(target, async () => {
    const exchange = await target.mechanism.begin(target.broker)
    target.texts.learn(exchange.secrets ?? [])
    return { exchange, first: checkedMessage(await exchange.start()) }
  })
}

/**
 * Runs an exchange over the connection (KIP-152). Resolves to the lifetime of the session in milliseconds, 0
 * for one that does not end, when the mechanism itself says that it is complete: brokers cannot cut it short.
 * Rejects with what is to end the connection.
 */
export async function authenticate(
  target: AuthenticationTarget,
  { exchange, first }: PreparedExchange,
): Promise<number> {
  await shakeHands(target)
  const version = target.versions.highest(SaslAuthenticate)
  if (version < 0) throw tooOld(target)
  for (let message = first; ; ) {
    const response: SaslAuthenticateResponse = await ask(target, SaslAuthenticate, version, {
      authBytes: message,
    })
    if (response.errorCode !== ErrorCodes.NONE) {
      throw refusal(target, response.errorCode, response.errorMessage)
    }
    const challenge = Buffer.from(response.authBytes)
    const answer = await ownStep(target, async () => {
      const made = await exchange.step(challenge)
      return made === null ? null : checkedMessage(made)
    })
    if (answer === null) return Math.max(0, Number(response.sessionLifetimeMs))
    message = answer
  }
}

/** Mechanisms may be an application's own, and what is no bytes would fail far from here. */
function checkedMessage(message: unknown): Uint8Array {
  if (message instanceof Uint8Array) return message
  throw new AuthenticationError('the mechanism made a message that is no Uint8Array')
}

/** Agrees on the mechanism. The client's own choice stands: it never falls back to a weaker one. */
async function shakeHands(target: AuthenticationTarget): Promise<void> {
  const { mechanism, versions } = target
  if (versions.highest(SaslHandshake, HANDSHAKE_VERSION) < 0) throw tooOld(target)
  const request = { mechanism: mechanism.name }
  const { errorCode, mechanisms } = await ask(target, SaslHandshake, HANDSHAKE_VERSION, request)
  const offers = `; it offers ${target.texts.shown(mechanisms.slice(0, 20).join(', ')) || 'none'}`
  if (errorCode !== ErrorCodes.NONE) {
    throw refusal(target, errorCode, null, errorCode === ErrorCodes.UNSUPPORTED_SASL_MECHANISM ? offers : '')
  }
  if (!mechanisms.includes(mechanism.name)) {
    throw failure(target, `the broker accepted the mechanism without offering it${offers}`)
  }
}

function ask<Request, Response>(
  { connection, clientId }: AuthenticationTarget,
  api: Api<Request, Response>,
  version: number,
  body: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (!connection.usable) {
      reject(new NetworkError(`The connection to broker ${connection.broker} is ending`))
      return
    }
    connection.send({
      api,
      version,
      expectsResponse: true,
      encode: id => [encodeRequest(api, version, id, clientId, body)],
      onWritten: () => {},
      onResponse: (error, reader) => {
        try {
          if (reader === null) reject(error as KafkaError)
          else resolve(api.readResponse(reader, version))
        } catch (cause) {
          reject(cause instanceof KafkaError ? cause : new ProtocolError(String(cause), { cause }))
        }
      },
    })
  })
}

/** A step of the mechanism's own, within its time; what it throws becomes a coded error. */
async function ownStep<T>(target: AuthenticationTarget, step: () => Promise<T>): Promise<T> {
  const { clock, timeoutMs, connection } = target
  let timer: unknown
  const late = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(() => {
      const what = `Authentication with broker ${connection.broker}: no credentials within ${timeoutMs} ms`
      reject(new TimeoutError(what, { broker: connection.broker }))
    }, timeoutMs)
  })
  try {
    return await Promise.race([step(), late])
  } catch (cause) {
    throw cause instanceof KafkaError && !(cause instanceof AuthenticationError)
      ? cause
      : failure(target, reasonOf(cause), cause)
  } finally {
    clock.clearTimeout(timer)
  }
}

function failure(
  { connection, mechanism }: AuthenticationTarget,
  reason: string,
  cause?: unknown,
): KafkaError {
  const { broker } = connection
  const message = `Authentication with broker ${broker} by ${mechanism.name} failed: ${reason}`
  return new AuthenticationError(message, { broker, cause })
}

/** The broker's own no. */
function refusal(target: AuthenticationTarget, code: number, message: string | null, more = ''): KafkaError {
  const { broker } = target.connection
  const error = brokerError(code, { broker, message })
  return REFUSALS.has(code) ? failure(target, error.message + more) : error
}

function tooOld(target: AuthenticationTarget): KafkaError {
  const { broker } = target.connection
  const reason = `Broker ${broker} cannot authenticate as this client does, which takes Kafka 1.0 or later`
  return new UnsupportedVersionError(reason, { broker })
}
