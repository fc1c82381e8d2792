import type { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, CopyOptions, Digest, Encoding, Expected, LeftOut, Part, PartStream, Shape, Source } from '../copy-contract.ts'
import { withCopyOptions } from '../copy-options.ts'
import { digestQuery } from '../digest.ts'
import { asIsDigest, asIsStream } from './as-is.ts'
import type { CsvDialect } from './csv-dialect.ts'
import type { FileFormat } from './formats.ts'
import type { Input } from './inputs.ts'
import { keepRows } from './keep-rows.ts'
import { ndjsonToPlain } from './ndjson.ts'
import { withPartition } from './partitions.ts'
import { drain, feed } from './pipe.ts'
import { CsvToPlain } from './plain.ts'
import { refuseCutFiles } from './quotes.ts'
import { countRaw, rawCsv, refuseChanged } from './raw-csv.ts'
import { isPiped, type Reading, relationOf, triedAs } from './reading.ts'
import type { FilesParts } from './session.ts'
import { FileSettingsSchema } from './settings.ts'
import { describeFiles } from './source-describe.ts'
import { type PartFiles, unpackPart } from './source-parts.ts'
import { splitFiles } from './source-split.ts'
import { identifier, literal } from './sql.ts'
import { toCsv } from './types.ts'
import { UnreadRows } from './unread-rows.ts'

/** The facts of a source that travel with the plan: not its files, which the parts name. */
export interface SourceOwn {
  readonly what: string
  readonly options: CopyOptions
  readonly format: FileFormat
  /** Null: the files are copied as they are. */
  readonly reading: Reading | null
  /** Folder below which a file copied as it is keeps its name. */
  readonly base: string
  /** Of files copied as they are, as far as a manifest says it. */
  readonly rows?: number | null
  readonly dialect?: CsvDialect
  /** Columns behind those of the files: what the names of folders say. */
  readonly partitions?: readonly Column[]
  /** Rows that cannot be read are left out. */
  readonly skip?: true
}

type Located = Input & { readonly absolute: string }

/** Rows in the columns' own types: a relation, which reads the path of a pipe where they come as `bytes`. */
interface Typed {
  readonly from: (pipe: string) => string
  readonly bytes: ((signal: AbortSignal) => Readable) | undefined
  /** What DuckDB does not see of broken files. */
  readonly check: (signal: AbortSignal) => Promise<void>
}

/** `unread`: where rows may be left out. */
interface PartRows {
  readonly files: PartFiles
  readonly unread: UnreadRows | undefined
}

type DigestRequest = Parameters<Source['digest']>[0]

export class FilesSource implements Source {
  readonly #parts: FilesParts
  /** Of shapes that were described here, so that their files are not looked for twice. */
  readonly #found = new WeakMap<object, PartFiles>()

  constructor(parts: FilesParts) {
    this.#parts = parts
  }

  async describe(what: string, options: CopyOptions, signal: AbortSignal, expected?: Expected): Promise<Shape> {
    const { shape, found } = await this.#describe(what, options, signal, expected)
    this.#found.set(shape, found)
    return shape
  }

  #describe(what: string, options: CopyOptions, signal: AbortSignal, expected?: Expected) {
    const config = withCopyOptions(FileSettingsSchema, this.#parts.config, options, 'read')
    return describeFiles({ ...this.#parts, config, what, options, expected }, signal)
  }

  async split(
    shape: Shape,
    options: { readonly wanted: number | null; readonly encoding?: Encoding },
    signal: AbortSignal = new AbortController().signal,
  ): Promise<readonly Part[]> {
    return splitFiles({ place: this.#parts.place, shape, found: await this.#filesOf(shape, signal), ...options }, signal)
  }

  async #filesOf(shape: Shape, signal: AbortSignal): Promise<PartFiles> {
    const known = this.#found.get(shape)
    if (known) return known
    const { what, options, skip = false } = ownOf(shape)
    return (await this.#describe(what, options, signal, { columns: shape.columns, skip })).found
  }

  async read(
    request: { readonly shape: Shape; readonly part: Part; readonly encoding?: Encoding; readonly left?: LeftOut },
    signal: AbortSignal,
  ): Promise<PartStream> {
    const { shape, part, encoding = 'csv' } = request
    const { reading, format, base } = ownOf(shape)
    const unread = unreadOf(shape, request.left)
    const files = unpackPart(part, format)
    if (encoding === 'file' || reading === null) return asIsStream(this.#parts.place, files.files, base, signal)
    if (encoding === 'csv-raw') return this.#raw(shape, files, unread, signal)
    return this.#converted(shape, part.name, { files, unread }, signal)
  }

  #raw(shape: Shape, files: PartFiles, unread: UnreadRows | undefined, signal: AbortSignal) {
    const { reading } = ownOf(shape)
    if (reading?.format !== 'csv' && reading?.format !== 'tsv') throw new Fault('INTERNAL', { at: `${shape.title} is not CSV` })
    return rawCsv({ place: this.#parts.place, reading, columns: shape.columns.length, ...files, left: unread?.cut }, signal)
  }

  async #converted(shape: Shape, at: string, { files, unread }: PartRows, signal: AbortSignal): Promise<PartStream> {
    const { duck, scratch, pipes } = this.#parts
    const columns = shape.columns.map(({ name, type }) => `${toCsv(identifier(name), type)} as ${identifier(name)}`).join(', ')
    const write = (from: string, to: string) =>
      `copy (select ${columns} from ${from} as t) to ${literal(to)} (format csv, header false, delimiter ',', quote '"', escape '"', nullstr '', use_tmp_file false)`
    const place = { at, columns: shape.columns }
    const options = { scratch, pipes }
    const { bytes, rows } = await drain(
      options,
      async (to, inner) => {
        await using local = await this.#local(shape, files, inner)
        const typed = this.#typed(shape, { files, unread }, local.files)
        if (typed.bytes) return feed([typed.bytes(inner)], options, (from, s) => duck.run(write(typed.from(from), to), place, s), inner)
        const [answer] = await Promise.all([duck.run(write(typed.from(''), to), place, inner), typed.check(inner)])
        for (const file of files.files) await refuseChanged(this.#parts.place, file, inner)
        return answer
      },
      signal,
    )
    return { bytes, rows: () => rows() + (unread?.count ?? 0) }
  }

  async digest(request: Omit<DigestRequest, 'snapshot'>, signal: AbortSignal): Promise<Digest> {
    const { shape, part, parts } = request
    if (part) return this.#digestOf(request, part.name, unpackPart(part, ownOf(shape).format), signal)
    const all = parts?.map((each) => unpackPart(each, ownOf(shape).format)) ?? [await this.#filesOf(shape, signal)]
    const apart = all.some(({ partition, range, rows }) => partition || range || rows)
    const groups = apart && parts ? all : [{ files: all.flatMap(({ files }) => files) }]
    let rows = 0
    let checksum: bigint | null = request.checksum ? 0n : null
    for (const group of groups) {
      const digest = await this.#digestOf(request, shape.title, group, signal)
      rows += digest.rows
      if (checksum !== null) checksum += BigInt(digest.checksum ?? '0')
    }
    return { rows, checksum: checksum === null ? null : String(checksum) }
  }

  async #digestOf(request: Omit<DigestRequest, 'snapshot'>, at: string, files: PartFiles, signal: AbortSignal): Promise<Digest> {
    const { shape, columns, checksum, encoding } = request
    const { place, duck, scratch, pipes } = this.#parts
    const { reading, base } = ownOf(shape)
    if (encoding === 'file' || reading === null) return asIsDigest(place, files.files, { base, checksum }, signal)
    if (!checksum && encoding === 'csv-raw') return { rows: await this.#count(shape, reading, files, signal), checksum: null }
    const unread = unreadOf(shape)
    await using local = await this.#local(shape, files, signal)
    const typed = this.#typed(shape, { files, unread }, local.files)
    const sql = (from: string) => digestQuery({ dialect: 'duckdb', columns, from: `${typed.from(from)} as t`, checksum })
    const where = { at, columns: shape.columns }
    const answer = typed.bytes
      ? await feed([typed.bytes(signal)], { scratch, pipes }, (from, s) => duck.run(sql(from), where, s), signal)
      : await duck.run(sql(''), where, signal)
    const [rows, sum] = answer.rows[0] ?? []
    return { rows: Number(rows) + (unread?.count ?? 0), checksum: sum ?? null }
  }

  /** Ranges were counted when they were cut: what they had then they have now, unless the file has changed. */
  async #count(shape: Shape, reading: Reading, files: PartFiles, signal: AbortSignal): Promise<number> {
    const { place } = this.#parts
    const [file] = files.files
    const unread = unreadOf(shape)
    if (files.range && file?.version !== undefined && !unread) {
      await refuseChanged(place, file, signal)
      return files.range.rows
    }
    if (reading.format !== 'csv' && reading.format !== 'tsv') throw new Fault('INTERNAL', { at: `${shape.title} is not CSV` })
    return countRaw({ place, reading, columns: shape.columns.length, ...files, left: unread?.cut }, signal)
  }

  /** The rows under the columns' names, in their types; what DuckDB does not read by itself comes by a pipe. */
  #typed(shape: Shape, { files, unread }: PartRows, located: readonly Located[]): Typed {
    const { reading, partitions = [] } = ownOf(shape)
    const left = unread?.cut
    if (reading === null) throw new Fault('INTERNAL', { at: `${shape.title} is copied as it is` })
    const columns = shape.columns.slice(0, shape.columns.length - partitions.length)
    const whole = (relation: string) => (files.partition ? withPartition(relation, partitions, files.partition) : relation)
    const kept = (rows: Readable, form: 'quoted' | 'lines', signal: AbortSignal) => {
      if (!unread || reading.format === 'parquet') return rows
      return keepRows(rows, { form, columns, tried: triedAs(reading, columns), left: unread.tried }, this.#parts, signal)
    }
    if (reading.format === 'ndjson' || reading.format === 'json') {
      return {
        from: (pipe) => whole(relationOf([], reading, columns, pipe)),
        bytes: (signal) => kept(ndjsonToPlain({ files: located, columns, left }, signal), 'lines', signal),
        check: async () => undefined,
      }
    }
    if (reading.format !== 'parquet' && (isPiped(reading) || files.range || unread)) {
      const raw = { place: this.#parts.place, reading, columns: columns.length, ...files, left }
      return {
        from: (pipe) => whole(relationOf([], reading, columns, pipe)),
        bytes: (signal) => plainOf(kept(rawCsv(raw, signal).bytes, 'quoted', signal)),
        check: async () => undefined,
      }
    }
    const from = whole(relationOf(located, reading, columns, '', files.rows))
    const check = async (signal: AbortSignal) => (reading.format === 'parquet' ? undefined : refuseCutFiles(located, signal))
    return { from: () => from, bytes: undefined, check }
  }

  /** The files where DuckDB can open them: in place, or as copies that last while this is not disposed. */
  async #local(
    shape: Shape,
    { files, range }: PartFiles,
    signal: AbortSignal,
  ): Promise<AsyncDisposable & { readonly files: readonly Located[] }> {
    const { reading, skip } = ownOf(shape)
    // What the node reads by itself needs no copy.
    if (
      reading &&
      reading.format !== 'parquet' &&
      reading.format !== 'ndjson' &&
      reading.format !== 'json' &&
      (isPiped(reading) || range || skip)
    ) {
      return { files: [], [Symbol.asyncDispose]: async () => undefined }
    }
    const local = await this.#parts.place.local(files, signal)
    return {
      files: files.map((file, i) => ({ ...file, absolute: local.paths[i] ?? '' })),
      [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
    }
  }
}

function plainOf(lines: Readable): Readable {
  const plain = new CsvToPlain()
  lines.on('error', (cause) => plain.destroy(cause))
  plain.on('close', () => lines.destroy())
  return lines.pipe(plain)
}

function unreadOf(shape: Shape, left?: LeftOut): UnreadRows | undefined {
  return ownOf(shape).skip ? new UnreadRows(left) : undefined
}

function ownOf(shape: Shape): SourceOwn {
  return shape.own as SourceOwn
}
