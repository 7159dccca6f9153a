import type { KafkaGround } from '../kafka-ground.js'

/** Levels of the cluster's feature `transaction.version`, which choose the protocol's generation. */
export const GENERATIONS = [2, 1] as const
export type Generation = (typeof GENERATIONS)[number]

/** Sees to it that transactions from now on are of the generation. */
export async function useGeneration({ admin }: KafkaGround, generation: Generation): Promise<void> {
  await admin.setFeature('transaction.version', generation)
}
