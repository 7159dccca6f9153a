import type { Api } from '../protocol/api.js'
import type { ApiVersionRange } from '../protocol/api-versions.js'
import { Metadata } from '../protocol/metadata.js'
import type { TellsFeatures } from './finalized-features.js'

/** What an API is called by and which versions of it the client implements. */
// biome-ignore lint/suspicious/noExplicitAny: versions do not depend on the bodies
export type AnyApi = Api<any, any>

const NO_FEATURES: TellsFeatures = { finalizedFeaturesEpoch: -1n, finalizedFeatures: [] }

/** First version that can ask for topics to be created on first use; it came with Kafka 0.11. */
export const METADATA_VERSION_MIN = 4
const TOO_OLD = 'is older than Kafka 0.11, which this client needs'

/** The versions one broker announced. */
export class ApiVersionTable {
  readonly features: TellsFeatures
  private readonly ranges = new Map<number, ApiVersionRange>()

  constructor(ranges: readonly ApiVersionRange[], features: TellsFeatures = NO_FEATURES) {
    this.features = features
    for (const range of ranges) {
      if (range.minVersion >= 0 && range.maxVersion >= range.minVersion) this.ranges.set(range.apiKey, range)
    }
  }

  /** Highest version that broker, client and the given bounds have in common; -1: none. */
  highest(api: AnyApi, minVersion: number = api.minVersion, maxVersion: number = api.maxVersion): number {
    const range = this.ranges.get(api.key)
    if (range === undefined) return -1
    const highest = Math.min(range.maxVersion, api.maxVersion, maxVersion)
    return highest >= Math.max(range.minVersion, api.minVersion, minVersion) ? highest : -1
  }

  /** Says of a broker that it is too old for this client, for messages; null if it is not. */
  get tooOld(): string | null {
    return this.highest(Metadata, METADATA_VERSION_MIN) < 0 ? TOO_OLD : null
  }

  /** What the broker announced, for messages. */
  describe(api: AnyApi): string {
    const range = this.ranges.get(api.key)
    return range === undefined ? 'none' : `${range.minVersion} to ${range.maxVersion}`
  }
}
