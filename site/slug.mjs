/** The anchor of a heading as GitHub makes it, so that links hold in the repository and on the site. */
export function slugOf(heading) {
  return heading
    .replace(/<[^>]+>/g, '')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
}

/** Anchors of a page, in order; one that is taken already gets a number, as GitHub does it. */
export function anchorsOf(markdown) {
  const taken = new Map()
  const anchors = []
  const outside = markdown.replace(/^(```|~~~)[^\n]*\n[\s\S]*?^\1[ \t]*$/gm, '')
  for (const [, heading] of outside.matchAll(/^#{1,6} +(.*)$/gm)) {
    const slug = slugOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', ''))
    const times = taken.get(slug) ?? 0
    taken.set(slug, times + 1)
    anchors.push(times === 0 ? slug : `${slug}-${times}`)
  }
  return anchors
}
