import { ErrorCodes } from '../../protocol/error-codes.js'

/** What to do after an error code: ask for the subscription again, at once or later, or give up. */
type PushRemedy = 'subscribe-now' | 'subscribe-later' | 'off'

/** As Java's `ClientTelemetryUtils.maybeFetchErrorIntervalMs` has it; null: no error. */
export function remedyFor(errorCode: number): PushRemedy | null {
  switch (errorCode) {
    case ErrorCodes.NONE:
      return null
    case ErrorCodes.UNKNOWN_SUBSCRIPTION_ID:
    case ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE:
      return 'subscribe-now'
    case ErrorCodes.TELEMETRY_TOO_LARGE:
    case ErrorCodes.THROTTLING_QUOTA_EXCEEDED:
      return 'subscribe-later'
    default:
      return 'off'
  }
}
