import { Producer } from '../../index.js'
import { type Combination, type EngineSource, engineOptions, requestTimeoutOf } from './client-options.js'
import { KafkaJSProtocolError } from './errors.js'
import type { SendOptions } from './types.js'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const BUFFER_BYTES = 32 * 1024 * 1024
/** Of the producers for other combinations than the first: all of them together stay within bounds. */
const FURTHER_BUFFER_BYTES = 16 * 1024 * 1024

/** The codec of a number, or the `TypeError` that KafkaJS comes to for others. */
export function codecName(compression: number | undefined = 0): Combination['compression'] {
  const name = CODECS[compression]
  if (name === undefined) throw new TypeError(`There is no compression codec ${String(compression)}`)
  return name
}

function checkedAcks(acks: number): -1 | 0 | 1 {
  if (acks === -1 || acks === 0 || acks === 1) return acks
  throw new KafkaJSProtocolError({
    message: `INVALID_REQUIRED_ACKS (21): acks = ${acks}; brokers know -1, 0 and 1`,
    type: 'INVALID_REQUIRED_ACKS',
    code: 21,
    retriable: false,
  })
}

/**
 * The millrace producers behind one KafkaJS producer while it is connected. KafkaJS takes `acks`, `timeout`
 * and `compression` with every call; millrace has one of each per producer, so there is one for each
 * combination that is used, made when it is first used.
 */
export class Engines {
  /** For calls without options; made at once, as `connect` asks it whether there is a cluster. */
  default: Producer
  private readonly source: EngineSource
  private readonly brokers: readonly string[]
  private readonly others = new Map<string, Producer>()
  /** Those that the cluster does not let be idempotent. */
  private readonly refused: Producer[] = []
  private isIdempotenceRefused = false

  constructor(source: EngineSource, brokers: readonly string[]) {
    this.source = source
    this.brokers = brokers
    this.default = this.newDefault()
  }

  /** From now on producers are made without idempotence, those there are included. Always true. */
  goOnWithoutIdempotence(): true {
    if (this.isIdempotenceRefused) return true
    this.isIdempotenceRefused = true
    this.source.logger.warn('The cluster does not grant IDEMPOTENT_WRITE: retries may store messages twice')
    this.refused.push(this.default, ...this.others.values())
    this.others.clear()
    this.default = this.newDefault()
    return true
  }

  private newDefault(): Producer {
    const requestTimeoutMs = requestTimeoutOf(this.source.kafka)
    return this.newEngine({ acks: -1, compression: 'none', requestTimeoutMs }, BUFFER_BYTES)
  }

  private newEngine(combination: Combination, bufferBytes: number): Producer {
    const options = engineOptions(this.source, this.brokers, combination, bufferBytes)
    return new Producer(this.isIdempotenceRefused ? { ...options, enableIdempotence: false } : options)
  }

  of({ acks, compression, timeout }: SendOptions): Producer {
    if (acks === undefined && compression === undefined && timeout === undefined) return this.default
    return this.special(acks ?? -1, compression, timeout ?? 0)
  }

  private special(acks: number, compression: number | undefined = 0, timeout: number): Producer {
    const base = requestTimeoutOf(this.source.kafka)
    if (acks === -1 && compression === 0 && !(timeout > base)) return this.default
    // Doubled as often as need be: a caller that computes its time-out does not get a producer for each.
    const doublings = timeout > base ? Math.ceil(Math.log2(timeout / base)) : 0
    const name = codecName(compression)
    const key = `${checkedAcks(acks)} ${name} ${doublings}`
    let engine = this.others.get(key)
    if (engine === undefined) {
      const combination = {
        acks: checkedAcks(acks),
        compression: name,
        requestTimeoutMs: base * 2 ** doublings,
      }
      engine = this.newEngine(combination, FURTHER_BUFFER_BYTES)
      this.others.set(key, engine)
    }
    return engine
  }

  /** Sends what has been accepted, then closes all of them. */
  async close(): Promise<void> {
    await Promise.all([this.default, ...this.others.values(), ...this.refused].map(engine => engine.close()))
  }
}
