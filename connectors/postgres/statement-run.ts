import { FRAME, type Param, proveStatement, SYNC, statement } from './messages.ts'
import { type FieldType, readFields } from './result-columns.ts'
import { ServerError } from './server-error.ts'
import type { Listener, Wire } from './wire.ts'

export type Row = readonly (string | null)[]

export interface Statement {
  readonly sql: string
  readonly params?: readonly Param[]
}

/** Small results as rows of text: for the connector's own statements, not for users' data. */
export class StatementRun implements Listener {
  readonly rows: Row[] = []
  /** Of a described statement; undefined when it returns no rows. */
  fields: readonly FieldType[] | undefined
  /** "INSERT 0 5" of the last statement. */
  tag = ''
  /** How many rows there were when each statement had ended. */
  readonly #ends: number[] = []
  readonly #wire: Wire
  readonly #settle: { resolve(run: StatementRun): void; reject(cause: unknown): void }
  #error: ServerError | undefined

  private constructor(wire: Wire, settle: { resolve(run: StatementRun): void; reject(cause: unknown): void }) {
    this.#wire = wire
    this.#settle = settle
  }

  /** Statements in one write and one round trip; rows of all of them. After an error the rest is not run. */
  static all(wire: Wire, statements: readonly Statement[]): Promise<StatementRun> {
    const bytes = Buffer.concat([bytesOf(statements), SYNC])
    return new Promise((resolve, reject) => wire.exchange(new StatementRun(wire, { resolve, reject }), bytes))
  }

  /** The same; the rows of each by themselves. */
  static async each(wire: Wire, statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> {
    const run = await StatementRun.all(wire, statements)
    return run.#ends.map((end, i) => run.rows.slice(run.#ends[i - 1] ?? 0, end))
  }

  /** Statements whose answers nobody needs: they go out with the next exchange, and fail it if they fail. */
  static ahead(wire: Wire, statements: readonly Statement[]): void {
    wire.ahead(bytesOf(statements), statements.length)
  }

  static one(wire: Wire, sql: string, params: readonly Param[] = []): Promise<StatementRun> {
    return StatementRun.all(wire, [{ sql, params }])
  }

  /** What one statement would return, without running it. */
  static describe(wire: Wire, sql: string): Promise<StatementRun> {
    const bytes = Buffer.concat([proveStatement(sql), SYNC])
    return new Promise((resolve, reject) => wire.exchange(new StatementRun(wire, { resolve, reject }), bytes))
  }

  /** Rows that the last statement touched. */
  get affected(): number {
    return Number(/(\d+)$/.exec(this.tag)?.[1] ?? 0)
  }

  frame(code: number, buffer: Buffer, start: number, end: number): void {
    if (code === FRAME.dataRow) this.rows.push(readRow(buffer, start))
    else if (code === FRAME.rowDescription) this.fields = readFields(buffer, start)
    else if (code === FRAME.commandComplete) {
      this.tag = buffer.toString('utf8', start, end - 1)
      this.#ends.push(this.rows.length)
    } else if (code === FRAME.error) this.#error ??= ServerError.parse(buffer, start, end)
    else if (code === FRAME.ready) {
      this.#wire.release()
      if (this.#error) this.#settle.reject(this.#error)
      else this.#settle.resolve(this)
    }
  }

  lost(cause: Error): void {
    this.#settle.reject(cause)
  }
}

function bytesOf(statements: readonly Statement[]): Buffer {
  return Buffer.concat(statements.map(({ sql, params = [] }) => statement(sql, { params })))
}

export function readRow(buffer: Buffer, start: number): Row {
  const count = buffer.readInt16BE(start)
  const row: (string | null)[] = new Array(count)
  let at = start + 2
  for (let i = 0; i < count; i += 1) {
    const length = buffer.readInt32BE(at)
    at += 4
    row[i] = length < 0 ? null : buffer.toString('utf8', at, at + length)
    if (length > 0) at += length
  }
  return row
}
