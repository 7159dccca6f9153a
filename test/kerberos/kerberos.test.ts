import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort } from '../helpers/free-ports.js'
import { type Kafka, startKafka } from '../kafka/broker.js'
import { JavaClient } from '../kafka/java-client.js'
import { Kdc, REALM } from './kdc.js'
import type { KerberosResult, KerberosRig } from './kerberos.suite.js'

const runner = fileURLToPath(new URL('../../test/runtimes/run.mjs', import.meta.url))
const suite = fileURLToPath(new URL('kerberos.suite.js', import.meta.url))
/** The package `kerberos` is installed and compiled for this lane only, and found while the lane runs. */
const compiled = fileURLToPath(new URL('../../test/kerberos/node_modules/kerberos', import.meta.url))
const link = fileURLToPath(new URL('../../node_modules/kerberos', import.meta.url))
const unlink = () => rmSync(link, { force: true })

const SESSION_MS = Number(process.env.SESSION_MS ?? 1000)
const RENEWALS = Number(process.env.RENEWALS ?? 6)
/** Shorter than all renewals together, so that tickets end, too. */
const TICKET_SECONDS = 4

describe('a real Kafka that asks for Kerberos', { timeout: 900_000 }, () => {
  let kdc: Kdc
  let kafka: Kafka
  let java: JavaClient
  let port: number
  let client: string
  let steady: string

  before(async () => {
    unlink()
    symlinkSync(compiled, link, 'junction')
    process.once('exit', unlink)
    java = new JavaClient()
    kdc = await Kdc.start()
    port = await freePort()
    client = await kdc.keytab('client', ['-maxlife', `${TICKET_SECONDS} seconds`])
    steady = await kdc.keytab('steady')
    const broker = await kdc.keytab('kafka/localhost')
    kafka = await startKafka({
      systemProperties: { 'java.security.krb5.conf': kdc.configFile },
      properties: nodePorts => ({
        'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,KERBEROS:SASL_PLAINTEXT',
        listeners:
          `PLAINTEXT://127.0.0.1:${nodePorts.port},CONTROLLER://127.0.0.1:${nodePorts.controllerPort},` +
          `KERBEROS://127.0.0.1:${port}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${nodePorts.port},KERBEROS://localhost:${port}`,
        'sasl.enabled.mechanisms': 'GSSAPI',
        'sasl.kerberos.service.name': 'kafka',
        'listener.name.kerberos.connections.max.reauth.ms': SESSION_MS,
        'listener.name.kerberos.gssapi.sasl.jaas.config':
          'com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true ' +
          `keyTab="${broker}" principal="kafka/localhost@${REALM}";`,
      }),
    })
  })
  after(async () => {
    unlink()
    await java?.close()
    await kafka?.stop()
    await kdc?.[Symbol.asyncDispose]()
  })

  async function runSuite(runtime: string, rig: KerberosRig, more: Record<string, string>): Promise<void> {
    const env = { ...process.env, MILLRACE_KERBEROS_RIG: JSON.stringify(rig), ...more }
    const child = spawn(process.execPath, [runner, '--suite', suite, runtime], { env })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
    const [status] = await once(child, 'close')
    assert.equal(status, 0, output)
  }

  function rigOf(name: string): KerberosRig & { calls(): string[] } {
    const { command: kinit, calls } = kdc.countingKinit()
    return {
      ...{ byName: `localhost:${port}`, byAddress: `127.0.0.1:${port}`, topic: name, kinit, calls },
      ...{ principal: `client@${REALM}`, keytab: client, renewals: RENEWALS },
      ...{ steady: `steady@${REALM}`, steadyKeytab: steady },
      resultFile: join(kdc.folder, `${name}.json`),
    }
  }

  for (const runtime of ['current', 'bun', 'deno']) {
    test(`delivers from ${runtime} with tickets and sessions renewed under load`, async t => {
      const rig = rigOf(runtime)
      await java.createTopic(kafka.bootstrapServers, rig.topic, { partitions: 1 })
      const before = rig.calls().length
      await runSuite(runtime, rig, {
        KRB5_CONFIG: kdc.configFile,
        KRB5CCNAME: `FILE:${join(kdc.folder, `${runtime}.cache`)}`,
      })
      const { sent, sha256, renewals, longestMs } = JSON.parse(
        readFileSync(rig.resultFile, 'utf8'),
      ) as KerberosResult
      const calls = rig.calls().slice(before)
      const logins = calls.filter(line => line.endsWith(`client@${REALM}`)).length
      assert.deepEqual(
        calls.filter(line => line.startsWith('-R')),
        ['-R'],
      )
      t.diagnostic(
        `${sent} records, ${renewals} sessions renewed, ${logins} logins, longest pause ${longestMs} ms`,
      )
      assert.ok(renewals >= RENEWALS, `${renewals} renewals`)
      assert.ok(logins >= 2, `${logins} logins`)
      const [digest] = await java.digest(kafka.bootstrapServers, rig.topic)
      assert.equal(digest?.count, sent)
      assert.equal(digest?.sha256, sha256)
    })
  }
})
