import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { opensslSkip } from '../helpers/certificates.js'
import { attackRuntime } from '../security/tls-attack-rig.js'

const runner = fileURLToPath(new URL('../../test/runtimes/run.mjs', import.meta.url))
const SUITES = [
  'security/canaries',
  'security/canary-failures',
  'security/canary-options',
  'security/hostile-text',
  'security/oidc',
  'security/sasl-attacks',
  'security/sessions',
  'security/tls',
  'security/tls-trust',
  'schema-registry/canaries',
]

describe('security on every runtime', { skip: opensslSkip(), concurrency: 2 }, () => {
  for (const runtime of ['bun', 'deno']) {
    test(`${runtime} passes what Node passes, and gives hostile TLS servers nothing`, async () => {
      const paths = SUITES.map(name => fileURLToPath(new URL(`../${name}.test.js`, import.meta.url)))
      const args = [runner, ...paths.flatMap(path => ['--suite', path]), runtime]
      const child = spawn(process.execPath, args)
      let output = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
      const [status] = await once(child, 'close')
      assert.equal(status, 0, output)
      await attackRuntime(runtime)
    })
  }
})
