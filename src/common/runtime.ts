/** What runs this process, where it matters: Bun and Deno have most of Node's API, not all of its insides. */
export const isBun = process.versions.bun !== undefined
export const isNode = !isBun && process.versions.deno === undefined
