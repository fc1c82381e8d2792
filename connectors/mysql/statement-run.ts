import { Exchange } from './exchange.ts'
import { type Field, type OkFacts, queryCommand, RESET_CONNECTION, Reader } from './packets.ts'
import type { ServerError } from './server-error.ts'
import type { Wire } from './wire.ts'

export type Row = readonly (string | null)[]

/** What every session of ours has: text in UTF-8, moments in UTC. */
export const SESSION_SQL = `set character_set_client = utf8mb4, character_set_connection = utf8mb4, character_set_results = utf8mb4,
  autocommit = 1, time_zone = '+00:00'`

/** Small results as rows of text: for the connector's own statements, not for users' data. */
export class StatementRun extends Exchange {
  readonly rows: Row[] = []
  fields: readonly Field[] | undefined
  affected = 0
  warnings = 0
  readonly #settle: { resolve(run: StatementRun): void; reject(cause: unknown): void }

  private constructor(wire: Wire, settle: { resolve(run: StatementRun): void; reject(cause: unknown): void }) {
    super(wire)
    this.#settle = settle
  }

  static one(wire: Wire, sql: string): Promise<StatementRun> {
    return StatementRun.#send(wire, queryCommand(sql))
  }

  /** One after the other, up to the first error. */
  static async all(wire: Wire, statements: readonly string[]): Promise<void> {
    for (const sql of statements) await StatementRun.one(wire, sql)
  }

  /** The session as after sign-in. */
  static async reset(wire: Wire): Promise<void> {
    await StatementRun.#send(wire, RESET_CONNECTION)
    await StatementRun.one(wire, SESSION_SQL)
  }

  static #send(wire: Wire, command: Buffer): Promise<StatementRun> {
    return new Promise((resolve, reject) => wire.exchange(new StatementRun(wire, { resolve, reject }), command))
  }

  protected override columns(fields: readonly Field[]): void {
    this.fields = fields
  }

  protected override row(buffer: Buffer, start: number): void {
    const reader = new Reader(buffer, start)
    this.rows.push(Array.from({ length: this.fields?.length ?? 0 }, () => reader.text()))
  }

  protected override done({ affected, warnings }: OkFacts): void {
    this.affected = affected
    this.warnings = warnings
    this.wire.release()
    this.#settle.resolve(this)
  }

  protected override failed(error: ServerError): void {
    this.wire.release()
    this.#settle.reject(error)
  }

  lost(cause: Error): void {
    this.#settle.reject(cause)
  }
}
