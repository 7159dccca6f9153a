import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { NativeAddonError } from '../../dist/errors/index.js'
import { addonPlaces, loadAddon, loadFrom } from '../../dist/native/load.js'
import { compiledFor } from '../../dist/native/object-kind.js'
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

test('a relative path in the environment begins at the working directory', () => {
  const [place] = addonPlaces('somewhere/millrace.node')
  assert.equal(place?.path, join(process.cwd(), 'somewhere', 'millrace.node'))
})

/** An ELF file, as far as the loader looks: for a processor, with the name of the C library in it. */
function elf(machine: number, libc: string): Buffer {
  const bytes = Buffer.alloc(256)
  bytes.write('\x7fELF\x02\x01\x01', 'latin1')
  bytes.writeUInt16LE(machine, 18)
  bytes.write(`\0${libc}\0`, 64, 'latin1')
  return bytes
}

function machO(processor: number): Buffer {
  const bytes = Buffer.alloc(256)
  bytes.writeUInt32LE(0xfeedfacf)
  bytes.writeUInt32LE(processor, 4)
  return bytes
}

function pe(machine: number): Buffer {
  const bytes = Buffer.alloc(256)
  bytes.write('MZ', 'latin1')
  bytes.writeUInt32LE(128, 0x3c)
  bytes.writeUInt16LE(machine, 132)
  return bytes
}

test('a file for another platform is named as such', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  const files: readonly (readonly [bytes: Buffer, target: string | undefined])[] = [
    [elf(62, 'libc.so.6'), 'linux-x64'],
    [elf(62, 'libc.so'), 'linux-x64-musl'],
    [elf(183, 'libc.so.6'), 'linux-arm64'],
    [elf(243, 'libc.so.6'), 'linux-other'],
    [machO(0x01000007), 'darwin-x64'],
    [machO(0x0100000c), 'darwin-arm64'],
    [pe(0x8664), 'win32-x64'],
    [pe(0xaa64), 'win32-arm64'],
    [Buffer.from('a text, and no more than that'), undefined],
    [Buffer.from('MZ'), undefined],
    [Buffer.alloc(0), undefined],
  ]
  try {
    for (const [index, [bytes, target]] of files.entries()) {
      const path = join(folder, `${index}.node`)
      writeFileSync(path, bytes)
      assert.equal(compiledFor(path), target)
      const refused = (error: unknown) => {
        const told = error instanceof Error ? error.message : ''
        assert.equal(told.includes(`${path}: is for `), target !== undefined && target !== targetName(), told)
        return true
      }
      assert.throws(() => loadFrom(addonPlaces(path)), refused)
    }
    assert.equal(compiledFor(join(folder, 'absent.node')), undefined)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what is no addon of this version is refused, and no JavaScript is run in its place', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mill race ü 日本 #%41 '))
  const refuses = (path: string, reason: RegExp) => {
    assert.throws(() => loadFrom(addonPlaces(path)), { code: 'NATIVE_ADDON', message: reason })
  }
  const pretends = (loaded: unknown) => () => loadFrom([{ path: 'x.node', load: () => loaded }])
  const script = "throw new Error('it was run')\n"
  try {
    writeFileSync(join(folder, 'script.js'), script)
    writeFileSync(join(folder, 'index.js'), script)
    mkdirSync(join(folder, 'folder.node'))
    writeFileSync(join(folder, 'folder.node/index.js'), script)
    refuses(join(folder, 'script.js'), /script\.js: its name does not end in \.node/)
    refuses(folder, /is not a file/)
    refuses(join(folder, 'folder.node'), /is not a file/)
    refuses('C:\\Users\\me\\millrace.node', /C:\\Users\\me\\millrace\.node: not there/)
    for (const other of [{}, null, undefined, 17, { createCore: 'text' }]) {
      assert.throws(pretends(other), /x\.node: is not an addon of millrace/)
    }
    assert.throws(
      pretends({ createCore() {}, version: '0.0.1' }),
      /is the addon of millrace 0\.0\.1, not of /,
    )
    // A place of this name is no hindrance.
    const own = join(folder, 'mine.node')
    copyFileSync(addonPlaces(process.env.MILLRACE_ADDON)[0]?.path ?? '', own)
    assert.equal(typeof loadFrom(addonPlaces(own)).createCore, 'function')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what may not be looked at hides nothing that comes after, and is the reason where nothing does', () => {
  const refused = {
    path: '/refused/millrace.node',
    load: () => {
      throw Object.assign(new Error('no'), { name: 'NotCapable', code: 'ERR_ACCESS_DENIED' })
    },
  }
  const usable = addonPlaces(process.env.MILLRACE_ADDON)[0] ?? refused
  assert.equal(loadFrom([refused, usable]), usable.load())
  assert.throws(() => loadFrom([refused, { ...refused, path: '/b.node' }]), { code: 'PERMISSION_DENIED' })
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
