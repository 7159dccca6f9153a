// One run of one client on one case, as bench/compare.js and bench/guard.js measure it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDiscardBroker } from './broker-process.js'
import { arrayLengthOf, cases, payloadsOf } from './cases.js'
import { certificateFiles, makeCertificates } from './certificates.js'
import { MeasuredProcess, peakRssBytesOf, quietMachine } from './measured-process.js'
import { writePayloads } from './payload-file.js'
import { clients } from './peers.js'
import { makeShipped } from './shipped.js'

const WARM_UP_CPU_MS = 700
const RUN_MS_MAX = 120_000
const KEY_BYTES = 12
/** Of traceparent and content-type, names and values. */
const HEADERS = 2
const HEADER_BYTES = 11 + 55 + 12 + 16

const warmUpMsOf = name => clients[name].warmUpMs ?? WARM_UP_CPU_MS

/**
 * What runs share: payload files, certificates, and a broker process for each count of partitions, with TLS
 * and without. `verify` as --verify of the discarding broker.
 */
export class Bench {
  #folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  #verify
  #brokers = new Map()
  #payloads = new Set()
  #serial = 0
  #certificates = null
  #shipped = null
  #commandOf

  /** `commandOf` gives the command of a client by its name, where it is not that of peers.js. */
  constructor({ verify = false, commandOf = name => clients[name].command() } = {}) {
    this.#verify = verify
    this.#commandOf = commandOf
  }

  /**
   * `row`: { caseName, name, mode, unsettledMax }. `records` undefined: as many as take `cpuMs`, after a
   * warm-up; else that many after a thousand. `isHurried`: without waiting for a quiet machine.
   */
  async measure(row, { records, cpuMs = 1000, warmUpMs = warmUpMsOf(row.name), isHurried = false } = {}) {
    this.#shipped ??= makeShipped()
    await this.#shipped
    const broker = await this.#brokerOf(row.caseName)
    const client = new MeasuredProcess(this.#commandOf(row.name), this.#given(row, broker))
    const limit = setTimeout(() => client.kill(), RUN_MS_MAX)
    try {
      await client.ready()
      const perRecord = await client.warmUp(records === undefined ? warmUpMs : 0)
      const count = records ?? Math.ceil((cpuMs * 1000) / perRecord)
      if (!isHurried) await quietMachine()
      const figures = await this.#timedRun(row, client, count, broker)
      await client.end()
      return { ...figures, version: client.version }
    } catch (error) {
      client.kill()
      throw new Error(`${row.name}, case ${row.caseName}, ${row.mode}: ${error.message}`, { cause: error })
    } finally {
      clearTimeout(limit)
    }
  }

  async close() {
    for (const broker of this.#brokers.values()) await (await broker).stop()
    rmSync(this.#folder, { recursive: true })
  }

  #brokerOf(caseName) {
    const { partitions, tls } = cases[caseName]
    const kind = `${partitions} ${tls}`
    if (!this.#brokers.has(kind)) {
      const secure = tls ? [`--certificates=${this.#certificateFolder()}`] : []
      const verify = this.#verify ? ['--verify'] : []
      this.#brokers.set(kind, startDiscardBroker([`--partitions=${partitions}`, ...secure, ...verify]))
    }
    return this.#brokers.get(kind)
  }

  #certificateFolder() {
    if (this.#certificates === null) {
      this.#certificates = join(this.#folder, 'certificates')
      makeCertificates(this.#certificates)
    }
    return this.#certificates
  }

  #payloadFile(caseName) {
    const file = join(this.#folder, caseName)
    if (!this.#payloads.has(caseName)) writePayloads(file, payloadsOf(cases[caseName]))
    this.#payloads.add(caseName)
    return file
  }

  /** The words of the client's command line. */
  #given({ caseName, mode, unsettledMax }, broker) {
    const { options, partitions, text, tls } = cases[caseName]
    return {
      bootstrapServers: broker.bootstrapServers,
      topic: `bench-${this.#serial++}`,
      partitions,
      payloads: this.#payloadFile(caseName),
      mode,
      unsettledMax,
      arrayLength: arrayLengthOf(unsettledMax),
      lingerMs: options['linger.ms'],
      batchBytes: options['batch.size'],
      compression: options['compression.type'] ?? 'none',
      zstdLevel: options['compression.zstd.level'] ?? 3,
      ...(text ? { text } : {}),
      ...(tls ? { ca: certificateFiles(this.#certificateFolder()).ca } : {}),
    }
  }

  async #timedRun({ caseName, name }, client, records, broker) {
    // What goes wrong in the warm-up is no less wrong.
    const { errors, firstError } = await broker.counts()
    if (errors > 0) throw new Error(`${errors} errors seen by the broker: ${firstError}`)
    await broker.reset()
    const run = await client.run(records, [broker.pid])
    const counts = await broker.counts()
    check(counts, records, cases[caseName], { verify: this.#verify, isIdempotent: name !== 'floor' })
    return {
      cpuMicrosPerRecord: run.cpuMicros / records,
      recordsPerSecond: (records / run.wallMs) * 1000,
      peakRssBytes: peakRssBytesOf(client.pid),
      recordsPerBatch: counts.records / counts.batches,
      bytesPerRecord: counts.wireBytes / counts.records,
      brokerMicrosPerRecord: counts.cpuMicros / counts.records,
      othersShare: run.othersShare,
    }
  }
}

/** Throws unless the broker has seen what it should have. */
export function check(counts, records, { bytes, keyed, headers, tls, options }, { verify, isIdempotent }) {
  const fail = what => {
    throw new Error(what)
  }
  if (counts.errors > 0) fail(`${counts.errors} errors seen by the broker: ${counts.firstError}`)
  if (counts.batchesWithoutProducer > 0 && isIdempotent) fail('batches without a producer id')
  if (counts.records !== records) fail(`${counts.records} of ${records} records arrived`)
  if (tls && !/^TLSv1\.3 .*_GCM_/.test(counts.cipher)) fail(`the connection has ${counts.cipher}`)
  if (!verify || options['compression.type'] !== undefined) return
  const expected = {
    records,
    keyBytes: keyed ? records * KEY_BYTES : 0,
    valueBytes: records * bytes,
    headers: headers ? records * HEADERS : 0,
    headerBytes: headers ? records * HEADER_BYTES : 0,
  }
  for (const [what, count] of Object.entries(expected)) {
    if (counts.sums[what] !== count) fail(`${what}: ${counts.sums[what]} instead of ${count}`)
  }
}
