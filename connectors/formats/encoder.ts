import type { ByteWriter } from './byte-writer.ts'

/** What a cell's text is, so that a format can show it as more than text. */
export type CellKind =
  | 'bool'
  /** A whole number. */
  | 'int'
  /** A decimal number of any length. */
  | 'decimal'
  /** The shortest text that reads back as the same IEEE double (or float). */
  | 'float'
  | 'json'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid'
  /** Text `\x` and hex digits. */
  | 'bytes'
  /** PostgreSQL's array text: `{1,NULL,"a b"}`; `element` says of what. */
  | 'array'
  | 'text'

export interface CellColumn {
  readonly name: string
  readonly kind: CellKind
  readonly element?: CellKind
  /** Of a whole number: how wide it is. Of a float: 32 or 64. */
  readonly bits?: 16 | 32 | 64
  /** Cells come as PostgreSQL's binary format has them. Only for an encoder that asked for it. */
  readonly binary?: boolean
}

/**
 * Rows of text cells in, bytes of one format out. A cell i of a row is [cells[2i], cells[2i+1]) of `data`, UTF-8; start −1 is NULL.
 * Bool cells are `t` or `f`, timestamps ISO 8601 with a space.
 */
export interface RowEncoder {
  readonly out: ByteWriter
  row(data: Buffer, cells: Int32Array): void
  /** Whatever closes the result. */
  end(): void
}

/** Names as the keys of one object must be: the second `name` becomes `name_2`. */
export function distinctNames(names: readonly string[]): readonly string[] {
  const given = new Set(names)
  const used = new Set<string>()
  return names.map((name) => {
    let unique = name
    for (let n = 2; used.has(unique) || (unique !== name && given.has(unique)); n += 1) unique = `${name}_${n}`
    used.add(unique)
    return unique
  })
}

/** Feeds rows of strings to an encoder: for stores whose driver gives no bytes. */
export class TextRows {
  readonly #encoder: RowEncoder
  readonly #cells: Int32Array

  constructor(encoder: RowEncoder, columns: number) {
    this.#encoder = encoder
    this.#cells = new Int32Array(columns * 2)
  }

  row(cells: readonly (string | null)[]): void {
    const whole = cells.join('') // null joins as nothing
    const data = Buffer.from(whole)
    const ascii = data.length === whole.length
    let at = 0
    for (let i = 0; i < cells.length; i += 1) {
      const cell = cells[i]
      if (cell === null || cell === undefined) {
        this.#cells[2 * i] = -1
        continue
      }
      this.#cells[2 * i] = at
      at += ascii ? cell.length : Buffer.byteLength(cell)
      this.#cells[2 * i + 1] = at
    }
    this.#encoder.row(data, this.#cells)
  }
}
