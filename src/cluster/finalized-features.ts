import type { ApiVersionsResponse, FinalizedFeature } from '../protocol/api-versions.js'

/** What a broker has told of the features that the cluster has agreed on. */
export type TellsFeatures = Pick<ApiVersionsResponse, 'finalizedFeaturesEpoch' | 'finalizedFeatures'>

/** The cluster's features, of the latest epoch that any broker has told (KIP-584). */
export class FinalizedFeatures {
  private epoch = -1n
  private features: readonly FinalizedFeature[] = []

  take({ finalizedFeaturesEpoch, finalizedFeatures }: TellsFeatures): void {
    if (finalizedFeaturesEpoch <= this.epoch) return
    this.epoch = finalizedFeaturesEpoch
    this.features = finalizedFeatures
  }

  /** The highest level of a feature that may be used; 0 where the cluster has not got it. */
  level(name: string): number {
    return this.features.find(feature => feature.name === name)?.maxVersionLevel ?? 0
  }
}
