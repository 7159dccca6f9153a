import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitepress'
import { boostDocument, entries, papers, sections } from '../contents.mjs'
import { slugOf } from '../slug.mjs'
import { PAGES } from '../stage.mjs'

const titleOf = page =>
  /^# (.*)$/m.exec(readFileSync(join(PAGES, `${page}.md`), 'utf8'))[1].replaceAll('`', '')
const link = page => ({ text: titleOf(page), link: page === 'index' ? '/' : `/${page}` })

export default defineConfig({
  title: 'millrace',
  description: 'A Kafka producer for Node, Bun and Deno',
  // Where the site is not at the root of its host: BASE=/millrace/ npm run docs
  base: process.env.BASE ?? '/',
  srcDir: '.cache/pages',
  outDir: 'dist',
  cacheDir: '.cache/vite',
  metaChunk: true,
  // Dead links fail the build: that is VitePress's default, and stays so.
  markdown: {
    html: false,
    anchor: { slugify: slugOf },
    config(md) {
      md.renderer.rules.table_open = () => '<div class="scrolled"><table>\n'
      md.renderer.rules.table_close = () => '</table></div>\n'
    },
  },
  themeConfig: {
    search: {
      provider: 'local',
      options: {
        detailedView: 'auto',
        miniSearch: { searchOptions: { boostDocument } },
        // The list of questions would be found in place of its answers.
        _render: (text, env, md) => (env.relativePath === 'questions.md' ? '' : md.render(text, env)),
      },
    },
    outline: [2, 3],
    nav: [
      { text: 'Guide', link: '/getting-started' },
      { text: 'Options', link: '/reference/options' },
      { text: 'Errors', link: '/reference/errors' },
      { text: 'API', link: '/reference/api/millrace' },
    ],
    sidebar: [
      ...sections.map(({ title, pages }) => ({ text: title, collapsed: false, items: pages.map(link) })),
      {
        text: 'API',
        collapsed: true,
        items: entries.map(({ name }) => ({
          text: name === 'millrace' ? name : `millrace/${name}`,
          link: `/reference/api/${name}`,
        })),
      },
      {
        text: 'The project',
        collapsed: true,
        items: papers.map(({ page, title }) => ({ text: title, link: `/${page}` })),
      },
    ],
  },
})
