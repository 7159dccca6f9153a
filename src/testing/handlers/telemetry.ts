import { ErrorCodes } from '../../protocol/error-codes.js'
import type {
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse,
} from '../../protocol/get-telemetry-subscriptions.js'
import type { PushTelemetryRequest, PushTelemetryResponse } from '../../protocol/push-telemetry.js'
import { ZERO_UUID } from '../../protocol/uuid.js'
import type { RequestContext } from './context.js'

/** Tells a client which metrics are wanted. */
export function handleGetTelemetrySubscriptions(
  { cluster, failures }: RequestContext,
  request: GetTelemetrySubscriptionsRequest,
): GetTelemetrySubscriptionsResponse {
  const wanted = failures.match()?.errorCode ?? ErrorCodes.NONE
  const answer = cluster.telemetry?.answer(request)
  if (answer !== undefined && wanted === ErrorCodes.NONE) return answer
  return {
    throttleTimeMs: 0,
    errorCode: wanted === ErrorCodes.NONE ? ErrorCodes.UNSUPPORTED_VERSION : wanted,
    clientInstanceId: answer?.clientInstanceId ?? ZERO_UUID,
    ...{ subscriptionId: 0, acceptedCompressionTypes: [], pushIntervalMs: 0 },
    ...{ telemetryMaxBytes: 0, deltaTemporality: false, requestedMetrics: [] },
  }
}

/** Takes a client's metrics. */
export function handlePushTelemetry(
  { cluster, failures }: RequestContext,
  request: PushTelemetryRequest,
): PushTelemetryResponse {
  const wanted = failures.match()?.errorCode ?? ErrorCodes.NONE
  if (wanted !== ErrorCodes.NONE) {
    cluster.telemetry?.excuse(request.clientInstanceId)
    return { throttleTimeMs: 0, errorCode: wanted }
  }
  return {
    throttleTimeMs: 0,
    errorCode: cluster.telemetry?.take(request) ?? ErrorCodes.UNSUPPORTED_VERSION,
  }
}
