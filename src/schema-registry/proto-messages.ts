/**
 * Where a `.proto` text has its messages: by full name, the index of each level among the messages that stand
 * beside it. That is how the wire format names a message, and it follows the registered text. In the order of
 * the text.
 */
export function messageIndexesIn(proto: string): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, readonly number[]>()
  const stack: Block[] = [{ name: '', indexes: [], messages: 0 }]
  const tokens = tokensOf(proto)
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string
    const within = stack.at(-1) as Block
    if (token === '}') {
      if (stack.length > 1) stack.pop()
    } else if (token === '{') {
      stack.push({ name: null, indexes: [], messages: 0 })
    } else if (startsStatement(tokens[at - 1])) {
      const name = tokens[at + 1] ?? ''
      if (token === 'package' && stack.length === 1) within.name = name
      else if (token === 'message' && tokens[at + 2] === '{' && within.name !== null) {
        const fullName = within.name === '' ? name : `${within.name}.${name}`
        const indexes = [...within.indexes, within.messages++]
        found.set(fullName, indexes)
        stack.push({ name: fullName, indexes, messages: 0 })
        at += 2
      }
    }
  }
  return found
}

interface Block {
  /** Full name of what may hold messages; null for an enum, a service, an option and the like. */
  name: string | null
  indexes: readonly number[]
  messages: number
}

/** Comments and texts in quotes go; names keep their dots. */
function tokensOf(proto: string): string[] {
  const code = proto.replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, found =>
    found.startsWith('/') ? ' ' : '""',
  )
  return code.match(/[\w.]+|""|[^\s\w.]/g) ?? []
}

function startsStatement(before: string | undefined): boolean {
  return before === undefined || before === ';' || before === '{' || before === '}'
}
