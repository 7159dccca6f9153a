// `npx millrace build-addon` in a project whose package lacks the addon of this platform: before it every send
// is refused with what helps, after it records are delivered.
import assert from 'node:assert/strict'
import { existsSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Installer, program } from './installers.js'
import type { Project } from './project.js'

const PREBUILDS = 'node_modules/millrace/prebuilds'
const BUILT = 'node_modules/millrace/build/Release/millrace.node'

/** Takes the prebuilds of this platform away and compiles an addon, with the compilers of the PATH. */
export async function buildsAddon(installer: Installer, project: Project): Promise<void> {
  const modules = realpathSync(join(project.folder, 'node_modules/millrace'))
  assert.ok(modules.startsWith(realpathSync(project.folder)), `${modules} is shared with others`)
  for (const name of [`${process.platform}-${process.arch}`, `${process.platform}-${process.arch}-musl`]) {
    rmSync(join(project.folder, PREBUILDS, name), { recursive: true, force: true })
  }
  await assert.rejects(project.run(process.execPath, ['requires.cjs']), /npx millrace build-addon/)
  const withCompilers = { ...project.env, PATH: process.env.PATH, TMPDIR: project.folder }
  await project.run(program(installer.runtime), installer.exec(['millrace', 'build-addon']), withCompilers)
  assert.ok(existsSync(join(project.folder, BUILT)), `no ${BUILT}`)
  await project.delivers(process.execPath, ['requires.cjs'])
}
