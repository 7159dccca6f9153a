import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { freePort } from '../helpers/free-ports.js'

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
export const TIMEOUT_MS = 60_000

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Starts the command; `ended` resolves with what it wrote and its exit code. */
export function start(args: readonly string[], input: string | Buffer | null = '') {
  const child = spawn(process.execPath, [cli, ...args], { timeout: TIMEOUT_MS })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', text => {
      output[name] += text
    })
  }
  child.stdin.on('error', () => {})
  if (input !== null) child.stdin.end(input)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve({ code, ...output }))
  })
  return { child, output, ended }
}

export const run = (args: readonly string[], input: string | Buffer = '') => start(args, input).ended

export async function until(what: () => boolean): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS
  while (!what()) {
    if (Date.now() > deadline) throw new Error('it did not happen in time')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

export const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())

/** An address where nobody listens. */
export async function unreachable(): Promise<string> {
  return `127.0.0.1:${await freePort()}`
}
