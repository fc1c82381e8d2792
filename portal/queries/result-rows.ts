/** Rows out of a stream of NDJSON, as they come. Pure. */

export type Row = Readonly<Record<string, unknown>>

/** Gives each whole line once; what is left of the last one waits for its end. */
export class ResultRows {
  readonly #decoder = new TextDecoder()
  #rest = ''

  take(chunk: Uint8Array): readonly Row[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    return rowsOf(lines)
  }

  end(): readonly Row[] {
    const rest = this.#rest + this.#decoder.decode()
    this.#rest = ''
    return rowsOf([rest])
  }
}

const rowsOf = (lines: readonly string[]) => lines.flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as Row]))

/** All have the same columns: those of the first. */
export const columnsOf = (rows: readonly Row[]): readonly string[] => Object.keys(rows[0] ?? {})

export type Cell = { readonly is: 'null' } | { readonly is: 'number' | 'text' | 'flag' | 'json'; readonly text: string }

/** What stands in a cell. Null is not a text. */
export function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return { is: 'null' }
  if (typeof value === 'number') return { is: 'number', text: String(value) }
  if (typeof value === 'boolean') return { is: 'flag', text: String(value) }
  if (typeof value === 'string') return { is: 'text', text: value }
  return { is: 'json', text: JSON.stringify(value) }
}

/** Whether what stands in a column is numbers: those stand under each other. */
export function isNumeric(column: string, rows: readonly Row[]): boolean {
  const looked = rows.slice(0, LOOKED).map((row) => cellOf(row[column]).is)
  return looked.includes('number') && looked.every((is) => is === 'number' || is === 'null')
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
