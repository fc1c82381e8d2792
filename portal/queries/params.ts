/** Values of $1, $2, … (of ? in MySQL) as they are typed. Pure. */

export type ParamKind = 'text' | 'number' | 'flag' | 'null'
export interface TypedParam {
  readonly kind: ParamKind
  readonly text: string
}

const MOST = 1_000

/** Texts, quoted names and comments: what stands in them stands for itself. */
const QUOTED = /\$(\w*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g
const QUOTED_MYSQL = /'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|`(?:[^`]|``)*`|--\s[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\//g

/** How many values a statement asks for: the highest $n, and in MySQL all the ?. */
export function paramCount(sql: string, kind: string): number {
  if (kind === 'mysql') return Math.min(MOST, [...sql.replace(QUOTED_MYSQL, ' ').matchAll(/\?/g)].length)
  const numbers = [...sql.replace(QUOTED, ' ').matchAll(/(?<![\w$])\$(\d{1,4})\b/g)].map(([, digits]) => Number(digits))
  return Math.min(MOST, Math.max(0, ...numbers))
}

/** As it stands in the statement; those of MySQL have no numbers there. */
export const paramName = (at: number, kind: string): string => (kind === 'mysql' ? `?${at + 1}` : `$${at + 1}`)

/** As many as the statement asks for: typed ones stay, new ones are texts. */
export function paramsFor(count: number, typed: readonly TypedParam[]): readonly TypedParam[] {
  return Array.from({ length: count }, (_, at) => typed[at] ?? { kind: 'text', text: '' })
}

export function paramValue({ kind, text }: TypedParam): string | number | boolean | null {
  switch (kind) {
    case 'null':
      return null
    case 'flag':
      return text === 'true'
    case 'number':
      // What a double does not hold goes as text: the store makes the number of it.
      return isExact(text) ? Number(text) : text.trim()
    case 'text':
      return text
    default:
      return kind satisfies never
  }
}

const isExact = (text: string) => /^\s*-?(?:\d[\d.]{0,14}|\.\d{1,14})\s*$/.test(text) && Number.isFinite(Number(text))

/** Undefined when all can be sent. */
export function paramProblem({ kind, text }: TypedParam): string | undefined {
  if (kind === 'number' && (text.trim() === '' || !Number.isFinite(Number(text)))) return 'Is no number'
  if (kind === 'flag' && text !== 'true' && text !== 'false') return 'true or false'
  return undefined
}
