import { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import { ByteWriter } from '../formats/byte-writer.ts'
import { csvHeader } from '../formats/csv.ts'
import type { CellColumn, RowEncoder } from '../formats/encoder.ts'
import { wholeAnswer } from '../formats/whole-answer.ts'
import type { Answer } from '../query-contract.ts'
import { FRAME, IDLE, SYNC } from './messages.ts'
import type { QueryParts } from './query-parts.ts'
import { canBeNamed, namedRequest, nameLost, plainRequest, type QueryRequest, RESET, ROLLBACK_AND_RESET } from './query-request.ts'
import { cellColumns, readCells, readFields } from './result-columns.ts'
import { faultOfServer, ServerError } from './server-error.ts'
import type { Listener } from './wire.ts'

/** So many bytes wait for the reader before the database's socket is not read any more. */
const BUFFER_BYTES = 262_144

const NOTHING = Buffer.alloc(0)

const STAGE = { answering: 0, resetting: 1, done: 2 } as const
type Stage = (typeof STAGE)[keyof typeof STAGE]

/** One user's statement, in a transaction of its own, all of it sent in one write; its rows become bytes as they come. */
export class QueryRun implements Listener {
  readonly #parts: QueryParts
  #request: QueryRequest
  /** From the first bytes of an answer that is not there at once. */
  #stream: Readable | undefined
  #settled: () => void = () => undefined
  readonly #settle: { resolve(answer: Answer): void; reject(cause: unknown): void }
  #stage: Stage = STAGE.answering
  /** Statements of a named request that are complete, and whether the user's is among them. */
  #completed = 0
  #after = false
  #check = ''
  #again = false
  #answered = false
  #encoder: RowEncoder | undefined
  #cells = new Int32Array(0)
  #copied: ByteWriter | undefined
  #rows = 0
  #error: ServerError | Fault | undefined
  #resetFailed = false
  #paused = false
  /** The caller has gone: nothing is passed on any more. */
  #abandoned = false

  private constructor(parts: QueryParts, settle: { resolve(answer: Answer): void; reject(cause: unknown): void }) {
    this.#parts = parts
    this.#settle = settle
    const { wire, statement, texts } = parts
    this.#request = wire.named && canBeNamed(statement) ? namedRequest(statement, wire.names, texts) : plainRequest(statement)
    this.#know(this.#request.named?.columns)
  }

  static start(parts: QueryParts, signal: AbortSignal, faultOfAbort: (signal: AbortSignal) => Fault): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const aborted = () => run.#abort(faultOfAbort(signal))
      const run = new QueryRun(parts, { resolve, reject })
      run.#settled = () => signal.removeEventListener('abort', aborted)
      signal.addEventListener('abort', aborted, { once: true })
      parts.wire.exchange(run, run.#request.bytes)
    })
  }

  frame(code: number, buffer: Buffer, start: number, end: number): void {
    if (this.#stage === STAGE.answering) this.#answerFrame(code, buffer, start, end)
    else this.#resetFrame(code, buffer, start)
  }

  #answerFrame(code: number, buffer: Buffer, start: number, end: number): void {
    switch (code) {
      case FRAME.dataRow:
        if (this.#after) this.#check = buffer.toString('latin1', start + 6, start + 6 + buffer.readInt32BE(start + 2))
        else this.#row(buffer, start)
        return
      case FRAME.commandComplete:
      case FRAME.emptyQuery:
      case FRAME.portalSuspended:
        this.#completed += 1
        this.#after = this.#completed > (this.#request.before ?? Number.POSITIVE_INFINITY)
        return
      case FRAME.copyData:
        if (this.#abandoned) return
        this.#copied?.copy(buffer, start, end)
        this.#rows += 1
        return
      case FRAME.rowDescription:
        this.#describe(buffer, start)
        return
      case FRAME.noData:
        if (this.#request.rest) this.#ask(this.#request.rest, [])
        return
      case FRAME.error:
        // What fails after the user's statement is no fault of its answer: the session is reset.
        if (this.#after) this.#parts.wire.named = false
        else this.#error ??= ServerError.parse(buffer, start, end)
        // What was to follow, and to end with a Sync, does not.
        if (this.#request.rest) this.#ask(() => SYNC, [])
        return
      case FRAME.copyIn:
      case FRAME.copyBoth:
        this.#refuseCopy()
        return
      case FRAME.copyOut:
        if (!this.#request.copy) this.#refuseCopy()
        return
      case FRAME.ready:
        this.#ready(buffer[start] ?? 0)
        return
      default:
    }
  }

  batchEnd(): void {
    if (this.#stage !== STAGE.answering || this.#error) return
    this.#flush()
  }

  lost(cause: Error): void {
    const { place } = this.#parts
    this.#error =
      cause instanceof ServerError
        ? faultOfServer(cause, 'query', place)
        : new Fault('STORE_LOST', { at: `${place}: ${cause.message}`, cause })
    const wasAnswering = this.#stage === STAGE.answering || this.#again
    this.#stage = STAGE.done
    this.#parts.free(false)
    if (wasAnswering) this.#fail(this.#error)
  }

  #row(buffer: Buffer, start: number): void {
    if (this.#abandoned || !this.#encoder) return
    readCells(buffer, start, this.#cells)
    this.#encoder.row(buffer, this.#cells)
    this.#rows += 1
  }

  #describe(buffer: Buffer, start: number): void {
    const { rest } = this.#request
    const columns = cellColumns(readFields(buffer, start), rest !== undefined)
    if (rest) this.#ask(rest, columns)
    if (this.#request.copy) {
      this.#copied = new ByteWriter()
      this.#copied.bytes(csvHeader(columns.map((column) => column.name)))
      return
    }
    if (this.#request.named) this.#request.named.columns = columns
    this.#know(columns)
  }

  /** Now that its columns are known. */
  #ask(rest: NonNullable<QueryRequest['rest']>, columns: readonly CellColumn[]): void {
    this.#request = { ...this.#request, rest: undefined }
    this.#parts.wire.send(rest(columns))
  }

  #know(columns: readonly CellColumn[] | undefined): void {
    if (!columns) return
    this.#encoder = this.#parts.makeEncoder(columns)
    this.#cells = new Int32Array(columns.length * 2)
  }

  /** Before the first row there is nothing to send: a statement that fails on its first row is refused whole. */
  #flush(): void {
    if (this.#abandoned || this.#rows === 0) return
    const bytes = (this.#copied ?? this.#encoder?.out)?.take()
    if (!bytes) return
    this.#stream ??= this.#begin()
    if (this.#stream.push(bytes)) return
    this.#paused = true
    this.#parts.wire.pause()
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

  /** The statement and its transaction are done: Z after the first Sync. */
  #ready(transaction: number): void {
    const { wire, statement: asked } = this.#parts
    const { before, expected } = this.#request
    const idle = transaction === IDLE
    if (before !== undefined && idle && !this.#error && this.#check === expected) {
      this.#stage = STAGE.done
      wire.release()
      this.#parts.free(true)
    } else {
      this.#stage = STAGE.resetting
      wire.names.forget()
      this.#again = before !== undefined && this.#error instanceof ServerError && this.#canRunAgain(this.#error)
      // The reset of a plain read is on its way.
      if (before !== undefined || asked.mode === 'write') wire.send(idle ? RESET : ROLLBACK_AND_RESET)
      if (this.#paused) wire.resume()
    }
    if (this.#again) return
    if (this.#error) this.#fail(this.#error instanceof Fault ? this.#error : faultOfServer(this.#error, 'query', ''))
    else if (!this.#abandoned) this.#finish()
  }

  /** A read that has given nothing yet runs once more, under no name: a pooler that lost one loses them all, and some servers know none. */
  #canRunAgain({ code }: ServerError): boolean {
    const ours = this.#completed === 0
    if (!(ours || nameLost(code)) || this.#rows > 0 || this.#abandoned) return false
    if (code !== '0A000') this.#parts.wire.named = false
    return true
  }

  #finish(): void {
    this.#encoder ??= this.#copied ? undefined : this.#parts.makeEncoder([])
    this.#encoder?.end()
    const bytes = (this.#copied ?? this.#encoder?.out)?.take()
    const stream = this.#stream
    if (stream) {
      if (bytes) stream.push(bytes)
      stream.push(null)
      return
    }
    this.#answered = true
    this.#settled()
    const rows = this.#rows
    this.#settle.resolve(wholeAnswer(bytes ?? NOTHING, rows))
  }

  #resetFrame(code: number, buffer: Buffer, start: number): void {
    if (code === FRAME.error) this.#resetFailed = true
    if (code !== FRAME.ready || this.#stage === STAGE.done) return
    const clean = !this.#resetFailed && buffer[start] === IDLE
    if (this.#again && clean && !this.#abandoned) {
      this.#runAgain()
      return
    }
    this.#stage = STAGE.done
    this.#parts.wire.release()
    this.#parts.free(clean)
    if (this.#again && this.#error) this.#fail(faultOfServer(this.#error as ServerError, 'query', ''))
  }

  #runAgain(): void {
    this.#again = false
    this.#error = undefined
    this.#encoder = undefined
    this.#after = false
    this.#stage = STAGE.answering
    this.#request = plainRequest(this.#parts.statement)
    this.#parts.wire.send(this.#request.bytes)
  }

  #refuseCopy(): void {
    this.#error = new Fault('QUERY_FAILED', {
      at: 'COPY with STDIN or STDOUT is not possible here.',
      remedy: 'Use SELECT, `postern copy`, or the PostgreSQL wire.',
    })
    this.#stage = STAGE.done
    this.#parts.free(false)
    this.#fail(this.#error)
  }

  #resume(): void {
    if (!this.#paused || this.#stage !== STAGE.answering) return
    this.#paused = false
    this.#parts.wire.resume()
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
    if (this.#stage !== STAGE.answering) return
    this.#stage = STAGE.done
    this.#parts.cancel()
  }
}
