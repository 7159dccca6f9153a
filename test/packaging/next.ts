// Next.js with the package outside of its bundles, as docs/bundlers.md says. Builds an application with one
// route, starts it, and asks the route, which sends with every codec and reads the records back.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../helpers/free-ports.js'
import type { Project } from './project.js'

const VERSION = '16.4.6'
const ANSWER_MS = 120_000

export const NEXT = {
  name: 'Next.js, serverExternalPackages',
  version: VERSION,
  packages: [`next@${VERSION}`, 'react@19.3.1', 'react-dom@19.3.1'],
  files: {
    'next.config.mjs': "export default { serverExternalPackages: ['millrace'] }\n",
    'app/layout.js':
      'export default function Layout({ children }) {\n  return <html><body>{children}</body></html>\n}\n',
    'app/deliver/route.js': `import { Producer } from 'millrace'
import { startBroker } from 'millrace/testing'
import deliver from '../../deliver.cjs'
export const dynamic = 'force-dynamic'
export async function GET() {
  const lines = []
  const { log } = console
  console.log = line => lines.push(line)
  await deliver.deliver({ Producer, startBroker, isSame: true })
  console.log = log
  return new Response(lines[0])
}
`,
  },
} as const

/** The project has Next.js and the package; `node` runs both the build and the server. */
export async function nextDelivers(project: Project, node: string): Promise<void> {
  const script = 'node_modules/next/dist/bin/next'
  const env = { ...project.env, NEXT_TELEMETRY_DISABLED: '1' }
  await project.run(node, [script, 'build'], env)
  const port = await freePort()
  const words = [script, 'start', '-H', '127.0.0.1', '-p', `${port}`]
  const server = spawn(node, words, { cwd: project.folder, env, stdio: 'ignore' })
  try {
    const answer = await answerOf(`http://127.0.0.1:${port}/deliver`)
    assert.match(answer, /"delivered":\["none","gzip","snappy","lz4","zstd"\]/)
  } finally {
    server.kill()
  }
}

/** Asks until somebody answers. */
async function answerOf(url: string): Promise<string> {
  const endsAt = Date.now() + ANSWER_MS
  while (Date.now() < endsAt) {
    try {
      return await (await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) })).text()
    } catch {
      await sleep(500)
    }
  }
  return `no answer within ${ANSWER_MS / 1000} s`
}
