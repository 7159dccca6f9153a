import { printable } from './printable.js'
import type { Progress } from './progress.js'

/**
 * What a command writes: results on stdout, everything else on stderr. One place for both, so that no line
 * tears the progress that is being drawn, and nothing that came from outside reaches a terminal unescaped.
 */
export class Output {
  progress: Progress | null = null
  /** Called when nobody reads stdout any more, as after `| head`. */
  onReaderGone: () => void = () => {}
  #isReaderGone = false
  #drained: Promise<void> | null = null

  constructor() {
    process.stdout.once('error', () => {
      this.#isReaderGone = true
      this.onReaderGone()
    })
  }

  /** A message of one line on stderr. */
  note(text: string): void {
    const line = printable(text)
    if (this.progress) this.progress.note(line)
    else process.stderr.write(`${line}\n`)
  }

  /** A result of one line on stdout. */
  print(text: string): void {
    this.raw(`${printable(text)}\n`)
  }

  /** As {@link print}, of what is known to be printable or is not for a terminal. */
  raw(data: string | Uint8Array): void {
    if (this.#isReaderGone) return
    if (process.stdout.isTTY) this.progress?.clear()
    process.stdout.write(data)
  }

  /** Resolves when the reader of stdout has taken enough for more, or has gone. */
  async drained(): Promise<void> {
    if (this.#isReaderGone || !process.stdout.writableNeedDrain) return
    this.#drained ??= new Promise(resolve => {
      const done = () => {
        this.#drained = null
        process.stdout.off('drain', done)
        process.stdout.off('error', done)
        resolve()
      }
      process.stdout.on('drain', done)
      process.stdout.on('error', done)
    })
    await this.#drained
  }

  /** Draws the progress a last time and ends its line. */
  endProgress(): void {
    this.progress?.stop()
    this.progress = null
  }
}
