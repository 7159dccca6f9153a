// The examples of the documents run as they stand, each in a process of its own.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBroker } from '../../dist/testing/index.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
// Below the root, so that `millrace` is this package.
mkdirSync(join(ROOT, '.cache'), { recursive: true })
const folder = mkdtempSync(join(ROOT, '.cache/docs-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** `await using` is written out where the runtime does not know it. */
const KNOWS_USING = (() => {
  try {
    new Function('return async () => { await using _ = null }')
    return true
  } catch {
    return false
  }
})()

function runnable(block: string): string {
  if (KNOWS_USING) return block
  const used: string[] = []
  const code = block.replace(/^await using (\w+)/gm, (_, name: string) => {
    used.unshift(name)
    return `const ${name}`
  })
  return `${code}\n${used.map(name => `await ${name}.close()\n`).join('')}`
}

/** Every example of a document by the heading above it. */
function examplesOf(document: string): { name: string; code: string; printed: string[] }[] {
  const sections = readFileSync(join(ROOT, document), 'utf8').split(/^#+ (.*)$/m)
  const examples = []
  for (let at = 1; at < sections.length; at += 2) {
    for (const [i, [, code = '']] of [
      ...(sections[at + 1] ?? '').matchAll(/^```js\n([\s\S]*?)^```$/gm),
    ].entries()) {
      const printed = [...code.matchAll(/^console\.log\(.*\) {3}\/\/ (.*)$/gm)].map(([, line = '']) => line)
      examples.push({ name: `${sections[at]} ${i + 1}`, code, printed })
    }
  }
  return examples
}

for (const document of ['docs/streams.md', 'docs/testing-with-mock-producer.md']) {
  const examples = examplesOf(document)
  test(`${document} has examples`, () => assert.ok(examples.length >= 4))
  for (const [i, { name, code, printed }] of examples.entries()) {
    test(`${document}, ${name}`, async () => {
      await using broker = await startBroker({ quiet: true, partitions: 3 })
      const input = join(folder, 'input.txt')
      writeFileSync(input, 'one\ntwo\n')
      const file = join(folder, `${i}.mjs`)
      const given = { bootstrapServers: broker.bootstrapServers, path: input }
      const globals = Object.entries(given).map(([key, value]) => `const ${key} = ${JSON.stringify(value)}\n`)
      writeFileSync(file, globals.join('') + runnable(code))
      const child = spawn(process.execPath, [file], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
      const killed = setTimeout(() => child.kill('SIGKILL'), 60_000)
      const [output, errors, [status]] = await Promise.all([
        ...[text(child.stdout), text(child.stderr)],
        once(child, 'exit'),
      ] as [Promise<string>, Promise<string>, Promise<[number]>])
      clearTimeout(killed)
      assert.equal(status, 0, errors)
      for (const line of printed) assert.ok(output.includes(line), `${line} is not in ${output}`)
    })
  }
}
