import type { Buffer } from 'node:buffer'
import { promises, readFileSync, type Stats, statSync } from 'node:fs'
import { reasonOf } from '../../common/foreign-text.js'
import { shownValue } from '../../common/secret.js'
import { ConfigError } from '../../errors/index.js'

/** Store files by their path. */
export type Files = ReadonlyMap<string, Buffer>

/** Many times a bundle of all public authorities, and parsed in no time. */
const FILE_BYTES_MAX = 1024 * 1024
/** A file may be written twice within one tick of the clock its times are taken from. */
const SETTLED_AFTER_MS = 2_000

interface Kept {
  readonly stats: Stats
  readonly readAtMs: number
  readonly bytes: Buffer
}

/** Reads store files, and reads again only those that may have changed. */
export class StoreFiles {
  private readonly paths: readonly string[]
  /** What messages call such a file. */
  private readonly noun: string
  /** Keys are in here: out of reach of `util.inspect`. */
  readonly #kept = new Map<string, Kept>()

  constructor(paths: readonly string[], noun = 'the store file') {
    this.paths = paths
    this.noun = noun
  }

  /** @throws ConfigError for a file that cannot be read, is no regular one, or is far too large */
  readNow(): Files {
    return new Map(
      this.paths.map(path => {
        try {
          const stats = checked(statSync(path))
          return [path, this.keep(path, stats, readFileSync(path))]
        } catch (cause) {
          throw unreadable(this.noun, path, cause)
        }
      }),
    )
  }

  /** As {@link readNow}, beside the event loop. */
  async read(): Promise<Files> {
    return new Map(await Promise.all(this.paths.map(async path => [path, await this.readOne(path)] as const)))
  }

  private async readOne(path: string): Promise<Buffer> {
    try {
      const stats = checked(await promises.stat(path))
      const kept = this.#kept.get(path)
      if (kept !== undefined && isUnchanged(kept, stats)) return kept.bytes
      return this.keep(path, stats, await promises.readFile(path))
    } catch (cause) {
      throw unreadable(this.noun, path, cause)
    }
  }

  private keep(path: string, stats: Stats, bytes: Buffer): Buffer {
    const kept = this.#kept.get(path)?.bytes
    // The same bytes stay the same object, which makes them quick to compare.
    const same = kept?.equals(bytes) ? kept : bytes
    this.#kept.set(path, { stats, readAtMs: Date.now(), bytes: same })
    return same
  }
}

export function sameFiles(left: Files, right: Files): boolean {
  return [...left].every(([path, bytes]) => right.get(path)?.equals(bytes))
}

function isUnchanged({ stats, readAtMs }: Kept, now: Stats): boolean {
  const isSame =
    now.mtimeMs === stats.mtimeMs &&
    now.ctimeMs === stats.ctimeMs &&
    now.size === stats.size &&
    now.ino === stats.ino
  return isSame && Math.max(stats.mtimeMs, stats.ctimeMs) < readAtMs - SETTLED_AFTER_MS
}

/** Pipes and devices have no end, or hold whoever reads them. */
function checked(stats: Stats): Stats {
  if (!stats.isFile()) throw new Error('it is not a regular file')
  if (stats.size > FILE_BYTES_MAX) {
    throw new Error(`it has ${stats.size} bytes, more than ${FILE_BYTES_MAX}`)
  }
  return stats
}

/** Of the system's errors only the code: their message has the path in it. */
function unreadable(noun: string, path: string, cause: unknown): ConfigError {
  const code = (cause as NodeJS.ErrnoException).code
  const reason = typeof code === 'string' ? code : reasonOf(cause)
  return new ConfigError(`${noun} ${shownValue(path)} cannot be read: ${reason}`)
}
