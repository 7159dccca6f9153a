// `npm run docs` builds the site of docs/ into site/dist; nothing is fetched beyond the packages of site/.
//   -- --generate   writes the generated pages into docs/
//   -- --look       builds, and photographs the pages in Chromium: site/.cache/look
//   -- --serve      builds, and serves the site on loopback until it is interrupted
//   -- --measure    measures the levers of the tuning page, for some minutes: site/levers.json
import { main, runNode, StepError } from './commands.mjs'
import { setUp } from './setup.mjs'

const BUILT = ['deps', 'native', 'typescript']

const build = () => runNode('site/build.mjs', [])

const tasks = {
  '--build': { needs: [...BUILT, 'site'], run: build },
  '--generate': { needs: BUILT, run: () => runNode('site/generate.mjs', []) },
  '--look': {
    needs: [...BUILT, 'site', 'chromium'],
    run: async () => {
      await build()
      await runNode('site/look.mjs', [])
    },
  },
  '--serve': {
    needs: [...BUILT, 'site'],
    run: async () => {
      await build()
      await runNode('site/node_modules/vitepress/bin/vitepress.js', [
        'preview',
        'site',
        '--host',
        '127.0.0.1',
      ])
    },
  },
  '--measure': {
    needs: [...BUILT, 'runtimes'],
    run: async () => (await import('../site/levers.mjs')).measureLevers(),
  },
}

await main(import.meta.url, async ([task = '--build', ...others]) => {
  if (tasks[task] === undefined || others.length > 0) {
    throw new StepError(`npm run docs takes one of ${Object.keys(tasks).join(', ')}`)
  }
  await setUp(tasks[task].needs)
  await tasks[task].run()
})
