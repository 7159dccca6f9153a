// `npm start -- …`: sets everything up, then `millrace produce …` with what was given.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { main, root } from './commands.mjs'
import { setUp } from './setup.mjs'

await main(import.meta.url, async args => {
  await setUp(['deps', 'native', 'typescript'])
  const cli = join(root, 'dist/cli/main.js')
  // Without arguments this is the demonstration, which waits for nobody to write to stdin.
  const stdin = args.length === 0 ? 'ignore' : 'inherit'
  const child = spawn(process.execPath, [cli, 'produce', ...args], { stdio: [stdin, 'inherit', 'inherit'] })
  // An interrupt reaches the whole foreground group; the child decides when it is done and we end with it.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (...outcome) => resolve(outcome))
  })
  process.exitCode = code ?? 128 + constants.signals[signal]
})
