import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// This file runs as dist-test/brokers/process.js, as deep below the root as its source.
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const CACHE = join(ROOT, '.cache/brokers')

const STOP_TIMEOUT_MS = 20_000

/** A broker that runs, whoever made it. */
export interface RunningBroker extends AsyncDisposable {
  readonly bootstrapServers: string
}

/** Starts a program that is killed when this process exits. */
export function startProgram(
  program: string,
  args: readonly string[],
  stderr: number | 'inherit',
): ChildProcess {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', stderr] })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** Ends a program, by force if it does not go. */
export async function stopProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}
