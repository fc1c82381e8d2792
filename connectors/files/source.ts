import type { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, CopyOptions, Part, PartStream, Shape, Source } from '../contract.ts'
import { digestQuery } from '../digest.ts'
import { readCsvHead } from './csv-head.ts'
import { inferTypes } from './infer.ts'
import { findInputs, type Input } from './inputs.ts'
import { inspectNdjson, ndjsonToPlain } from './ndjson.ts'
import { drain, feed } from './pipe.ts'
import { refuseCutFiles } from './quotes.ts'
import { type Reading, relationOf } from './reading.ts'
import type { FilesParts } from './session.ts'
import { fileList, identifier, literal } from './sql.ts'
import { duckType, logicalType, toCsv } from './types.ts'

/** The facts of a source that travel with the plan. */
export interface SourceOwn {
  readonly reading: Reading
  readonly files: readonly Input[]
}

type Located = Input & { readonly absolute: string }

interface PartOwn {
  readonly files: readonly Input[]
  /** Rows of a Parquet file, from and up to (not including); all when left out. */
  readonly rows?: { readonly from: number; readonly to: number }
}

/** Rows in the columns' own types: a relation, which reads the path of a pipe where they come as `bytes`. */
interface Typed {
  readonly from: (pipe: string) => string
  readonly bytes: ((signal: AbortSignal) => Readable) | undefined
  /** What DuckDB does not see of broken files. */
  readonly check: (signal: AbortSignal) => Promise<void>
}

/** A Parquet file is cut at multiples of this, so that a part reads whole row groups where they have DuckDB's size. */
const ROW_GROUP = 122_880
/** Without a wish: a part for each file, up to so many. */
const MOST_PARTS = 256

export class FilesSource implements Source {
  readonly #parts: FilesParts

  constructor(parts: FilesParts) {
    this.#parts = parts
  }

  async describe(what: string, _options: CopyOptions, signal: AbortSignal): Promise<Shape> {
    const { place, config } = this.#parts
    const { title, format, files, declared } = await findInputs(place, what, config, signal)
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    const shape = (columns: readonly Column[], rows: number | null, reading: Reading): Shape => ({
      title,
      columns,
      key: [],
      estimatedRows: rows,
      estimatedBytes: bytes,
      kind: 'files',
      encodings: ['csv'],
      own: { reading, files } satisfies SourceOwn,
    })
    if (format === 'parquet') {
      const { columns, rows } = await this.#describeParquet(files, title, signal)
      return shape(declared?.columns ?? columns, rows, { format, natives: columns.map(({ name, native }) => ({ name, native })) })
    }
    if (declared) return shape(declared.columns, declared.rows, { format, delimiter: format === 'tsv' ? '\t' : ',', declared: true })
    if (format === 'ndjson') {
      await using local = await this.#local(files, signal)
      const { columns, rows } = await inspectNdjson(local.files, signal)
      return shape(columns, rows, { format, declared: false })
    }
    return this.#describeCsv(files, title, signal, shape)
  }

  async #describeParquet(files: readonly Input[], title: string, signal: AbortSignal) {
    await using local = await this.#local(files, signal)
    const list = fileList(local.files.map(({ absolute }) => absolute))
    const described = await this.#ask(`select column_name, column_type from (describe select * from read_parquet(${list}))`, title, signal)
    const [counted] = await this.#ask(`select cast(sum(num_rows) as varchar) from parquet_file_metadata(${list})`, title, signal)
    const columns = described.map(([name, native]) => ({
      name: name ?? '',
      type: logicalType(native ?? ''),
      native: native ?? '',
      nullable: true,
    }))
    return { columns, rows: Number(counted?.[0] ?? 0) }
  }

  async #describeCsv(
    files: readonly Input[],
    title: string,
    signal: AbortSignal,
    shape: (columns: readonly Column[], rows: number | null, reading: Reading) => Shape,
  ): Promise<Shape> {
    await using local = await this.#local(files, signal)
    const located = local.files
    const heads = []
    for (const file of located) heads.push(await readCsvHead(file.absolute, file.layout, file.path, signal))
    const [head] = heads
    if (!head) throw new Fault('FILE_MISSING', { at: title })
    const other = heads.findIndex((h) => h.delimiter !== head.delimiter || h.names.join('\0') !== head.names.join('\0'))
    if (other > 0) {
      throw new Fault('COLUMN_MISMATCH', { at: `The header lines of ${files[0]?.path} and ${files[other]?.path} differ.` })
    }
    const reading: Reading = { format: files[0]?.layout.format === 'tsv' ? 'tsv' : 'csv', delimiter: head.delimiter, declared: false }
    const text = head.names.map((_, i) => ({ name: `c${i}`, type: { is: 'text' }, native: 'VARCHAR', nullable: true }) as const)
    const from = relationOf(located, reading, text)
    const ask = async (sql: string) => (await this.#ask(sql, title, signal))[0] ?? []
    await refuseCutFiles(located, signal)
    const types = await inferTypes(`(select * from ${from})`, text.length, ask)
    const [rows] = await ask(`select cast(count(*) as varchar) from ${from} as t`)
    const columns = head.names.map((name, i) => {
      const type = types[i] ?? { is: 'text' }
      return { name, type, native: duckType(type), nullable: true }
    })
    return shape(columns, Number(rows), reading)
  }

  async split(shape: Shape, options: { readonly wanted: number | null }): Promise<readonly Part[]> {
    const { files, reading } = shape.own as SourceOwn
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    const share = (of: number) => (shape.estimatedRows === null ? null : Math.round((shape.estimatedRows * of) / Math.max(1, bytes)))
    const [only] = files
    if (files.length === 1 && only && reading.format === 'parquet' && (options.wanted ?? 1) > 1) {
      return rowRanges(only, shape.estimatedRows ?? 0, options.wanted ?? 1)
    }
    const bins = Math.max(1, Math.min(files.length, options.wanted ?? MOST_PARTS))
    const parts: { files: Input[]; bytes: number }[] = Array.from({ length: bins }, () => ({ files: [], bytes: 0 }))
    for (const file of files.toSorted((a, b) => b.bytes - a.bytes)) {
      const least = parts.reduce((best, part) =>
        part.bytes < best.bytes || (part.bytes === best.bytes && part.files.length < best.files.length) ? part : best,
      )
      least.files.push(file)
      least.bytes += file.bytes
    }
    return parts
      .toSorted((a, b) => b.bytes - a.bytes)
      .map((part) => ({
        name: part.files.length === 1 ? (part.files[0]?.path ?? '') : `${part.files[0]?.path} and ${part.files.length - 1} more`,
        estimatedRows: share(part.bytes),
        own: { files: part.files } satisfies PartOwn,
      }))
  }

  async read(request: { readonly shape: Shape; readonly part: Part }, signal: AbortSignal): Promise<PartStream> {
    const { shape, part } = request
    const { duck, scratch, pipes } = this.#parts
    const columns = shape.columns.map(({ name, type }) => `${toCsv(identifier(name), type)} as ${identifier(name)}`).join(', ')
    const write = (from: string, to: string) =>
      `copy (select ${columns} from ${from} as t) to ${literal(to)} (format csv, header false, delimiter ',', quote '"', escape '"', nullstr '', use_tmp_file false)`
    const place = { at: part.name, columns: shape.columns }
    const options = { scratch, pipes }
    return drain(
      options,
      async (to, inner) => {
        await using local = await this.#local((part.own as PartOwn).files, inner)
        const typed = this.#typed(shape, part.own as PartOwn, local.files)
        if (typed.bytes) return feed([typed.bytes(inner)], options, (from, s) => duck.run(write(typed.from(from), to), place, s), inner)
        const [answer] = await Promise.all([duck.run(write(typed.from(''), to), place, inner), typed.check(inner)])
        return answer
      },
      signal,
    )
  }

  async digest(
    request: { readonly shape: Shape; readonly part: Part | null; readonly columns: readonly Column[]; readonly checksum: boolean },
    signal: AbortSignal,
  ) {
    const { shape, part, columns, checksum } = request
    const { duck, scratch, pipes } = this.#parts
    const own = (part?.own as PartOwn | undefined) ?? { files: (shape.own as SourceOwn).files }
    await using local = await this.#local(own.files, signal)
    const typed = this.#typed(shape, own, local.files)
    const sql = (from: string) => digestQuery({ dialect: 'duckdb', columns, from: `${typed.from(from)} as t`, checksum })
    const place = { at: part?.name ?? shape.title, columns: shape.columns }
    const answer = typed.bytes
      ? await feed([typed.bytes(signal)], { scratch, pipes }, (from, s) => duck.run(sql(from), place, s), signal)
      : await duck.run(sql(''), place, signal)
    const [rows, sum] = answer.rows[0] ?? []
    return { rows: Number(rows), checksum: sum ?? null }
  }

  /** The rows under the columns' names, in their types; NDJSON comes by a pipe, as the `csv` encoding. */
  #typed(shape: Shape, own: PartOwn, located: readonly Located[]): Typed {
    const { reading } = shape.own as SourceOwn
    if (reading.format === 'ndjson') {
      return {
        from: (pipe: string) => relationOf([], reading, shape.columns, pipe),
        bytes: (signal: AbortSignal) => ndjsonToPlain(located, shape.columns, signal),
        check: async () => undefined,
      }
    }
    const from = relationOf(located, reading, shape.columns, '', own.rows)
    const check = async (signal: AbortSignal) => (reading.format === 'parquet' ? undefined : refuseCutFiles(located, signal))
    return { from: () => from, bytes: undefined, check }
  }

  /** The files where DuckDB can open them: in place, or as copies that last while this is not disposed. */
  async #local(files: readonly Input[], signal: AbortSignal): Promise<AsyncDisposable & { readonly files: readonly Located[] }> {
    const local = await this.#parts.place.local(files, signal)
    return {
      files: files.map((file, i) => ({ ...file, absolute: local.paths[i] ?? '' })),
      [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
    }
  }

  async #ask(sql: string, at: string, signal: AbortSignal) {
    return (await this.#parts.duck.run(sql, { at }, signal)).rows
  }
}

function rowRanges(file: Input, rows: number, wanted: number): readonly Part[] {
  const groups = Math.max(1, Math.ceil(rows / ROW_GROUP))
  const step = Math.ceil(groups / Math.min(groups, wanted)) * ROW_GROUP
  const parts: Part[] = []
  for (let from = 0; from < rows || from === 0; from += step) {
    // The last one is open: rows is what the footer said.
    const to = from + step >= rows ? Number.MAX_SAFE_INTEGER : from + step
    parts.push({
      name: `${file.path} rows ${from + 1} to ${Math.min(from + step, rows)}`,
      estimatedRows: Math.min(step, rows - from),
      own: { files: [file], rows: { from, to } } satisfies PartOwn,
    })
  }
  return parts.length === 1 ? parts.map((part) => ({ ...part, name: file.path })) : parts
}
