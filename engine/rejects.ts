/** Rows that a target does not take, or a source cannot read: into a file of their own, which counts if and only if the part that left them out does. */
import { PassThrough } from 'node:stream'
import type { Commit, Shape, Sink, Skip, SkippedRow, Slot, Target } from '@postern/connectors/copy-contract.ts'
import { RowNumbers } from '@postern/connectors/rows/row-numbers.ts'
import { Fault } from '@postern/protocol/fault.ts'

const column = (name: string, is: 'text' | 'int64') => ({ name, type: { is }, native: is, nullable: true })

/** One row a row left out: where it stood, what is wrong with it, and itself as it came. */
const COLUMNS = [
  column('part', 'text'),
  column('row', 'int64'),
  column('column', 'text'),
  column('code', 'text'),
  column('error', 'text'),
  column('data', 'text'),
]
const SHAPE = { key: [], estimatedRows: null, estimatedBytes: null, kind: 'rejects', encodings: ['csv'], own: null } as const

export const rejectShape = (title: string): Shape => ({ ...SHAPE, title: `rows left out of ${title}`, columns: COLUMNS })

/** A folder of its own for each run below the one that was named; its ending says the format, CSV when it has none. */
export function rejectPath(path: string, run: string): string {
  const folder = path.replace(/\/+$/, '')
  const [ending = '.csv'] = /\.(?:csv|tsv|ndjson|jsonl|parquet)(?:\.(?:gz|zst))?$/i.exec(folder) ?? []
  return `${folder}/${run}${ending}/`
}

/** Attempts do not share a file: that of an attempt whose rows were not committed is never published. */
export const rejectSlot = ({ run, task, attempt }: Slot): Slot => ({ run, task: `${task}_${attempt}`, attempt })

export interface RejectsParts {
  /** The most that the whole run may leave out. */
  readonly limit: number
  /** The part, for a person. */
  readonly part: string
  readonly index: number
  readonly slot: Slot
  readonly into: { readonly sink: Sink; readonly target: Target } | undefined
  /** What the row is in the source's digest, where that can be told of its text. Left out: nobody asks. */
  readonly numberOf?: ((row: Buffer) => bigint | undefined) | undefined
}

/** Of one attempt at one part. */
export class Rejects implements Skip {
  readonly #parts: RejectsParts
  readonly #signal: AbortSignal
  readonly #numbers = new RowNumbers()
  #count = 0
  #sum: bigint | undefined = 0n
  #file: { readonly bytes: PassThrough; readonly written: Promise<Commit> } | undefined

  constructor(parts: RejectsParts, signal: AbortSignal) {
    this.#parts = parts
    this.#signal = signal
  }

  get count(): number {
    return this.#count
  }

  /** Of the rows that the sink left out, as the source digests them; null where that is not known of all. */
  get checksum(): string | null {
    return this.#sum === undefined ? null : String(this.#sum)
  }

  /** Of the sink. */
  left(row: SkippedRow): Promise<void> {
    const number = this.#parts.numberOf?.(row.bytes)
    this.#sum = this.#sum === undefined || number === undefined ? undefined : this.#sum + number
    return this.#leave({ ...row, row: this.#numbers.original(row.row) })
  }

  /** Of the source: the sink does not see them, and no digest has them. */
  unread(row: SkippedRow): Promise<void> {
    this.#numbers.leave(row.row)
    return this.#leave(row)
  }

  async #leave(row: SkippedRow): Promise<void> {
    const { limit, part } = this.#parts
    this.#count += 1
    if (this.#count > limit) throw tooMany(limit, `part ${part}, row ${row.row}${row.column ? `, column ${row.column}` : ''}: ${row.error}`)
    const file = this.#open()
    if (!file) return
    if (file.bytes.write(line([part, String(row.row), row.column, row.code, row.error, row.bytes.toString('utf8')]))) return
    await Promise.race([new Promise((resolve) => file.bytes.once('drain', resolve)), file.written])
  }

  async settle(): Promise<void> {
    this.#file?.bytes.end()
    await this.#file?.written
  }

  /** The attempt has failed: what was written of its file stays unpublished. */
  async abandon(): Promise<void> {
    const file = this.#file
    if (!file || file.bytes.writableFinished) return
    file.bytes.destroy(new Fault('CANCELLED'))
    await file.written.catch(() => undefined)
  }

  #open() {
    const { into, slot, index } = this.#parts
    if (this.#file || !into) return this.#file
    const bytes = new PassThrough()
    const agree = (rows: number) => {
      if (rows !== this.#count) throw new Fault('VERIFICATION_FAILED', { at: `${rows} of ${this.#count} rejected rows were taken` })
    }
    const written = into.sink.write({ target: into.target, slot: rejectSlot(slot), part: index, bytes, agree }, this.#signal)
    // It is awaited when the part settles; until then a failure must not end the process.
    written.catch(() => undefined)
    this.#file = { bytes, written }
    return this.#file
  }
}

export function tooMany(limit: number, last: string): Fault {
  return new Fault('ROW_INVALID', {
    at: `more than the ${limit} rows that may be left out: ${last}`,
    remedy: 'Correct the rows, or raise the limit of skipIncompatibleRows.',
  })
}

/** In the `csv` encoding. */
function line(cells: readonly (string | null)[]): string {
  return `${cells.map((cell) => (cell === null ? '' : `"${cell.replaceAll('"', '""')}"`)).join(',')}\n`
}
