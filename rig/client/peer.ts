import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Adapter, Settle, Stretch } from './driver.js'

/** Where `npm ci` puts the peers: they are no dependencies of the package and have no types here. */
const FOLDER = fileURLToPath(new URL('../../bench/peers/node/', import.meta.url))
const require = createRequire(join(FOLDER, 'package.json'))

// biome-ignore lint/suspicious/noExplicitAny: peers are installed on demand, so their types are not there
export type Untyped = any

/** Loads a peer as CommonJS. */
export function loadPeer(name: string): Untyped {
  return require(name)
}

/** Loads a peer that is an ES module, by the file its manifest names. */
export async function importPeer(name: string): Promise<Untyped> {
  const folder = join(FOLDER, 'node_modules', name)
  const { exports: entry, main } = manifestOf(name)
  const file = typeof entry === 'string' ? entry : (entry?.['.']?.default ?? entry?.['.']?.import ?? main)
  return await import(pathToFileURL(join(folder, file)).href)
}

function manifestOf(name: string): Untyped {
  return JSON.parse(readFileSync(join(FOLDER, 'node_modules', name, 'package.json'), 'utf8'))
}

/** A producer whose `send` takes several records of one partition and promises one outcome, with a base offset. */
export abstract class PeerAdapter implements Adapter {
  readonly copies = false
  readonly versions: Record<string, string>

  constructor(name: string, version: string = manifestOf(name).version) {
    this.versions = { [name]: version, node: process.versions.node }
  }

  abstract connect(): Promise<void>
  abstract close(): Promise<void>
  /** Resolves to the offset of the first record. */
  protected abstract sendAll(topic: string, partition: number, values: readonly Buffer[]): Promise<number>

  send({ topic, partition, values }: Stretch, settle: Settle): void {
    const settleAll = (base: number, error: Error | null) => {
      for (let i = 0; i < values.length; i++) settle(i, partition, base < 0 ? -1 : base + i, error)
    }
    this.sendAll(topic, partition, values).then(
      base => settleAll(base, null),
      (error: Error) => settleAll(-1, error),
    )
  }

  /** Nothing that peers reject with says for certain that no attempt was stored. */
  isDefinite(): boolean {
    return false
  }
}
