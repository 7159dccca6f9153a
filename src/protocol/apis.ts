import { AddOffsetsToTxn } from './add-offsets-to-txn.js'
import { AddPartitionsToTxn } from './add-partitions-to-txn.js'
import type { Api } from './api.js'
import { ApiVersions } from './api-versions.js'
import { CreateTopics } from './create-topics.js'
import { DescribeTransactions } from './describe-transactions.js'
import { EndTxn } from './end-txn.js'
import { Fetch } from './fetch.js'
import { FindCoordinator } from './find-coordinator.js'
import { GetTelemetrySubscriptions } from './get-telemetry-subscriptions.js'
import { InitProducerId } from './init-producer-id.js'
import { ListOffsets } from './list-offsets.js'
import { Metadata } from './metadata.js'
import { Produce } from './produce.js'
import { PushTelemetry } from './push-telemetry.js'
import { SaslAuthenticate } from './sasl-authenticate.js'
import { SaslHandshake } from './sasl-handshake.js'
import { TxnOffsetCommit } from './txn-offset-commit.js'

/** An API whose bodies are of no concern to the caller. */
// biome-ignore lint/suspicious/noExplicitAny: bodies are both parameter and result: no other type fits all
export type AnyApi = Api<any, any>

/** Every API this client speaks, by ascending key. */
export const apis: readonly AnyApi[] = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  FindCoordinator,
  SaslHandshake,
  ApiVersions,
  CreateTopics,
  InitProducerId,
  AddPartitionsToTxn,
  AddOffsetsToTxn,
  EndTxn,
  TxnOffsetCommit,
  SaslAuthenticate,
  DescribeTransactions,
  GetTelemetrySubscriptions,
  PushTelemetry,
]

/** The same by key. */
export const apisByKey: ReadonlyMap<number, AnyApi> = new Map(apis.map(api => [api.key, api]))
