import { test } from 'node:test'
import { opensslSkip } from '../helpers/certificates.js'
import { attackRuntime } from '../security/tls-attack-rig.js'

for (const runtime of ['bun', 'deno']) {
  test(`hostile TLS servers get no record and no password from ${runtime}`, { skip: opensslSkip() }, () =>
    attackRuntime(runtime),
  )
}
