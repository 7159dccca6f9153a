// autocannon against a service: node http-load.js URL CONNECTIONS SECONDS. Posts events of 1 KB of JSON by a
// thousand users; prints a JSON line with what it has seen.
import { createRequire } from 'node:module'
import autocannon from 'autocannon'

const USERS = 1000
const BODIES = 512
const BODY_BYTES = 1000

const [url, connections, duration] = process.argv.slice(2)

function bodyOf(index) {
  const user = `user-${(index * 7919) % USERS}`
  const data = {
    page: `/articles/${index}`,
    referrer: 'https://example.com/',
    duration: index * 13,
    text: '',
  }
  const event = { id: `${index}-0123456789abcdef`, user, type: 'page-view', data }
  data.text = 'lorem ipsum '.repeat(100).slice(0, BODY_BYTES - JSON.stringify(event).length)
  return JSON.stringify(event)
}

const headers = { 'content-type': 'application/json' }
const requests = Array.from({ length: BODIES }, (_, index) => ({
  method: 'POST',
  headers,
  body: bodyOf(index),
}))
const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(duration),
  requests,
})
const { user, system } = process.cpuUsage()
const { version } = createRequire(import.meta.url)('autocannon/package.json')
console.log(
  JSON.stringify({
    answers: result['2xx'],
    failures: result.non2xx + result.errors + result.timeouts,
    seconds: result.duration,
    medianMs: result.latency.p50,
    p99Ms: result.latency.p99,
    cpuMicros: user + system,
    autocannon: version,
  }),
)
