import type { Api } from './api.js'
import { ApiVersions } from './api-versions.js'
import { InitProducerId } from './init-producer-id.js'
import { Metadata } from './metadata.js'
import { Produce } from './produce.js'

/** An API whose bodies are of no concern to the caller. */
// biome-ignore lint/suspicious/noExplicitAny: bodies stand on both sides of the codec, so no other type fits all
export type AnyApi = Api<any, any>

/** Every API this client speaks, by ascending key. */
export const apis: readonly AnyApi[] = [Produce, Metadata, ApiVersions, InitProducerId]

/** The same by key. */
export const apisByKey: ReadonlyMap<number, AnyApi> = new Map(apis.map(api => [api.key, api]))
