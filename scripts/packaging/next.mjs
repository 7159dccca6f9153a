// Next.js with the packed package outside of its bundles, as docs/bundlers.md says. Builds an application
// with one route, starts it, and asks the route, which sends with every codec and reads the records back.
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { npm, root } from '../commands.mjs'

const PACKAGES = ['next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1']
const BUILD_MS = 600_000
const ANSWER_MS = 120_000

const FILES = {
  'package.json': '{ "private": true }\n',
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
}

/** Returns what the route answers. */
export async function nextDelivers(folder, tarball) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'app/deliver'), { recursive: true })
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text)
  copyFileSync(join(root, 'test/packaging/programs/deliver.cjs'), join(folder, 'deliver.cjs'))
  const flags = ['--save-exact', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]
  await npm(['install', ...flags, tarball, ...PACKAGES])
  const program = join(folder, 'node_modules/next/dist/bin/next')
  const options = { cwd: folder, env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' } }
  const build = spawnSync(process.execPath, [program, 'build'], {
    ...options,
    timeout: BUILD_MS,
    encoding: 'utf8',
  })
  if (build.status !== 0) return `${build.stdout}${build.stderr}`
  const port = await freePort()
  const server = spawn(process.execPath, [program, 'start', '-H', '127.0.0.1', '-p', `${port}`], {
    ...options,
    stdio: 'ignore',
  })
  try {
    return await answerOf(`http://127.0.0.1:${port}/deliver`)
  } finally {
    server.kill()
  }
}

/** Asks until somebody answers. */
async function answerOf(url) {
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

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
