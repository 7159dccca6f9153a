import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { NativeAddonError } from '../../dist/errors/index.js'
import { addonPaths, loadAddon, loadFrom, targetName } from '../../dist/native/load.js'

test('the addon is loaded once', () => {
  assert.equal(loadAddon(), loadAddon())
  assert.equal(typeof loadAddon().createCore, 'function')
})

test('a build in the package comes before the prebuild of the platform', () => {
  const [build, prebuild] = addonPaths(undefined)
  assert.match(build ?? '', /build.Release.millrace\.node$/)
  assert.match(prebuild ?? '', new RegExp(`prebuilds.${targetName()}.millrace\\.node$`))
  assert.ok(targetName().startsWith(`${process.platform}-${process.arch}`))
})

test('a path in the environment is the only one tried', () => {
  assert.deepEqual(addonPaths('/elsewhere/millrace.node'), ['/elsewhere/millrace.node'])
})

test('a missing or broken addon is one error that says what was tried and how to get it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  try {
    const absent = join(folder, 'absent.node')
    const broken = join(folder, 'broken.node')
    writeFileSync(broken, 'not a shared library')
    assert.throws(
      () => loadFrom([absent, broken]),
      (error: unknown) => {
        assert.ok(error instanceof NativeAddonError)
        assert.equal(error.code, 'NATIVE_ADDON')
        assert.ok(error.message.includes(`${absent}: not there`))
        assert.ok(error.message.includes(`${broken}: `))
        assert.ok(error.message.includes(targetName()))
        assert.match(error.message, /npm rebuild millrace/)
        assert.match(error.message, /linux-arm64-musl/)
        assert.ok(error.cause instanceof Error)
        return true
      },
    )
    const usable = addonPaths(process.env.MILLRACE_ADDON)[0] ?? ''
    assert.equal(typeof loadFrom([absent, broken, usable]).createCore, 'function')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
