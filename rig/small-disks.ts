import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const CHUNK = Buffer.alloc(1 << 20)

/** Why small disks cannot be made here: mounting takes the rights of root, and Linux. */
export function smallDisksSkip(): string | false {
  if (process.platform === 'linux' && process.getuid?.() === 0) return false
  return 'a small disk is a mounted tmpfs, which takes Linux and root'
}

/** A disk of a few MiB for each node: a tmpfs, so that it is really full when it is. */
export class SmallDisks implements Disposable {
  private readonly folder = mkdtempSync(join(tmpdir(), 'millrace-disks-'))
  private readonly mounted: string[] = []
  private readonly atExit = () => this[Symbol.dispose]()

  constructor(nodes: number, mib: number) {
    process.once('exit', this.atExit)
    for (let id = 1; id <= nodes; id++) {
      const path = this.pathOf(id)
      mkdirSync(path)
      command('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'millrace-disk', path])
      this.mounted.push(path)
    }
  }

  pathOf(node: number): string {
    return join(this.folder, String(node))
  }

  /** Two log folders, of which one is on the small disk; the log of the metadata is not on it. */
  propertiesOf(node: number): Record<string, string> {
    const beside = join(this.folder, `beside-${node}`)
    return {
      'log.dirs': [join(this.pathOf(node), 'data'), join(beside, 'data')].join(','),
      'metadata.log.dir': join(beside, 'metadata'),
    }
  }

  /** Fills the disk to its last byte. */
  fill(node: number): void {
    const file = openSync(this.ballastOf(node), 'w')
    try {
      for (let size = CHUNK.length; size > 0; ) {
        try {
          writeSync(file, CHUNK, 0, size)
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
          size >>= 1
        }
      }
    } finally {
      closeSync(file)
    }
  }

  /** Takes away what `fill` has put there. */
  free(node: number): void {
    rmSync(this.ballastOf(node), { force: true })
  }

  freeBytes(node: number): number {
    const { bavail, bsize } = statfsSync(this.pathOf(node))
    return bavail * bsize
  }

  [Symbol.dispose](): void {
    process.off('exit', this.atExit)
    // Lazily: a node that was killed may have left it a moment ago.
    for (const path of this.mounted.splice(0)) command('umount', ['--lazy', path])
    rmSync(this.folder, { recursive: true, force: true })
  }

  private ballastOf(node: number): string {
    return join(this.pathOf(node), 'ballast')
  }
}

function command(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`)
}
