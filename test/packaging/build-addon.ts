// `npx millrace build-addon` in a project whose package lacks the addon of this platform: before it every send
// is refused with what helps, after it records are delivered.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Installer, installedIn, program } from './installers.js'
import type { Project } from './project.js'

const BUILT = 'build/Release/millrace.node'

/** Takes the prebuilds of this platform away and compiles an addon, with the compilers of the PATH. */
export async function buildsAddon(installer: Installer, project: Project): Promise<void> {
  const own = realpathSync(installedIn(project).own)
  assert.ok(own.startsWith(realpathSync(project.folder)), `${own} is shared with others`)
  for (const name of [`${process.platform}-${process.arch}`, `${process.platform}-${process.arch}-musl`]) {
    rmSync(join(own, 'prebuilds', name), { recursive: true, force: true })
  }
  await assert.rejects(project.run(process.execPath, ['requires.cjs']), /npx millrace build-addon/)
  const folder = mkdtempSync(join(tmpdir(), 'millrace compiled ü '))
  try {
    const withCompilers = { ...project.env, PATH: process.env.PATH, TMPDIR: folder }
    await project.run(program(installer.runtime), installer.exec(['millrace', 'build-addon']), withCompilers)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  assert.ok(existsSync(join(own, BUILT)), `no ${BUILT}`)
  await project.delivers(process.execPath, ['requires.cjs'])
}
