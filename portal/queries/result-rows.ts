/** Rows out of a stream of NDJSON, as they come. Pure. */

export type Row = Readonly<Record<string, unknown>>

/** A number as the store wrote it, where a double would be written otherwise: 12.50 is not 12.5 to who reads prices. */
export class WrittenNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toJSON(): number {
    return Number(this.text)
  }
}

/** Gives each whole line once; what is left of the last one waits for its end. */
export class ResultRows {
  readonly #decoder = new TextDecoder()
  #rest = ''
  #columns: readonly string[] | undefined

  /** Those of the first row, as the statement has them: all rows have the same. */
  get columns(): readonly string[] {
    return this.#columns ?? []
  }

  take(chunk: Uint8Array): readonly Row[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    return this.#rowsOf(lines)
  }

  end(): readonly Row[] {
    const rest = this.#rest + this.#decoder.decode()
    this.#rest = ''
    return this.#rowsOf([rest])
  }

  #rowsOf(lines: readonly string[]): readonly Row[] {
    const whole = lines.filter((line) => line.trim() !== '')
    const [first] = whole
    if (first !== undefined) this.#columns ??= namesOf(first)
    return whole.map((line) => JSON.parse(line, asWritten) as Row)
  }
}

/** Browsers that do not tell how a number was written show it as they would. */
function asWritten(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source
  return typeof value === 'number' && source !== undefined && source !== String(value) ? new WrittenNumber(source) : value
}

const STRING_OR_BRACKET = /"(?:[^"\\]|\\.)*"|[{}[\]]/g

/** The names of an object in the order they are written: JavaScript's objects put those of digits ("2024") first. */
function namesOf(line: string): readonly string[] {
  const names: string[] = []
  let depth = 0
  for (const { 0: part, index } of line.matchAll(STRING_OR_BRACKET)) {
    if (part === '{' || part === '[') depth += 1
    else if (part === '}' || part === ']') depth -= 1
    else if (depth === 1 && /^\s*:/.test(line.slice(index + part.length, index + part.length + 2))) names.push(JSON.parse(part))
  }
  return names
}

export type Cell = { readonly is: 'null' } | { readonly is: 'number' | 'text' | 'flag' | 'json'; readonly text: string }

/** What stands in a cell. Null is not a text. */
export function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return { is: 'null' }
  if (typeof value === 'number') return { is: 'number', text: String(value) }
  if (value instanceof WrittenNumber) return { is: 'number', text: value.text }
  if (typeof value === 'boolean') return { is: 'flag', text: String(value) }
  if (typeof value === 'string') return { is: 'text', text: value }
  return { is: 'json', text: JSON.stringify(value) }
}

/** The lines of a plan; undefined where the store gives a table of steps. */
export function planText(columns: readonly string[], rows: readonly Row[]): string | undefined {
  const [column] = columns
  if (column === undefined || columns.length > 1) return undefined
  return rows.map((row) => (row[column] === null ? '' : String(row[column]))).join('\n')
}

/** What no double holds exactly comes as text. */
const LONG_NUMBER = /^-?\d+(?:\.\d+)?$/

/** Whether what stands in a column is numbers: those stand under each other. */
export function isNumeric(column: string, rows: readonly Row[]): boolean {
  const looked = rows.slice(0, LOOKED).map((row) => cellOf(row[column]))
  return (
    looked.some(({ is }) => is === 'number') &&
    looked.every((cell) => cell.is === 'number' || cell.is === 'null' || (cell.is === 'text' && LONG_NUMBER.test(cell.text)))
  )
}

/** How wide columns are, in characters: by their names and first rows. */
export function widthsOf(columns: readonly string[], rows: readonly Row[]): readonly number[] {
  const looked = rows.slice(0, LOOKED)
  return columns.map((column) => {
    const cells = looked.map((row) => {
      const cell = cellOf(row[column])
      return cell.is === 'null' ? 4 : cell.text.length
    })
    return Math.min(WIDEST, Math.max(NARROWEST, column.length + 1, ...cells))
  })
}

const LOOKED = 100
const NARROWEST = 6
const WIDEST = 48
