// Builds the site into site/dist, from docs/, papers of the project and the declarations; nothing is fetched.
import { join } from 'node:path'
import { build } from 'vitepress'
import { writeApiPages } from './api.mjs'
import { bytesOf, SITE, stage } from './stage.mjs'

const startedMs = Date.now()
const problems = stage()
if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exit(1)
}
await writeApiPages()
await build(SITE)
const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
const megabytes = (bytesOf(join(SITE, 'dist')) / 2 ** 20).toFixed(1)
console.log(`site/dist: ${megabytes} MiB in ${seconds} s`)
