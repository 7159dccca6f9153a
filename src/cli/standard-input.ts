import { fstatSync } from 'node:fs'
import type { Readable } from 'node:stream'

/** What stdin is: `none` is the null device, or what nobody can write lines to. */
export type StandardInput = 'terminal' | 'piped' | 'none'

const STDIN = 0

export function standardInput(): StandardInput {
  if (process.stdin.isTTY === true) return 'terminal'
  try {
    const stats = fstatSync(STDIN)
    return stats.isFIFO() || stats.isFile() || stats.isSocket() ? 'piped' : 'none'
  } catch {
    return 'none'
  }
}

/** Whether there is a byte before the end. Waits for either, and leaves all bytes to be read. */
export function hasInput(input: Readable): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onReadable = () => {
      if (input.readableLength > 0) end(() => resolve(true))
      // Else the end is emitted only if somebody reads.
      else input.read(0)
    }
    const onEnd = () => end(() => resolve(false))
    const onError = (error: Error) => end(() => reject(error))
    const end = (settle: () => void) => {
      input.off('readable', onReadable).off('end', onEnd).off('error', onError)
      settle()
    }
    input.on('readable', onReadable).on('end', onEnd).on('error', onError)
  })
}
