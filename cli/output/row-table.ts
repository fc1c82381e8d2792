/**
 * Rows as a table for people, in bounded memory: the first page of rows decides the widths, later ones follow them (a wider
 * value pushes its line out rather than being cut).
 */
const PAGE_ROWS = 1_000
const WIDEST = 80
/** What would break the line or the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g

export class RowTable {
  #columns: readonly string[] | undefined
  #widths: number[] = []
  #numeric: boolean[] = []
  #page: (readonly Cell[])[] = []
  #rows = 0

  get rows(): number {
    return this.#rows
  }

  /** One JSON object, a line of NDJSON. */
  add(line: string): void {
    if (line === '') return
    // Numbers keep the text they came with: a 64-bit one must not lose its last digits.
    const row = JSON.parse(line, keepNumbers) as Readonly<Record<string, Json>>
    this.#columns ??= Object.keys(row)
    this.#page.push(this.#columns.map((name) => cellOf(row[name])))
    this.#rows += 1
  }

  /** The text of the pages that are full by now. */
  take(): string {
    return this.#page.length >= PAGE_ROWS ? this.#flush() : ''
  }

  end(): string {
    return this.#flush()
  }

  #flush(): string {
    const columns = this.#columns
    if (!columns || this.#page.length === 0) return ''
    const lines: string[] = []
    if (this.#widths.length === 0) {
      this.#measure(columns)
      lines.push(
        this.#line(columns.map((name) => ({ text: name, number: false }))),
        this.#widths.map((width) => '-'.repeat(width)).join('  '),
      )
    }
    for (const row of this.#page) lines.push(this.#line(row))
    this.#page = []
    return `${lines.join('\n')}\n`
  }

  #measure(columns: readonly string[]): void {
    this.#widths = columns.map((name, index) =>
      Math.min(WIDEST, Math.max(name.length, ...this.#page.map((row) => row[index]?.text.length ?? 0))),
    )
    this.#numeric = columns.map((_, index) => this.#page.every((row) => row[index]?.number !== false))
  }

  #line(cells: readonly Cell[]): string {
    return cells
      .map(({ text }, index) => (this.#numeric[index] ? text.padStart(this.#widths[index] ?? 0) : text.padEnd(this.#widths[index] ?? 0)))
      .join('  ')
      .trimEnd()
  }
}

type Json = string | boolean | null | NumberText | object | undefined
interface Cell {
  readonly text: string
  /** undefined: NULL, which may stand in a column of numbers. */
  readonly number: boolean | undefined
}

class NumberText {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }

  toJSON(): unknown {
    return Number(this.source)
  }
}

function keepNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? new NumberText(context?.source ?? String(value)) : value
}

function cellOf(value: Json): Cell {
  if (value === null || value === undefined) return { text: 'NULL', number: undefined }
  if (value instanceof NumberText) return { text: value.source, number: true }
  const text = typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : JSON.stringify(value)
  return { text: text.replace(CONTROL, escaped), number: false }
}

function escaped(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\t') return '\\t'
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
