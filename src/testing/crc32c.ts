/**
 * CRC-32C (Castagnoli), reflected, as record batches carry it. Written for the test broker alone, so that it
 * shares nothing with the native encoder it checks.
 *
 * Slicing by sixteen: sixteen input bytes are looked up in sixteen tables and combined, instead of one byte
 * after the other.
 */

const POLYNOMIAL_REFLECTED = 0x82f63b78
const SLICES = 16

/** Table k, at k × 256, advances a byte's remainder over k more zero bytes. */
const TABLES = buildTables()

function buildTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte
    for (let bit = 0; bit < 8; bit++) {
      remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL_REFLECTED : remainder >>> 1
    }
    tables[byte] = remainder
  }
  for (let i = 256; i < tables.length; i++) {
    const shorter = tables[i - 256] as number
    tables[i] = (shorter >>> 8) ^ (tables[shorter & 0xff] as number)
  }
  return tables
}

/** CRC-32C of `bytes[start, end)` as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const t = TABLES
  let crc = -1
  let i = start
  for (const last = end - SLICES; i <= last; i += SLICES) {
    crc ^= at8(bytes, i) | (at8(bytes, i + 1) << 8) | (at8(bytes, i + 2) << 16) | (at8(bytes, i + 3) << 24)
    crc =
      at32(t, 3840 + (crc & 0xff)) ^
      at32(t, 3584 + ((crc >>> 8) & 0xff)) ^
      at32(t, 3328 + ((crc >>> 16) & 0xff)) ^
      at32(t, 3072 + (crc >>> 24)) ^
      at32(t, 2816 + at8(bytes, i + 4)) ^
      at32(t, 2560 + at8(bytes, i + 5)) ^
      at32(t, 2304 + at8(bytes, i + 6)) ^
      at32(t, 2048 + at8(bytes, i + 7)) ^
      at32(t, 1792 + at8(bytes, i + 8)) ^
      at32(t, 1536 + at8(bytes, i + 9)) ^
      at32(t, 1280 + at8(bytes, i + 10)) ^
      at32(t, 1024 + at8(bytes, i + 11)) ^
      at32(t, 768 + at8(bytes, i + 12)) ^
      at32(t, 512 + at8(bytes, i + 13)) ^
      at32(t, 256 + at8(bytes, i + 14)) ^
      at32(t, at8(bytes, i + 15))
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ at32(t, (crc ^ at8(bytes, i)) & 0xff)
  return ~crc >>> 0
}

// An element that the loops' bounds guarantee to exist. One function per array type: a shared one would see
// two shapes and cost a third of the speed.
function at8(bytes: Uint8Array, index: number): number {
  return bytes[index] as number
}

function at32(table: Int32Array, index: number): number {
  return table[index] as number
}
