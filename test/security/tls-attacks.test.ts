import { test } from 'node:test'
import { opensslSkip } from '../helpers/certificates.js'
import { attackRuntime } from './tls-attack-rig.js'

test('hostile TLS servers get no record and no password, and are named', { skip: opensslSkip() }, () =>
  attackRuntime('current'),
)
