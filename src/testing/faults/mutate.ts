import type { ApiName } from '../api-names.js'

/** Takes a reply's frame with its length prefix; answers what to send instead, null for nothing. */
export type ReplyMutator = (api: ApiName, version: number, bytes: Buffer) => Buffer | null

/** Replies that are changed on their way. */
export class Mutators {
  private readonly mutators = new Set<ReplyMutator>()

  /** Answers how to end it. */
  add(mutator: ReplyMutator): () => void {
    this.mutators.add(mutator)
    return () => this.mutators.delete(mutator)
  }

  clear(): void {
    this.mutators.clear()
  }

  mutate(api: ApiName, version: number, frame: Buffer): Buffer | null {
    let bytes: Buffer | null = frame
    for (const mutator of this.mutators) {
      if (bytes === null) return null
      bytes = mutator(api, version, bytes)
    }
    return bytes
  }
}
