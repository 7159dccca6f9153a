import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { start, unreachable, until } from './support.js'

/** Generous next to the two seconds that are promised: the machine may be busy. */
const SOON_MS = 10_000

const COMMANDS: Readonly<Record<string, (servers: string) => string[]>> = {
  produce: servers => ['produce', '-b', servers, '-t', 't', '--count', '100000000'],
  perf: servers => [
    ...['perf', '--bootstrap-server', servers, '--topic', 't', '--num-records', '100000000'],
    ...['--record-size', '100', '--throughput', '50000'],
  ],
  verify: servers => ['verify', '--bootstrap-server', servers, '--topic', 't', '--throughput', '5000'],
}

const node = (broker: TestBroker) => broker.nodes[0]?.id as number

for (const [name, argsFor] of Object.entries(COMMANDS)) {
  describe(`millrace ${name}`, () => {
    test('says that a cluster is out of reach, and ends at the second signal', async t => {
      const servers = await unreachable()
      const startedAt = Date.now()
      const { child, output, ended } = start(argsFor(servers), null)
      t.after(() => child.kill('SIGKILL'))
      await until(() => output.stderr.includes(`no answer from ${servers} for `))
      assert.ok(Date.now() - startedAt < SOON_MS)
      child.kill('SIGTERM')
      await until(() => output.stderr.includes('a second signal'))
      assert.match(
        output.stderr,
        /^interrupted: waiting up to 30 s for .*\nno broker answers now\nCtrl-C again/m,
      )
      const secondAt = Date.now()
      child.kill('SIGTERM')
      const { code, stderr } = await ended
      assert.equal(code, 143)
      assert.ok(Date.now() - secondAt < SOON_MS)
      assert.match(stderr, /^stopped: [\d,]+ records without an outcome, which may or may not be stored$/m)
    })

    test('says that the brokers have gone, and that they answer again', async t => {
      const broker = await startBroker({ partitions: 1, quiet: true })
      t.after(() => broker.close())
      const { child, output, ended } = start(argsFor(broker.bootstrapServers), null)
      t.after(() => child.kill('SIGKILL'))
      await until(() => broker.counters().records > 0)
      await broker.stopNode(node(broker))
      await until(() => output.stderr.includes('no answer from '))
      await broker.startNode(node(broker))
      await until(() => output.stderr.includes('answered again after '))
      child.kill('SIGINT')
      const { code, stdout } = await ended
      assert.equal(code, 130)
      if (name === 'verify') assert.match(stdout, /"shutdown_complete"}\n.*"tool_data"/)
      if (name === 'perf') assert.match(stdout, /^\d+ records sent, .* 99\.9th\.$/m)
    })

    test('gives up what is left when the time to drain is over', async t => {
      const broker = await startBroker({ partitions: 1, quiet: true })
      t.after(() => broker.close())
      const { child, output, ended } = start(
        [...argsFor(broker.bootstrapServers), '--drain-timeout-ms', '800'],
        null,
      )
      t.after(() => child.kill('SIGKILL'))
      await until(() => broker.counters().records > 0)
      const { release } = broker.hold({ api: 'Produce' })
      t.after(release)
      const held = broker.counters().requests.Produce ?? 0
      await until(() => (broker.counters().requests.Produce ?? 0) > held)
      child.kill('SIGINT')
      const { code } = await ended
      assert.equal(code, 130)
      assert.match(output.stderr, /^the time to drain is over; given up: /m)
    })
  })
}

test('lines on stdin are read although the cluster is out of reach, and none is lost silently', async t => {
  const servers = await unreachable()
  const { child, output, ended } = start(['produce', '-b', servers, '-t', 't'], 'a\nb\n')
  t.after(() => child.kill('SIGKILL'))
  await until(() => output.stderr.includes(`no answer from ${servers} for `))
  assert.match(output.stderr, /^warn: .*ECONNREFUSED/m)
  child.kill('SIGTERM')
  await until(() => output.stderr.includes('a second signal'))
  assert.match(output.stderr, /^interrupted: waiting up to 30 s for 2 records without an outcome$/m)
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  assert.equal(code, 143)
  assert.match(stderr, /^stopped: 2 records without an outcome, which may or may not be stored$/m)
})
