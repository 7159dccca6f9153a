import { readFileSync } from 'node:fs'

const ELF = 0x464c457f
const ELF_ARCH: Readonly<Record<number, string>> = { 62: 'x64', 183: 'arm64' }
const MACH_O = 0xfeedfacf
const MACH_O_ARCH: Readonly<Record<number, string>> = { 16777223: 'x64', 16777228: 'arm64' }
/** Two letters at the beginning of every Windows executable. */
const MZ = 0x5a4d
const PE_ARCH: Readonly<Record<number, string>> = { 34404: 'x64', 43620: 'arm64' }

/**
 * What a file was compiled for, by the names of native/targets.json, such as `linux-arm64-musl`. Undefined if
 * it is no native code of these platforms. Read only after loading has failed: what systems say of a file for
 * another platform leads astray, such as that it does not exist.
 */
export function compiledFor(path: string): string | undefined {
  try {
    return targetOf(readFileSync(path))
  } catch {
    return undefined
  }
}

function targetOf(bytes: Buffer): string | undefined {
  if (bytes.readUInt32LE(0) === ELF) {
    // The name of the library, as it stands among those needed.
    const libc = bytes.includes('\0libc.so\0') ? '-musl' : ''
    return `linux-${ELF_ARCH[bytes.readUInt16LE(18)] ?? 'other'}${libc}`
  }
  if (bytes.readUInt32LE(0) === MACH_O) return `darwin-${MACH_O_ARCH[bytes.readUInt32LE(4)] ?? 'other'}`
  if (bytes.readUInt16LE(0) !== MZ) return undefined
  return `win32-${PE_ARCH[bytes.readUInt16LE(bytes.readUInt32LE(0x3c) + 4)] ?? 'other'}`
}
