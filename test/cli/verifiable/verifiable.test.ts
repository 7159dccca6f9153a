import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { UsageError } from '../../../dist/cli/arguments.js'
import { javaExceptionOf } from '../../../dist/cli/verifiable/java-exceptions.js'
import { planVerify } from '../../../dist/cli/verifiable/options.js'
import { BrokerError, KafkaError, TimeoutError } from '../../../dist/index.js'
import { startBroker, type TestBroker } from '../../../dist/testing/index.js'
import { run, start, textOf, until } from '../support.js'

let folder: string
let broker: TestBroker

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-verify-'))
  broker = await startBroker({ partitions: 1, quiet: true })
})

after(async () => {
  await broker.close()
  rmSync(folder, { recursive: true, force: true })
})

const to = (topic: string) => ['verify', '--bootstrap-server', broker.bootstrapServers, '--topic', topic]
const events = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))

describe('millrace verify', () => {
  test('tells the outcome of each message in the form of VerifiableProducer', async () => {
    const options = ['--max-messages', '3', '--repeating-keys', '2', '--value-prefix', '7']
    const { code, stdout, stderr } = await run([...to('told'), ...options])
    assert.equal(code, 0, stderr)
    const success = (key: string, value: string, offset: number) =>
      new RegExp(
        `^{"timestamp":\\d+,"name":"producer_send_success","key":"${key}","value":"${value}",` +
          `"offset":${offset},"topic":"told","partition":0}$`,
      )
    const lines = stdout.trimEnd().split('\n')
    for (const [index, expected] of [
      /^{"timestamp":\d+,"name":"startup_complete"}$/,
      success('0', '7\\.0', 0),
      success('1', '7\\.1', 1),
      success('0', '7\\.2', 2),
      /^{"timestamp":\d+,"name":"shutdown_complete"}$/,
      /^{"timestamp":\d+,"name":"tool_data","sent":3,"acked":3,"target_throughput":-1,"avg_throughput":\d+\.\d+}$/,
    ].entries()) {
      assert.match(lines[index] ?? '', expected)
    }
    assert.equal(lines.length, 6)
    assert.equal(stderr, '')
  })

  test('without keys and prefix; times are those that were asked for', async () => {
    const { stdout } = await run([...to('timed'), '--max-messages', '2', '--message-create-time', '1000'])
    assert.equal(events(stdout)[1].key, null)
    const records = [...broker.records('timed')]
    assert.deepEqual(
      records.map(({ key, value }) => [key, textOf(value)]),
      [
        [null, '0'],
        [null, '1'],
      ],
    )
    assert.equal(Number(records[0]?.timestamp), 1_000)
    assert.ok(Number(records[1]?.timestamp) >= 1_000)
  })

  test('tells what failed with the class that Java has for it, and exits with 1', async () => {
    const config = join(folder, 'small.properties')
    writeFileSync(config, 'max.request.size=60\n')
    const { code, stdout } = await run([...to('failed'), '--max-messages', '1', '--producer.config', config])
    assert.equal(code, 1)
    const [notice, , line] = stdout.split('\n')
    assert.equal(
      notice,
      'Option --producer.config has been deprecated and will be removed in a future version. ' +
        'Use --command-config instead.',
    )
    assert.match(
      line ?? '',
      /^{"timestamp":\d+,"name":"producer_send_error","topic":"failed","key":null,"value":"0","exception":"class org\.apache\.kafka\.common\.errors\.RecordTooLargeException","message":".*"}$/,
    )
  })

  test('has no retries unless the file says otherwise', async () => {
    broker.createTopic('once')
    const fail = () => broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', topic: 'once', times: 1 })
    fail()
    const { code, stdout } = await run([...to('once'), '--max-messages', '1'])
    assert.equal(code, 1)
    assert.match(stdout, /"class org\.apache\.kafka\.common\.errors\.NotEnoughReplicasException"/)
    const config = join(folder, 'retries.properties')
    writeFileSync(config, 'retries=5\n')
    fail()
    assert.equal((await run([...to('once'), '--max-messages', '1', '--command-config', config])).code, 0)
  })

  test('goes on until a signal, at the rate that was asked for, and ends with its two lines', async t => {
    const { child, output, ended } = start([...to('endless'), '--throughput', '500', '--acks', '1'])
    t.after(() => child.kill('SIGKILL'))
    await until(() => output.stdout.split('\n').length > 200)
    child.kill('SIGTERM')
    const { code, stdout } = await ended
    assert.equal(code, 143)
    const [shutdown, data] = events(stdout).slice(-2)
    assert.equal(shutdown.name, 'shutdown_complete')
    assert.equal(data.name, 'tool_data')
    assert.equal(data.target_throughput, 500)
    assert.equal(data.acked, data.sent)
    assert.ok(data.avg_throughput < 700, `${data.avg_throughput}`)
    assert.equal([...broker.records('endless')].length, data.acked)
    assert.equal(events(stdout).filter(({ name }) => name === 'producer_send_success').length, data.acked)
  })

  test('a reader that goes away ends it', async t => {
    const { child, ended } = start([...to('unread')])
    t.after(() => child.kill('SIGKILL'))
    child.stdout.destroy()
    assert.equal((await ended).code, 0)
  })

  test('refuses what Kafka refuses; without arguments it prints its help', async () => {
    const { code, stdout } = await run(['verify'])
    assert.equal(code, 0)
    assert.match(stdout, /--max-messages N/)
    for (const [args, why] of [
      [['--topic', 't'], /--bootstrap-server is missing/],
      [['--bootstrap-server', 'a:1'], /--topic is missing/],
      [[...to('t').slice(1), '--acks', '7'], /--acks is "7", allowed are -1, 0 and 1/],
      [[...to('t').slice(1), '--value-prefix', 'x'], /--value-prefix is "x"/],
      [[...to('t').slice(1), '--max-messages', '1.5'], /--max-messages is "1\.5"/],
      [[...to('t').slice(1), '--repeating-keys', '0'], /--repeating-keys is "0"/],
      [[...to('t').slice(1), '--command-property', 'acks=1'], /a line of the file of --command-config here/],
      [[...to('t').slice(1), '--command-config', 'a', '--producer.config', 'b'], /mutually exclusive/],
    ] as const) {
      assert.throws(
        () => planVerify(args),
        (error: Error) => error instanceof UsageError && why.test(error.message),
        args.join(' '),
      )
    }
    const refused = await run([...to('t'), '--acks', '7'])
    assert.equal(refused.code, 2)
    assert.equal(refused.stdout, '')
  })
})

test('errors have the classes of exceptions of Java', () => {
  const broken = (errorName: string) => javaExceptionOf(new BrokerError('x', { errorCode: 1, errorName }))
  const errors = 'org.apache.kafka.common.errors.'
  assert.equal(broken('NOT_LEADER_OR_FOLLOWER'), `${errors}NotLeaderOrFollowerException`)
  assert.equal(broken('CORRUPT_MESSAGE'), `${errors}CorruptRecordException`)
  assert.equal(broken('TOPIC_AUTHORIZATION_FAILED'), `${errors}TopicAuthorizationException`)
  assert.equal(javaExceptionOf(new TimeoutError('x')), `${errors}TimeoutException`)
  assert.equal(javaExceptionOf(new KafkaError('INTERNAL', 'x')), 'org.apache.kafka.common.KafkaException')
})
