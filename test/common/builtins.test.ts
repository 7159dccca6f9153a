// What a plain producer does without is not loaded.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const SCRIPT = `
  const { Producer } = await import(process.argv[1])
  const loaded = () => process.moduleLoadList.filter(name => /^NativeModule (tls|crypto|https?|zlib)$/.test(name))
  const options = JSON.parse(process.argv[2])
  const producer = new Producer({ bootstrapServers: '127.0.0.1:1', ...options })
  console.log(loaded().join())
  await producer.close({ timeoutMs: 0 })
`

async function loadedWith(options: object): Promise<string> {
  const index = new URL('../../dist/index.js', import.meta.url).href
  const args = ['--input-type=module', '-e', SCRIPT, index, JSON.stringify(options)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 })
  return stdout.trim()
}

test('a plain producer loads neither TLS, cryptography, https nor zlib: they take memory', async () => {
  assert.equal(await loadedWith({}), '')
})

test('what an option needs is loaded', async () => {
  assert.match(await loadedWith({ compressionType: 'gzip', securityProtocol: 'SSL' }), /tls/)
})
