// Reads of an addon what can be known without running it: format, processor, the symbols it exports and those
// it needs, and the libraries that it names. ELF (System V ABI), PE/COFF (Microsoft) and Mach-O (Apple), all
// of 64 bits and little-endian.
import { readFileSync } from 'node:fs'

/** { format, arch, exports, imports, libraries } of a file. Throws for anything that is none of the three. */
export function readObject(path) {
  const file = new Reader(readFileSync(path))
  if (file.u32(0) === 0x464c457f) return readElf(file)
  if (file.u16(0) === 0x5a4d) return readPe(file)
  if (file.u32(0) === 0xfeedfacf) return readMachO(file)
  throw new Error(`${path} is neither ELF nor PE nor Mach-O`)
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes
  }

  u8 = at => this.bytes.readUInt8(at)
  u16 = at => this.bytes.readUInt16LE(at)
  u32 = at => this.bytes.readUInt32LE(at)
  u64 = at => Number(this.bytes.readBigUInt64LE(at))
  text = at => this.bytes.toString('latin1', at, this.bytes.indexOf(0, at))
}

const ELF_ARCH = { 62: 'x64', 183: 'arm64' }
const SECTION = { STRTAB: 3, DYNAMIC: 6, DYNSYM: 11 }
const DT_NEEDED = 1

function readElf(file) {
  const sectionsAt = file.u64(0x28)
  const sections = Array.from({ length: file.u16(0x3c) }, (_, index) => {
    const at = sectionsAt + index * file.u16(0x3a)
    return { type: file.u32(at + 4), at: file.u64(at + 24), size: file.u64(at + 32), link: file.u32(at + 40) }
  })
  const symbols = sections.find(({ type }) => type === SECTION.DYNSYM)
  const names = sections[symbols.link].at
  const exports = []
  const imports = []
  for (let at = symbols.at + 24; at < symbols.at + symbols.size; at += 24) {
    const name = file.text(names + file.u32(at))
    if (file.u16(at + 6) === 0) imports.push(name)
    else exports.push(name)
  }
  const dynamic = sections.find(({ type }) => type === SECTION.DYNAMIC)
  const libraries = []
  for (let at = dynamic.at; at < dynamic.at + dynamic.size; at += 16) {
    if (file.u64(at) === DT_NEEDED) libraries.push(file.text(sections[dynamic.link].at + file.u64(at + 8)))
  }
  return { format: 'ELF', arch: ELF_ARCH[file.u16(0x12)], exports, imports, libraries }
}

const PE_ARCH = { 34404: 'x64', 43620: 'arm64' }

function readPe(file) {
  const header = file.u32(0x3c)
  const optional = header + 24
  const sections = Array.from({ length: file.u16(header + 6) }, (_, index) => {
    const at = optional + file.u16(header + 20) + index * 40
    return { from: file.u32(at + 12), size: file.u32(at + 16), at: file.u32(at + 20) }
  })
  const place = address => {
    const section = sections.find(({ from, size }) => address >= from && address < from + size)
    return address - section.from + section.at
  }
  const [exportsAt, importsAt] = [112, 120].map(offset => file.u32(optional + offset))
  const table = place(exportsAt)
  const namesAt = place(file.u32(table + 32))
  const exports = Array.from({ length: file.u32(table + 24) }, (_, index) =>
    file.text(place(file.u32(namesAt + index * 4))),
  )
  const imports = []
  const libraries = []
  for (let at = place(importsAt); file.u32(at + 12) !== 0; at += 20) {
    libraries.push(file.text(place(file.u32(at + 12))))
    for (let entry = place(file.u32(at)); file.u64(entry) !== 0; entry += 8) {
      if (file.u32(entry + 4) < 0x80000000) imports.push(file.text(place(file.u32(entry)) + 2))
    }
  }
  return { format: 'PE', arch: PE_ARCH[file.u16(header + 4)], exports, imports, libraries }
}

const MACH_ARCH = { 16777223: 'x64', 16777228: 'arm64' }
const LOAD = { SYMTAB: 0x02, DYLIB: 0x0c }
const N_TYPE = 0x0e
const N_EXT = 0x01

function readMachO(file) {
  const exports = []
  const imports = []
  const libraries = []
  for (let left = file.u32(16), at = 32; left > 0; left--, at += file.u32(at + 4)) {
    if (file.u32(at) === LOAD.DYLIB) libraries.push(file.text(at + file.u32(at + 8)))
    if (file.u32(at) !== LOAD.SYMTAB) continue
    const [symbolsAt, count, stringsAt] = [8, 12, 16].map(offset => file.u32(at + offset))
    for (let symbol = symbolsAt; symbol < symbolsAt + count * 16; symbol += 16) {
      const type = file.u8(symbol + 4)
      if ((type & N_EXT) === 0) continue
      // A leading underscore is C's on this platform.
      const name = file.text(stringsAt + file.u32(symbol)).replace(/^_/, '')
      if ((type & N_TYPE) === 0) imports.push(name)
      else exports.push(name)
    }
  }
  return { format: 'Mach-O', arch: MACH_ARCH[file.u32(4)], exports, imports, libraries }
}
