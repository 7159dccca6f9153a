import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CACHE, ROOT, type RunningBroker, startProgram, stopProgram } from './process.js'

/** The version of kfake that go.mod names: a module without releases, so a date and a commit. */
export function kfakeVersion(): string {
  const goMod = readFileSync(join(ROOT, 'test/brokers/kfake/go.mod'), 'utf8')
  return /\/kfake v\S*-(\d{8})\d+-(\w+)/.exec(goMod)?.slice(1).join(' ') ?? 'unknown'
}

/** Starts franz-go's kfake; `node scripts/setup.mjs --kfake` must have built it. */
export async function startKfake(): Promise<RunningBroker> {
  const child = startProgram(join(CACHE, 'kfake'), [], 'inherit')
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`kfake ended with ${code}`))),
  ])) as [string]
  return { bootstrapServers: line.trim(), [Symbol.asyncDispose]: () => stopProgram(child) }
}
