import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { NativeAddonError } from '../../dist/errors/index.js'
import { addonPlaces, loadAddon, loadFrom } from '../../dist/native/load.js'
import { prebuilds } from '../../dist/native/prebuilds.js'
import { mapsMusl, targetName, targets } from '../../dist/native/target.js'

test('the addon is loaded once', () => {
  assert.equal(loadAddon(), loadAddon())
  assert.equal(typeof loadAddon().createCore, 'function')
})

test('a build in the package comes before the prebuild of the platform', () => {
  const [build, prebuild] = addonPlaces(undefined)
  assert.match(build?.path ?? '', /build.Release.millrace\.node$/)
  assert.match(prebuild?.path ?? '', new RegExp(`prebuilds.${targetName()}.millrace\\.node$`))
  assert.ok(targetName().startsWith(`${process.platform}-${process.arch}`))
})

test('the loader looks for exactly the targets that the builder builds', () => {
  const names = targets().targets.map(({ name }) => name)
  assert.deepEqual(Object.keys(prebuilds), names)
  for (const { name, platform, arch, libc } of targets().targets) {
    assert.equal(name, `${platform}-${arch}${libc === 'musl' ? '-musl' : ''}`)
    const load = String(prebuilds[name])
    assert.ok(load.includes(`require('../../prebuilds/${name}/millrace.node')`), load)
  }
})

test('a path in the environment is the only one tried', () => {
  const paths = addonPlaces('/elsewhere/millrace.node').map(({ path }) => path)
  assert.deepEqual(paths, ['/elsewhere/millrace.node'])
})

test('musl is told by what the process has mapped, whatever is installed beside', () => {
  const line = (path: string) => `7f01-7f02 r-xp 00000000 08:01 1234    ${path}\n`
  assert.equal(mapsMusl(line('/usr/bin/node') + line('/lib/ld-musl-x86_64.so.1')), true)
  assert.equal(mapsMusl(line('/lib/libc.musl-aarch64.so.1')), true)
  assert.equal(mapsMusl(line('/usr/bin/node') + line('/usr/lib/x86_64-linux-musl/libc.so')), true)
  assert.equal(mapsMusl(line('/usr/lib/x86_64-linux-gnu/libc.so.6')), false)
  assert.equal(mapsMusl(line('/lib64/ld-linux-x86-64.so.2')), false)
  assert.equal(mapsMusl(line('/usr/bin/node')), undefined)
})

test('a missing or broken addon is one error that says what was tried and three things that help', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  const place = (path: string) => addonPlaces(path)[0] as ReturnType<typeof addonPlaces>[0]
  try {
    const absent = join(folder, 'absent.node')
    const broken = join(folder, 'broken.node')
    writeFileSync(broken, 'not a shared library')
    assert.throws(
      () => loadFrom([place(absent), place(broken)]),
      (error: unknown) => {
        assert.ok(error instanceof NativeAddonError)
        assert.equal(error.code, 'NATIVE_ADDON')
        assert.ok(error.message.includes(`${absent}: not there`))
        assert.ok(error.message.includes(`${broken}: `))
        assert.ok(error.message.includes(targetName()))
        assert.ok(error.message.includes(`Node-API ${process.versions.napi}`))
        for (const remedy of [/linux-arm64-musl/, /npx millrace build-addon/, /MILLRACE_ADDON/]) {
          assert.match(error.message, remedy)
        }
        assert.ok(error.cause instanceof Error)
        return true
      },
    )
    const usable = addonPlaces(process.env.MILLRACE_ADDON)[0] ?? place('')
    assert.equal(typeof loadFrom([place(absent), place(broken), usable]).createCore, 'function')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
