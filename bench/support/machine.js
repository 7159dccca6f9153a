// What a reader needs to know of the machine to judge the figures, in neutral terms.
import { existsSync, readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'

const GIB = 1024 ** 3
const CACHE = '/sys/devices/system/cpu/cpu0/cache'

const read = file => (existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined)

/** The processor as the kernel names it, and the numbers that tell models of one name apart. */
export function processor() {
  const [{ model }] = cpus()
  const info = read('/proc/cpuinfo') ?? ''
  const field = name => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(info)?.[1]
  const numbers = [field('cpu family'), field('model')]
  return numbers.includes(undefined)
    ? model.trim()
    : `${model.trim()}, family ${numbers[0]} model ${numbers[1]}`
}

/** What decides most about costs per record: the caches of a core, and the widest registers. */
function features() {
  const flags = /^flags\s*:(.*)$/m.exec(read('/proc/cpuinfo') ?? '')?.[1].split(' ') ?? []
  const cacheOf = index => read(`${CACHE}/index${index}/size`)
  const [first, second] = [cacheOf(0), cacheOf(2)]
  const caches = second === undefined ? [] : [`caches of a core ${first} and ${second}`]
  return [...caches, flags.includes('avx512f') ? 'with AVX-512' : 'without AVX-512'].join(', ')
}

export function machine() {
  const memory = `${Math.round(totalmem() / GIB)} GiB`
  const system = `Linux ${release().split('-')[0]}, ${process.arch}`
  return `${cpus().length} cores (${processor()}; ${features()}), ${memory}, ${system}`
}
