import { AddOffsetsToTxn } from '../../protocol/add-offsets-to-txn.js'
import { AddPartitionsToTxn } from '../../protocol/add-partitions-to-txn.js'
import type { Api } from '../../protocol/api.js'
import { type ApiVersionRange, ApiVersions } from '../../protocol/api-versions.js'
import type { AnyApi } from '../../protocol/apis.js'
import { CreateTopics } from '../../protocol/create-topics.js'
import { DescribeTransactions } from '../../protocol/describe-transactions.js'
import { EndTxn } from '../../protocol/end-txn.js'
import { Fetch } from '../../protocol/fetch.js'
import { FindCoordinator } from '../../protocol/find-coordinator.js'
import { GetTelemetrySubscriptions } from '../../protocol/get-telemetry-subscriptions.js'
import { INIT_PRODUCER_ID_ONE_PHASE_MAX, InitProducerId } from '../../protocol/init-producer-id.js'
import { ListOffsets } from '../../protocol/list-offsets.js'
import { Metadata } from '../../protocol/metadata.js'
import { Produce } from '../../protocol/produce.js'
import { PushTelemetry } from '../../protocol/push-telemetry.js'
import { SaslAuthenticate } from '../../protocol/sasl-authenticate.js'
import { SaslHandshake } from '../../protocol/sasl-handshake.js'
import { TxnOffsetCommit } from '../../protocol/txn-offset-commit.js'
import type { ApiName } from '../api-names.js'
import type { BrokerSettings } from '../options.js'
import { handleAddOffsetsToTxn } from './add-offsets-to-txn.js'
import { handleAddPartitionsToTxn } from './add-partitions-to-txn.js'
import { handleApiVersions } from './api-versions.js'
import type { Disconnect, NO_REPLY, RequestContext } from './context.js'
import { handleCreateTopics } from './create-topics.js'
import { handleDescribeTransactions } from './describe-transactions.js'
import { handleEndTxn } from './end-txn.js'
import { handleFetch } from './fetch.js'
import { handleFindCoordinator } from './find-coordinator.js'
import { handleInitProducerId } from './init-producer-id.js'
import { handleListOffsets } from './list-offsets.js'
import { handleMetadata } from './metadata.js'
import { handleProduce } from './produce.js'
import { handleSaslAuthenticate, handleSaslHandshake } from './sasl.js'
import { handleGetTelemetrySubscriptions, handlePushTelemetry } from './telemetry.js'
import { handleTxnOffsetCommit } from './txn-offset-commit.js'

/** What a handler gives: the body of the response, now or later, or that there is none. */
export type Outcome = object | typeof NO_REPLY | Disconnect

/** An API and who answers it; the bodies fit each other, which {@link serve} has seen to. */
export interface ServedApi {
  readonly name: ApiName
  readonly api: AnyApi
  handle(context: RequestContext, request: object): Outcome | Promise<Outcome>
}

function serve<Request extends object, Response extends object>(
  name: ApiName,
  api: Api<Request, Response>,
  handle: (
    context: RequestContext,
    request: Request,
  ) => Response | Promise<Response> | typeof NO_REPLY | Disconnect,
): ServedApi {
  return { name, api, handle: (context, request) => handle(context, request as Request) }
}

const served: readonly ServedApi[] = [
  serve('Produce', Produce, handleProduce),
  serve('Fetch', Fetch, handleFetch),
  serve('ListOffsets', ListOffsets, handleListOffsets),
  serve('Metadata', Metadata, handleMetadata),
  serve('FindCoordinator', FindCoordinator, handleFindCoordinator),
  serve('SaslHandshake', SaslHandshake, handleSaslHandshake),
  serve('ApiVersions', ApiVersions, handleApiVersions),
  serve('CreateTopics', CreateTopics, handleCreateTopics),
  serve('InitProducerId', InitProducerId, handleInitProducerId),
  serve('AddPartitionsToTxn', AddPartitionsToTxn, handleAddPartitionsToTxn),
  serve('AddOffsetsToTxn', AddOffsetsToTxn, handleAddOffsetsToTxn),
  serve('EndTxn', EndTxn, handleEndTxn),
  serve('TxnOffsetCommit', TxnOffsetCommit, handleTxnOffsetCommit),
  serve('SaslAuthenticate', SaslAuthenticate, handleSaslAuthenticate),
  serve('DescribeTransactions', DescribeTransactions, handleDescribeTransactions),
  serve('GetTelemetrySubscriptions', GetTelemetrySubscriptions, handleGetTelemetrySubscriptions),
  serve('PushTelemetry', PushTelemetry, handlePushTelemetry),
]

/** The served APIs by key. */
export const servedApis: ReadonlyMap<number, ServedApi> = new Map(served.map(entry => [entry.api.key, entry]))

/**
 * Kafka announces Produce from version 0 on and refuses 0 to 2: clients of librdkafka take the lowest version
 * for a sign of what else the broker can do.
 */
const PRODUCE_ANNOUNCED_FROM = 0

/** Brokers have these only where something takes the metrics. */
const TELEMETRY: readonly AnyApi[] = [GetTelemetrySubscriptions, PushTelemetry]

/** What ApiVersions tells, by API key. */
export function announcedRanges({
  apiVersions,
  telemetry,
}: Pick<BrokerSettings, 'apiVersions' | 'telemetry'>): Map<number, ApiVersionRange> {
  const ranges = new Map<number, ApiVersionRange>()
  for (const { name, api } of served) {
    const override = apiVersions[name]
    if (override === null || (telemetry === null && TELEMETRY.includes(api))) continue
    const lowest = api === Produce ? PRODUCE_ANNOUNCED_FROM : api.minVersion
    const highest = api === InitProducerId ? INIT_PRODUCER_ID_ONE_PHASE_MAX : api.maxVersion
    const [minVersion, maxVersion] = override ?? [lowest, highest]
    ranges.set(api.key, { apiKey: api.key, minVersion, maxVersion })
  }
  return ranges
}
