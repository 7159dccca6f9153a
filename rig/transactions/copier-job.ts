/** The bugs, of an application or of a producer, that the lane `transactions` must find. */
export const COPIER_PLANTS = [
  'offsets outside the transaction',
  'commit instead of abort',
  'one transaction made two',
  'some records not sent',
  'two records swapped',
] as const
export type CopierPlant = (typeof COPIER_PLANTS)[number]

/** What a copier is to do; its only argument, as JSON. */
export interface CopierJob {
  readonly bootstrapServers: string
  readonly input: string
  readonly output: string
  readonly groupId: string
  /** Which life of this client it is, from 1 on. */
  readonly life: number
  readonly recordsPerPoll: number
  readonly plant: CopierPlant | null
}

/** What it says it is about to do. */
export const COPIER_PHASES = ['sending', 'offsets', 'committing', 'aborting', 'polling'] as const
export type CopierPhase = (typeof COPIER_PHASES)[number]
