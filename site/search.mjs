// The search of the built site, outside of a browser: the same index, with the same options.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import MiniSearch from 'minisearch'
import { SITE } from './stage.mjs'

const CHUNKS = join(SITE, 'dist/assets/chunks')

/** What VitePress's search box passes to MiniSearch, beside the options of the configuration. */
const DEFAULTS = { fuzzy: 0.2, prefix: true, boost: { title: 4, text: 2, titles: 1 } }

/** Places of the site by rank, each `page#anchor`. */
export async function openSearch(boostDocument) {
  const name = readdirSync(CHUNKS).find(each => each.startsWith('@localSearchIndexroot.'))
  const { default: json } = await import(pathToFileURL(join(CHUNKS, name)).href)
  const index = MiniSearch.loadJSON(json, {
    fields: ['title', 'titles', 'text'],
    storeFields: ['title', 'titles'],
    searchOptions: { ...DEFAULTS, boostDocument },
  })
  return query => index.search(query).map(({ id }) => id.replace(/^\//, '').replace(/\.html/, ''))
}
