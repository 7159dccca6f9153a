import type { ApiVersionRange, ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/api-versions.js'
import { ErrorCodes } from '../../protocol/error-codes.js'
import type { RequestContext } from './context.js'

/** From this version on, clients understand features whose lowest level is 0. */
const FEATURES_FROM_ZERO_FROM = 4
const TRANSACTION_VERSION = 'transaction.version'
const TRANSACTION_VERSION_HIGHEST = 2

/** Brokers take only these for the client's name and version. */
const LEGAL_SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/
const SOFTWARE_NAME_FROM = 3

/** Tells which versions of which APIs are served. */
export function handleApiVersions(
  { cluster, version, failures }: RequestContext,
  request: ApiVersionsRequest,
): ApiVersionsResponse {
  const { transactionVersion, featuresEpoch } = cluster
  const finalized = transactionVersion > 0
  return {
    errorCode: failures.match()?.errorCode ?? checkSoftware(version, request),
    apiKeys: [...cluster.announced.values()],
    throttleTimeMs: 0,
    supportedFeatures:
      version >= FEATURES_FROM_ZERO_FROM
        ? [{ name: TRANSACTION_VERSION, minVersion: 0, maxVersion: TRANSACTION_VERSION_HIGHEST }]
        : [],
    finalizedFeaturesEpoch: featuresEpoch,
    finalizedFeatures: finalized
      ? [
          {
            name: TRANSACTION_VERSION,
            maxVersionLevel: transactionVersion,
            minVersionLevel: transactionVersion,
          },
        ]
      : [],
    zkMigrationReady: false,
  }
}

function checkSoftware(version: number, request: ApiVersionsRequest): number {
  if (version < SOFTWARE_NAME_FROM) return ErrorCodes.NONE
  const legal =
    LEGAL_SOFTWARE_NAME.test(request.clientSoftwareName) &&
    LEGAL_SOFTWARE_NAME.test(request.clientSoftwareVersion)
  return legal ? ErrorCodes.NONE : ErrorCodes.INVALID_REQUEST
}

/** The answer to a version that is not served; its codec writes it in the layout of version 0. */
export function refuseApiVersions(range: ApiVersionRange): ApiVersionsResponse {
  return {
    errorCode: ErrorCodes.UNSUPPORTED_VERSION,
    apiKeys: [range],
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1n,
    finalizedFeatures: [],
    zkMigrationReady: false,
  }
}
