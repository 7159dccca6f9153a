import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// This file runs as dist-test/kafka/java.js, as deep below the root as its source.
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CACHE = join(ROOT, '.cache/kafka')
const BROKERS_CACHE = join(ROOT, '.cache/brokers')
const LOG4J = join(ROOT, 'test/kafka/log4j2.properties')
/** Of Kafka before 4.0. */
const LOG4J_1 = join(ROOT, 'test/brokers/kafka/log4j.properties')

let isPrepared: boolean | undefined

function isInstalled(program: string): boolean {
  return spawnSync(program, ['-version'], { stdio: 'ignore' }).error === undefined
}

/**
 * Why the tests against Apache Kafka cannot run here, as node:test's `skip` takes it; false when they can.
 * With `CI=true` what is missing is an error instead, and so is a set-up that fails.
 */
export function kafkaSkip(): string | false {
  const missing = ['java', 'javac', 'mvn'].filter(program => !isInstalled(program))
  if (missing.length === 0) return false
  const reason = `${missing.join(', ')} not found on the PATH`
  if (process.env.CI === 'true') throw new Error(`${reason}, and with CI=true nothing may be skipped`)
  return reason
}

/** Fetches and compiles what the JVMs need, once; quick when it is there already. */
function prepare(): void {
  if (isPrepared) return
  const script = join(ROOT, 'scripts/setup.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--kafka'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`set-up of Apache Kafka failed\n${stdout}${stderr}`)
  isPrepared = true
}

function classPath(version: string | undefined): string {
  const lib = version === undefined ? join(CACHE, 'lib') : join(BROKERS_CACHE, `kafka-${version}`)
  return [join(CACHE, 'classes'), join(lib, '*')].join(delimiter)
}

export interface JavaOptions {
  heapMb: number
  /** The file descriptor that takes standard error, where the log goes. */
  stderr: number | 'inherit'
  systemProperties?: Readonly<Record<string, string>>
  /** A version of test/brokers/brokers.json that is fetched; default that of test/kafka/pom.xml. */
  kafkaVersion?: string | undefined
  /** Whether it runs long enough for the optimising compiler to pay. Default false. */
  isLongLived?: boolean
}

/** Starts a class of test/kafka/java. The process is killed when this one exits. */
export function startJava(mainClass: string, args: readonly string[], options: JavaOptions): ChildProcess {
  prepare()
  const logging = { 'log4j2.configurationFile': LOG4J, 'log4j.configuration': `file:${LOG4J_1}` }
  const properties = { ...logging, ...options.systemProperties }
  const defines = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`)
  // The first compiler tier and the serial collector start sooner and leave the other core to the test.
  const tiers = options.isLongLived ? [] : ['-XX:TieredStopAtLevel=1']
  const tuning = [`-Xmx${options.heapMb}m`, ...tiers, '-XX:+UseSerialGC']
  const child = spawn(
    'java',
    [...tuning, ...defines, '-cp', classPath(options.kafkaVersion), mainClass, ...args],
    {
      stdio: ['pipe', 'pipe', options.stderr],
    },
  )
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}
