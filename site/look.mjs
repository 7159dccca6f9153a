// Photographs pages of the built site in Chromium, at the width of a phone and of a desktop, light and dark, and the
// search in use: site/.cache/look. It fails where a page is wider than its window, or the search finds nothing.
import { mkdirSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import puppeteer from 'puppeteer-core'
import { bytesOf, SITE } from './stage.mjs'

const PAGES = [
  ...[
    '',
    'getting-started',
    'sending',
    'tuning',
    'security-recipes',
    'performance',
    'questions',
    'deployment',
  ],
  ...['migrating-from-kafkajs', 'command-line', 'project/design'],
]
const REFERENCES = ['reference/errors', 'reference/options', 'reference/api/millrace', 'metrics']
const WINDOWS = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } }
const SEARCHED = 'confluent cloud'
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const OUT = join(SITE, '.cache/look')

/** The built site on a free port of loopback. */
async function serve() {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    const path = pathname === '/' ? '/index.html' : extname(pathname) === '' ? `${pathname}.html` : pathname
    try {
      const content = await readFile(join(SITE, 'dist', normalize(path)))
      response
        .writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' })
        .end(content)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

async function photograph(page, address, name, problems) {
  await page.goto(address, { waitUntil: 'networkidle0' })
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  if (wide > 0) problems.push(`${name}: wider than its window by ${wide} pixels`)
  await page.screenshot({ path: join(OUT, `${name}.png`) })
}

async function search(page, address, name, problems) {
  await page.goto(address, { waitUntil: 'networkidle0' })
  await page.click('#local-search button')
  await page.waitForSelector('.search-input')
  await page.type('.search-input', SEARCHED)
  await page
    .waitForSelector('.result', { timeout: 20_000 })
    .catch(() => problems.push(`${name}: nothing was found`))
  await page.screenshot({ path: join(OUT, `${name}.png`) })
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => location.pathname !== '/', { timeout: 20_000 })
  const place = await page.evaluate(() => location.pathname + location.hash)
  if (!place.includes('security-recipes')) problems.push(`${name}: "${SEARCHED}" led to ${place}`)
}

async function look(browser, origin, problems) {
  const requested = new Set()
  for (const [window, viewport] of Object.entries(WINDOWS)) {
    for (const scheme of ['light', 'dark']) {
      const page = await browser.newPage()
      await page.setViewport({ ...viewport, isMobile: window === 'phone', hasTouch: window === 'phone' })
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      page.on('request', request => requested.add(request.url()))
      page.on('pageerror', error => problems.push(`${window}, ${scheme}: ${error.message}`))
      const places =
        scheme === 'light' ? [...PAGES, ...REFERENCES] : ['', 'tuning', 'performance', 'reference/errors']
      for (const place of places) {
        const name = `${window}-${scheme}-${place.replaceAll('/', '_') || 'index'}`
        await photograph(page, `${origin}/${place}`, name, problems)
      }
      await search(page, `${origin}/`, `${window}-${scheme}-search`, problems)
      await page.close()
    }
  }
  for (const url of requested) {
    if (!url.startsWith(`${origin}/`) && !url.startsWith('data:'))
      problems.push(`fetched from elsewhere: ${url}`)
  }
}

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
const server = await serve()
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
})
const problems = []
try {
  await look(browser, `http://127.0.0.1:${server.address().port}`, problems)
} finally {
  await browser.close()
  server.close()
}
for (const problem of problems) console.error(problem)
console.log(`site/.cache/look: ${(bytesOf(OUT) / 2 ** 20).toFixed(1)} MiB of pictures`)
if (problems.length > 0) process.exitCode = 1
