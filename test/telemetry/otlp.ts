/** A decoder of OpenTelemetry's metrics, written from the field numbers of its protobuf files alone. */

export interface DecodedPoint {
  labels: Record<string, string>
  value: number
  startNs: bigint
  timeNs: bigint
}

export interface DecodedMetric {
  name: string
  kind: 'gauge' | 'sum'
  /** 1: delta, 2: cumulative; 0 for gauges. */
  temporality: number
  isMonotonic: boolean
  points: DecodedPoint[]
}

export interface DecodedMetrics {
  resource: Record<string, string>
  metrics: DecodedMetric[]
}

type Field = { number: number; bytes: Buffer } | { number: number; varint: number }

function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] as number
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const number = tag >> 3
    const type = tag & 7
    if (type === 0) {
      yield { number, varint: varint() }
      continue
    }
    const length = type === 1 ? 8 : type === 2 ? varint() : -1
    if (length < 0 || at + length > message.length) throw new Error(`bad field ${number} of type ${type}`)
    yield { number, bytes: message.subarray(at, at + length) }
    at += length
  }
}

function bytesOf(message: Buffer, number: number): Buffer[] {
  return [...fieldsOf(message)].flatMap(field =>
    field.number === number && 'bytes' in field ? [field.bytes] : [],
  )
}

function numberOf(message: Buffer, number: number): number {
  for (const field of fieldsOf(message)) if (field.number === number && 'varint' in field) return field.varint
  return 0
}

function attributesOf(message: Buffer, number: number): Record<string, string> {
  const pairs = bytesOf(message, number).map(pair => {
    const [key] = bytesOf(pair, 1)
    const [value] = bytesOf(pair, 2)
    const [text] = value === undefined ? [] : bytesOf(value, 1)
    return [String(key), String(text)]
  })
  return Object.fromEntries(pairs)
}

function pointOf(message: Buffer): DecodedPoint {
  const [start] = bytesOf(message, 2)
  const [time] = bytesOf(message, 3)
  const [double] = bytesOf(message, 4)
  const [whole] = bytesOf(message, 6)
  return {
    labels: attributesOf(message, 7),
    value: double?.readDoubleLE() ?? Number(whole?.readBigInt64LE()),
    startNs: start?.readBigUInt64LE() ?? 0n,
    timeNs: time?.readBigUInt64LE() ?? 0n,
  }
}

function metricOf(message: Buffer): DecodedMetric {
  const [name] = bytesOf(message, 1)
  const [gauge] = bytesOf(message, 5)
  const [sum] = bytesOf(message, 7)
  const data = sum ?? gauge
  if (name === undefined || data === undefined) throw new Error('a metric without name or data')
  return {
    name: String(name),
    kind: sum === undefined ? 'gauge' : 'sum',
    temporality: numberOf(data, 2),
    isMonotonic: numberOf(data, 3) === 1,
    points: bytesOf(data, 1).map(pointOf),
  }
}

export function decodeMetrics(payload: Uint8Array): DecodedMetrics {
  const decoded: DecodedMetrics = { resource: {}, metrics: [] }
  for (const resourceMetrics of bytesOf(Buffer.from(payload), 1)) {
    for (const resource of bytesOf(resourceMetrics, 1))
      Object.assign(decoded.resource, attributesOf(resource, 1))
    for (const scope of bytesOf(resourceMetrics, 2)) decoded.metrics.push(...bytesOf(scope, 2).map(metricOf))
  }
  return decoded
}
