// `npm run prometheus-check`: a real Prometheus, from Debian, scrapes a producer that sends to the in-process
// broker, with 1,000 topics on 3 brokers; promtool checks the text. What Prometheus then knows must be what
// was sent. Writes test/telemetry/prometheus-results.md.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findProgram, main, root, run, StepError } from './commands.mjs'
import { setUp } from './setup.mjs'

const TOPICS = 1_000
const BROKERS = 3
const RECORDS = 20_000
/** So many are measured: the first ones run code that is not compiled yet. */
const SCRAPES = 12
/** For the median, of the CPU that a scrape takes from the producer's loop. */
const LIMIT_MS = 50
const ANSWER_MS = 60_000
const RESULTS = join(root, 'test/telemetry/prometheus-results.md')

/** The programs of the Debian package, unpacked beside our other tools where they are not installed. */
async function programs() {
  const installed = ['prometheus', 'promtool'].map(name => findProgram(name))
  if (installed.every(Boolean)) return installed
  const folder = join(root, '.cache/prometheus')
  const unpacked = ['prometheus', 'promtool'].map(name => join(folder, 'root/usr/bin', name))
  if (unpacked.every(file => existsSync(file))) return unpacked
  if (!findProgram('apt-get')) throw new StepError('Prometheus is not installed, and there is no apt-get')
  mkdirSync(folder, { recursive: true })
  await run('apt-get', ['-q', 'download', 'prometheus'], { cwd: folder })
  const file = readdirSync(folder).find(name => name.endsWith('.deb'))
  await run('dpkg', ['-x', join(folder, file), join(folder, 'root')])
  return unpacked
}

function listen(handler) {
  const server = createServer(handler)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve({ server, port: server.address().port }))
  })
}

/** Asks until the answer is there. */
async function until(what, ask) {
  const endsAt = Date.now() + ANSWER_MS
  while (Date.now() < endsAt) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
    await sleep(200)
  }
  throw new StepError(`Prometheus: no ${what} within ${ANSWER_MS / 1000} s`)
}

async function freePort() {
  const { server, port } = await listen(() => {})
  server.close()
  return port
}

/** Starts Prometheus over the exporter; `query` answers the one value of an expression. */
async function startPrometheus(program, folder, exporterPort) {
  const port = await freePort()
  const config = join(folder, 'prometheus.yml')
  const target = `127.0.0.1:${exporterPort}`
  writeFileSync(
    config,
    ['scrape_configs:', '  - job_name: millrace', '    scrape_interval: 1s', '    static_configs:']
      .concat(`      - targets: ['${target}']`, '')
      .join('\n'),
  )
  const words = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`]
  const child = spawn(program, [...words, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
  const query = async expression => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`
    const { data } = await (await fetch(url)).json()
    const [first] = data.result
    return first === undefined ? undefined : Number(first.value[1])
  }
  return { child, query }
}

async function check() {
  await setUp(['deps', 'native', 'typescript'])
  const [prometheus, promtool] = await programs()
  const { Producer } = await import('../dist/index.js')
  const { prometheusContentType, prometheusText } = await import('../dist/telemetry/prometheus/index.js')
  const { startBroker } = await import('../dist/testing/index.js')
  const broker = await startBroker({ quiet: true, nodes: BROKERS })
  const producer = new Producer({ bootstrapServers: broker.bootstrapServers, clientId: 'scraped' })
  const madeMs = []
  const exporter = await listen((_request, response) => {
    const before = process.cpuUsage()
    const text = prometheusText(producer)
    const { user, system } = process.cpuUsage(before)
    madeMs.push((user + system) / 1000)
    response.setHeader('content-type', prometheusContentType)
    response.end(text)
  })
  const folder = mkdtempSync(join(tmpdir(), 'millrace-prometheus-'))
  const { child, query } = await startPrometheus(prometheus, folder, exporter.port)
  try {
    for (let sent = 0; sent < RECORDS; sent += TOPICS) {
      const records = Array.from({ length: TOPICS }, (_, i) => ({
        topic: `topic-${i}`,
        value: `value ${sent}`,
      }))
      await producer.sendMany(records)
    }
    const label = '{client_id="scraped"}'
    const rows = []
    const expect = async (expression, wanted) => {
      const value = await until(`${expression} = ${wanted}`, async () => {
        const known = await query(expression)
        return known === wanted ? known : undefined
      })
      rows.push([expression, value])
    }
    await expect('up{job="millrace"}', 1)
    await expect(`millrace_producer_records_sent_total${label}`, RECORDS)
    await expect(`sum(millrace_producer_records_acknowledged_total${label})`, RECORDS)
    await expect(`count(millrace_producer_topic_records_sent_total${label})`, TOPICS)
    await expect(`sum(millrace_producer_topic_records_sent_total${label})`, RECORDS)
    await expect(`millrace_producer_delivery_latency_seconds_count${label}`, RECORDS)
    await until(`${SCRAPES} scrapes`, async () => (madeMs.length >= SCRAPES ? true : undefined))
    const input = prometheusText(producer)
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input, encoding: 'utf8' })
    if (status !== 0 || stdout + stderr !== '') throw new StepError(`promtool: ${stdout}${stderr}`)
    const version = spawnSync(prometheus, ['--version'], { encoding: 'utf8' })
    const [name = ''] = /version \S+/.exec(version.stdout + version.stderr) ?? []
    const scrapeMs = (await query('scrape_duration_seconds{job="millrace"}')) * 1000
    return { rows, version: name, madeMs, scrapeMs, bytes: input.length }
  } finally {
    child.kill()
    exporter.server.closeAllConnections()
    exporter.server.close()
    await producer.close()
    await broker.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

await main(import.meta.url, async () => {
  const { rows, version, madeMs, scrapeMs, bytes } = await check()
  const sorted = madeMs.toSorted((a, b) => a - b)
  const median = sorted[sorted.length >> 1]
  const text = [
    '# A scrape by Prometheus',
    '',
    `Written by \`npm run prometheus-check\`. Prometheus ${version}; ${TOPICS} topics on ${BROKERS} brokers.`,
    `The text has ${(bytes / 1024).toFixed(0)} KiB; \`promtool check metrics\` has nothing to say about it.`,
    `Making it takes ${median.toFixed(1)} ms of CPU (median of ${madeMs.length}; the first ` +
      `${madeMs[0].toFixed(1)}, the longest ${sorted.at(-1).toFixed(1)}) on Node ${process.versions.node}.`,
    `The last scrape took ${scrapeMs.toFixed(0)} ms.`,
    '',
    '| expression | value |',
    '|---|---|',
    ...rows.map(([expression, value]) => `| \`${expression}\` | ${value} |`),
    '',
  ].join('\n')
  writeFileSync(RESULTS, text)
  console.log(text)
  if (median > LIMIT_MS) throw new StepError(`a scrape takes ${median.toFixed(1)} ms, more than ${LIMIT_MS}`)
})
