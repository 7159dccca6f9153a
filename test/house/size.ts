import type { Finding, SourceFile } from './files.js'
import { lineAt } from './files.js'

export const LINE_COLUMNS_MAX = 110
export const FILE_LINES_MAX = 500
export const FUNCTION_LINES_MAX = 70

export function longLines({ path, text }: SourceFile): Finding[] {
  return text.split('\n').flatMap((line, index) => {
    const { length } = [...line]
    if (length <= LINE_COLUMNS_MAX) return []
    return [{ file: path, line: index + 1, problem: `${length} columns, at most ${LINE_COLUMNS_MAX}` }]
  })
}

export function longFile({ path, text }: SourceFile): Finding[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  if (lines <= FILE_LINES_MAX) return []
  return [{ file: path, line: lines, problem: `${lines} lines, at most ${FILE_LINES_MAX}` }]
}

const RAW_STRING = /R"(?<tag>[^()\s\\]*)\([\s\S]*?\)\k<tag>"/
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//
const LITERAL = /"(?:\\[\s\S]|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\[\s\S]|[^'\\\n])*'/
const DIRECTIVE = /^[ \t]*#(?:\\\n|[^\n])*/
const NOT_CODE = new RegExp(
  [RAW_STRING, COMMENT, LITERAL, DIRECTIVE].map(each => each.source).join('|'),
  'gm',
)

/** C++ with its comments, literals and preprocessor lines turned to blanks; every line stays where it was. */
export function codeOnly(cpp: string): string {
  return cpp.replace(NOT_CODE, found => found.replace(/[^\n]/g, ' '))
}

/** What opens a block that holds declarations and not statements. */
const CONTAINER = /(?:^|\s)(?:namespace|class|struct|union|enum|extern)\b/
/** The end of a function's head: parameters, then qualifiers, a return type or a constructor's initializers. */
const FUNCTION_HEAD =
  /\)\s*(?:const|noexcept(?:\([^)]*\))?|override|final|mutable|\s)*(?:->[^;{}]*|:[^:;][^;]*[)}]\s*)?$/

/**
 * Functions of a C++ file longer than the limit, from the first line of the head to the closing brace. It follows
 * braces only: good enough for code that clang-format has laid out and that does not open braces in macros.
 */
export function longCppFunctions({ path, text }: SourceFile): Finding[] {
  const code = codeOnly(text)
  const findings: Finding[] = []
  const blocks: ('container' | 'function' | 'other')[] = []
  let headStart = 0
  let functionStart = 0
  for (let i = 0; i < code.length; i++) {
    const character = code[i]
    if (character === '{') {
      const head = code.slice(headStart, i).trim()
      const isInside = blocks.includes('function')
      const kind = isInside
        ? 'other'
        : FUNCTION_HEAD.test(head)
          ? 'function'
          : CONTAINER.test(head)
            ? 'container'
            : 'other'
      if (kind === 'function') functionStart = headStart + code.slice(headStart).search(/\S/)
      // A member initializer `x{1}` is a block in the middle of a head, which goes on after it.
      blocks.push(kind)
      if (kind !== 'other' || isInside) headStart = i + 1
    } else if (character === '}') {
      const kind = blocks.pop()
      if (kind === 'function') findings.push(...tooLong(path, code, functionStart, i))
      if (kind !== 'other' || blocks.includes('function')) headStart = i + 1
    } else if (character === ';') {
      headStart = i + 1
    }
  }
  if (blocks.length > 0) findings.push({ file: path, line: 1, problem: 'braces do not match' })
  return findings
}

function tooLong(file: string, code: string, from: number, to: number): Finding[] {
  const line = lineAt(code, from)
  const lines = lineAt(code, to) - line + 1
  if (lines <= FUNCTION_LINES_MAX) return []
  return [{ file, line, problem: `a function of ${lines} lines, at most ${FUNCTION_LINES_MAX}` }]
}
