// The API pages: TypeDoc reads the declarations that users get. An export without a docstring is an error.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Application, ReflectionKind } from 'typedoc'
import { entries } from './contents.mjs'
import { anchorsOf } from './slug.mjs'
import { PAGES, ROOT, SITE } from './stage.mjs'

export async function writeApiPages() {
  const declarations = entries.map(({ file }) => join(ROOT, 'dist', `${file}.d.ts`))
  const tsconfig = join(SITE, '.cache/tsconfig.json')
  writeFileSync(
    tsconfig,
    JSON.stringify({
      compilerOptions: {
        ...{ target: 'ES2022', lib: ['ES2023', 'ESNext.Disposable', 'DOM'], module: 'NodeNext' },
        ...{ types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')], strict: true, noEmit: true },
        skipLibCheck: true,
      },
      files: declarations,
    }),
  )
  const out = join(PAGES, 'reference/api')
  rmSync(out, { recursive: true, force: true })
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: declarations,
    tsconfig,
    logLevel: 'Warn',
    readme: 'none',
    disableSources: true,
    excludePrivate: true,
    excludeInternal: true,
    router: 'module',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    entryFileName: 'index',
    excludeExternals: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    classPropertiesFormat: 'table',
    typeAliasPropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
    useCodeBlocks: true,
    validation: { notDocumented: false, notExported: false, invalidLink: true },
    treatValidationWarningsAsErrors: true,
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('TypeDoc could not read the declarations')
  app.validate(project)
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('TypeDoc has warned, see above')
  for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
    module.name = entries.find(({ file }) => file === module.name || file === `${module.name}/index`).name
  }
  const undocumented = undocumentedExports(project)
  if (undocumented.length > 0) throw new Error(`exports without a docstring: ${undocumented.join(', ')}`)
  removeInherited(project)
  sortByUse(project)
  await app.outputs.writeOutput({ name: 'markdown', path: out }, project)
  for (const { name } of entries) {
    const file = join(out, `${name}.md`)
    const title = name === 'millrace' ? name : `millrace/${name}`
    const text = withoutAnchors(readFileSync(file, 'utf8'))
    writeFileSync(file, text.replace(/^# .*$/m, `# API of \`${title}\``))
  }
  for (const { name } of entries) mendAnchors(out, `${name}.md`)
}

/** TypeDoc numbers headings of one name before it knows which of them are written. */
function mendAnchors(out, name) {
  const file = join(out, name)
  const mended = readFileSync(file, 'utf8').replace(
    /\]\((?:\.\/)?([\w-]*(?:\.md)?)#([\w-]+)-\d+\)/g,
    (link, page, anchor) => {
      const anchors = anchorsOf(readFileSync(join(out, page || name), 'utf8'))
      const wanted = /#([\w-]+)\)$/.exec(link)[1]
      return anchors.includes(wanted) || !anchors.includes(anchor)
        ? link
        : link.replace(`#${wanted}`, `#${anchor}`)
    },
  )
  writeFileSync(file, mended)
}

/** What a class has from its base class is told there: error classes would repeat it twenty times. */
function removeInherited(project) {
  const members = project.getReflectionsByKind(ReflectionKind.ClassMember)
  for (const member of members.filter(({ inheritedFrom }) => inheritedFrom !== undefined)) {
    const { parent } = member
    for (const group of parent.groups) group.children = group.children.filter(each => each !== member)
    parent.groups = parent.groups.filter(({ children }) => children.length > 0)
    project.removeReflection(member)
  }
}

/** Readers of an API page look for the producer and its calls first, and for errors last. */
function sortByUse(project) {
  const rankOf = ({ name }) => (name === 'Producer' ? 0 : name.endsWith('Error') ? 2 : 1)
  for (const { groups } of project.getChildrenByKind(ReflectionKind.Module)) {
    for (const group of groups) group.children.sort((one, other) => rankOf(one) - rankOf(other))
  }
}

/** Anchors within tables are HTML, which pages may not have; links to them become plain text. */
function withoutAnchors(markdown) {
  return markdown
    .replace(/<a id="[^"]*"><\/a> ?/g, '')
    .replace(/\[((?:[^\]`]|`[^`]*`)*)\]\([^)]*#property-[^)]*\)/g, '$1')
}

/** Exports of all entries that no docstring says anything of. */
function undocumentedExports(project) {
  const isDocumented = each =>
    each.hasComment() || (each.signatures ?? []).some(signature => signature.hasComment())
  return project
    .getChildrenByKind(ReflectionKind.Module)
    .flatMap(module => module.children.map(each => [`${module.name}.${each.name}`, each]))
    .filter(([, each]) => each.kind !== ReflectionKind.Reference && !isDocumented(each))
    .map(([name]) => name)
}
