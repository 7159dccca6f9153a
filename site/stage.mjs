// Brings together what the site is made of: the pages of docs/, papers of the project, and the API pages.
// Links are written for readers of the repository; here they become links of the site.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { papers } from './contents.mjs'

export const SITE = fileURLToPath(new URL('.', import.meta.url)).replace(/[/\\]$/, '')
export const ROOT = dirname(SITE)
/** Beside the packages of the site, so that what VitePress makes of a page finds them. */
export const PAGES = join(SITE, '.cache/pages')

/** Markdown outside of fenced code, part by part. */
export function outsideCode(text, change) {
  return text
    .split(/^((?:```|~~~)[^\n]*\n[\s\S]*?^(?:```|~~~)[ \t]*$)/m)
    .map((part, i) => (i % 2 === 0 ? change(part) : part))
    .join('')
}

/** The one picture of the site. */
const CHART = 'bench/results/compare.svg'

const LINK = /(\[(?:[^\]`]|`[^`]*`)*\])\(([^)\s]+)\)/g

/** Every file below docs/, by its path from the root. */
export function documents(folder = 'docs') {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .flatMap(entry =>
      entry.isDirectory() ? documents(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
    )
    .sort()
}

/** Where a file of the repository is on the site; undefined where it is not. */
function placeOf(file) {
  if (file.startsWith('docs/')) return file.slice('docs/'.length)
  if (file === CHART) return 'bench/compare.svg'
  const paper = papers.find(each => each.file === file)
  return paper && `${paper.page}.md`
}

/** A link as the site has it. What the repository has and the site has not becomes plain text. */
function siteLink(file, label, target, problems) {
  if (/^(?:[a-z]+:|#)/.test(target)) return `${label}(${target})`
  const [path, anchor] = target.split('#')
  const linked = posix.normalize(posix.join(posix.dirname(file), path))
  const place = placeOf(linked)
  if (place === undefined) {
    if (!existsSync(join(ROOT, linked))) problems.push(`${file}: ${target} is not there`)
    return label.slice(1, -1)
  }
  if (!existsSync(join(ROOT, linked))) problems.push(`${file}: ${target} is not there`)
  return `${label}(/${place.replace(/\.md$/, '')}${anchor === undefined ? '' : `#${anchor}`})`
}

/** Puts all pages into {@link PAGES}; answers what is wrong with links. */
export function stage() {
  const problems = []
  rmSync(PAGES, { recursive: true, force: true })
  const put = (place, text) => {
    mkdirSync(dirname(join(PAGES, place)), { recursive: true })
    writeFileSync(join(PAGES, place), text)
  }
  const files = [
    ...documents(),
    ...papers.map(({ file }) => file).filter(file => existsSync(join(ROOT, file))),
  ]
  for (const file of files) {
    const place = placeOf(file)
    if (!file.endsWith('.md')) {
      mkdirSync(dirname(join(PAGES, 'public', place)), { recursive: true })
      cpSync(join(ROOT, file), join(PAGES, 'public', place))
      continue
    }
    const text = readFileSync(join(ROOT, file), 'utf8').replace(/^<!--[\s\S]*?-->\n\n?/gm, '')
    const linked = outsideCode(text, part =>
      part.replace(LINK, (_, label, target) => siteLink(file, label, target, problems)),
    )
    // What a test is to do with a block is no business of readers.
    put(place, linked.replace(/^(```\w+)[ \t][^\n]*$/gm, '$1'))
  }
  mkdirSync(join(PAGES, 'public/bench'), { recursive: true })
  cpSync(join(ROOT, CHART), join(PAGES, 'public', placeOf(CHART)))
  return problems
}

/** Total size of a folder, in bytes. */
export function bytesOf(folder) {
  return readdirSync(folder, { recursive: true }).reduce((sum, name) => {
    const found = statSync(join(folder, name))
    return sum + (found.isFile() ? found.size : 0)
  }, 0)
}
