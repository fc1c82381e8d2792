import { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import { faultOfAbort } from '../abort.ts'
import type { RowEncoder } from '../formats/encoder.ts'
import type { EncoderMaker } from '../formats/formats.ts'
import { wholeAnswer } from '../formats/whole-answer.ts'
import type { Answer, Statement } from '../query-contract.ts'
import { Exchange } from './exchange.ts'
import { textLiteral } from './names.ts'
import { type Field, type OkFacts, queryCommand } from './packets.ts'
import { startsAsRead, writesFile } from './read-only.ts'
import { ResultCells } from './result-columns.ts'
import { faultOfServer, ServerError } from './server-error.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

/** So many bytes wait for the reader before the database's socket is not read any more. */
const BUFFER_BYTES = 262_144
const PATIENCE_SECONDS = 3_600
const NOTHING = Buffer.alloc(0)

export interface QueryParts {
  readonly wire: Wire
  readonly statement: Statement
  readonly makeEncoder: EncoderMaker
  readonly place: string
  /** The statement has ended by itself; `failed` where it did not end well. */
  readonly over: (failed: boolean) => Promise<void>
  /** Stops what runs on the wire, in the database, and takes the wire out of use. */
  readonly cancel: () => void
}

/** Opens the transaction and gives the statement's values to the server; returns what is to be sent last. */
export async function beginQuery(wire: Wire, statement: Statement): Promise<string> {
  const { sql, params, mode, maxRows, timeoutMs } = statement
  if (mode === 'read') await refuseWrites(wire, sql)
  const settings = [`net_write_timeout = ${PATIENCE_SECONDS}`]
  if (maxRows !== undefined) settings.push(`sql_select_limit = ${Math.ceil(maxRows)}`)
  if (timeoutMs !== undefined) {
    settings.push(wire.isMariadb ? `max_statement_time = ${timeoutMs / 1_000}` : `max_execution_time = ${Math.ceil(timeoutMs)}`)
  }
  await StatementRun.one(wire, `set session ${settings.join(', ')}`)
  await StatementRun.one(wire, mode === 'read' ? 'start transaction read only' : 'start transaction read write')
  if (params.length === 0) return sql
  await StatementRun.one(wire, `prepare postern_query from ${await preparable(wire, sql)}`)
  await StatementRun.one(wire, `set ${params.map((param, i) => `@postern_${i} = ${literal(param)}`).join(', ')}`)
  return `execute postern_query using ${params.map((_, i) => `@postern_${i}`).join(', ')}`
}

/** PREPARE takes a variable where it takes a text: that way no quoting of the server's depends on its mode. */
async function preparable(wire: Wire, sql: string): Promise<string> {
  await StatementRun.one(wire, `set @postern_sql = ${textLiteral(sql)}`)
  return '@postern_sql'
}

function literal(param: string | number | boolean | null): string {
  if (param === null) return 'null'
  if (typeof param === 'boolean') return String(param)
  if (typeof param === 'string') return textLiteral(param)
  if (!Number.isFinite(param)) throw new Fault('INPUT_INVALID', { at: 'params: MySQL has no NaN and no infinity.' })
  return Number.isInteger(param) && Math.abs(param) <= Number.MAX_SAFE_INTEGER
    ? String(param)
    : `${param}e0`.replace(/(e[+-]?\d+)e0$/, '$1')
}

/** What is no statement at all is told in the server's words. */
async function refuseWrites(wire: Wire, sql: string): Promise<void> {
  if (startsAsRead(sql) && !writesFile(sql)) return
  try {
    await StatementRun.one(wire, `prepare postern_query from ${await preparable(wire, sql)}`)
  } catch (cause) {
    if (cause instanceof ServerError && [1064, 1065].includes(cause.number)) throw cause
  }
  throw new Fault('QUERY_READ_ONLY', { at: 'A read may be SELECT, WITH, VALUES, TABLE, SHOW, EXPLAIN or DESCRIBE.' })
}

/** One user's statement; its rows become bytes as they come. */
export class QueryRun extends Exchange {
  readonly #parts: QueryParts
  readonly #settle: { resolve(answer: Answer): void; reject(cause: unknown): void }
  /** From the first bytes of an answer that is not there at once. */
  #stream: Readable | undefined
  #settled: () => void = () => undefined
  #answered = false
  #encoder: RowEncoder | undefined
  #cells: ResultCells | undefined
  #rows = 0
  #ended = false
  #paused = false
  /** The caller has gone, or has all the rows it wants: nothing is passed on any more. */
  #abandoned = false

  private constructor(parts: QueryParts, settle: { resolve(answer: Answer): void; reject(cause: unknown): void }) {
    super(parts.wire)
    this.#parts = parts
    this.#settle = settle
  }

  static start(parts: QueryParts, sql: string, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const run = new QueryRun(parts, { resolve, reject })
      const aborted = () => run.#abort(faultOfAbort(signal))
      run.#settled = () => signal.removeEventListener('abort', aborted)
      signal.addEventListener('abort', aborted, { once: true })
      parts.wire.exchange(run, queryCommand(sql))
      if (signal.aborted) aborted()
    })
  }

  batchEnd(): void {
    if (!this.#ended) this.#flush()
  }

  protected override columns(fields: readonly Field[]): void {
    if (this.result > 0 || this.#encoder) return
    this.#cells = new ResultCells(fields, this.#parts.statement.format)
    this.#encoder = this.#parts.makeEncoder(this.#cells.columns)
  }

  protected override row(buffer: Buffer, start: number, end: number): void {
    const cells = this.#cells
    if (this.#abandoned || this.result > 0 || !cells || !this.#encoder) return
    if (this.#rows === this.#parts.statement.maxRows) {
      this.#enough()
      return
    }
    try {
      cells.take(buffer, start, end)
      this.#encoder.row(cells.data, cells.cells)
      this.#rows += 1
    } catch (cause) {
      this.#abort(cause instanceof Fault ? cause : new Fault('QUERY_FAILED', { at: 'A value cannot be shown in this format.', cause }))
    }
  }

  protected override done(_facts: OkFacts): void {
    if (this.#ended) return
    this.#ended = true
    this.wire.release()
    if (this.#abandoned) return
    // What a change answers is only true once it is committed.
    this.#parts.over(false).then(
      () => this.#finish(),
      (cause: unknown) => this.#fail(this.#faultOf(cause)),
    )
  }

  protected override failed(error: ServerError): void {
    if (this.#ended) return
    this.#ended = true
    this.wire.release()
    this.#parts.over(true).catch(() => undefined)
    this.#fail(this.#faultOf(error))
  }

  lost(cause: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#parts.cancel()
    this.#fail(this.#faultOf(cause))
  }

  #faultOf(cause: unknown): Fault {
    if (cause instanceof Fault) return cause
    if (cause instanceof ServerError) return faultOfServer(cause, 'query', '')
    return new Fault('STORE_LOST', { at: `${this.#parts.place}: ${cause instanceof Error ? cause.message : String(cause)}`, cause })
  }

  /** More rows than were asked for: the rest is not waited for. */
  #enough(): void {
    this.#leave()
    this.#finish()
  }

  /** Before the first row there is nothing to send: a statement that fails on its first row is refused whole. */
  #flush(): void {
    if (this.#abandoned || this.#rows === 0) return
    const bytes = this.#encoder?.out.take()
    if (!bytes) return
    this.#stream ??= this.#begin()
    if (this.#stream.push(bytes)) return
    this.#paused = true
    this.wire.pause()
  }

  #begin(): Readable {
    const stream = new Readable({
      highWaterMark: BUFFER_BYTES,
      read: () => this.#resume(),
      destroy: (cause, done) => {
        this.#leave()
        done(cause)
      },
    })
    // Who reads hears of a failure; who does not yet must not end the process by it.
    stream.on('error', () => undefined)
    stream.once('close', this.#settled)
    this.#answered = true
    this.#settle.resolve({ bytes: stream, rows: () => this.#rows })
    return stream
  }

  #finish(): void {
    this.#encoder ??= this.#parts.makeEncoder([])
    this.#encoder.end()
    const bytes = this.#encoder.out.take()
    const stream = this.#stream
    if (stream) {
      if (bytes) stream.push(bytes)
      stream.push(null)
      return
    }
    if (this.#answered) return
    this.#answered = true
    this.#settled()
    const rows = this.#rows
    this.#settle.resolve(wholeAnswer(bytes ?? NOTHING, rows))
  }

  #resume(): void {
    if (!this.#paused || this.#ended) return
    this.#paused = false
    this.wire.resume()
  }

  #fail(fault: Fault): void {
    if (this.#answered) {
      this.#stream?.destroy(fault)
      return
    }
    this.#answered = true
    this.#settled()
    this.#settle.reject(fault)
  }

  #abort(fault: Fault): void {
    this.#leave()
    this.#fail(fault)
  }

  #leave(): void {
    if (this.#abandoned) return
    this.#abandoned = true
    if (this.#ended) return
    this.#ended = true
    this.#parts.cancel()
  }
}
