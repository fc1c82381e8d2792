/** What a source of files is: which files, their columns and types. */
import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, CopyOptions, Encoding, Expected, Shape } from '../copy-contract.ts'
import { type CsvDialect, dialectName, dialectOf, isIso } from './csv-dialect.ts'
import { type CsvHead, readCsvHead } from './csv-head.ts'
import { inferTypes } from './infer.ts'
import { findInputs, type Input, type Inputs } from './inputs.ts'
import { keepRows } from './keep-rows.ts'
import { inspectNdjson } from './ndjson.ts'
import { type Partitions, partitionsOf, refuseTwice } from './partitions.ts'
import { CsvToPlain } from './plain.ts'
import { fewAtOnce } from './publish.ts'
import { refuseCutFiles } from './quotes.ts'
import { rawCsv } from './raw-csv.ts'
import { type CsvReading, isPiped, type Reading, relationOf } from './reading.ts'
import type { FilesParts } from './session.ts'
import type { SourceOwn } from './source.ts'
import type { SplitParts } from './source-split.ts'
import { fileList, fileLiteral } from './sql.ts'
import { duckType, firstMisfit, logicalType, PLAIN_ROWS } from './types.ts'

export interface DescribeParts extends FilesParts {
  readonly what: string
  readonly options: CopyOptions
  readonly expected: Expected | undefined
}

export interface Described {
  readonly shape: Shape
  readonly found: SplitParts['found']
}

/** Heads of files that are read at a time. */
const HEADS = 8

export async function describeFiles(parts: DescribeParts, signal: AbortSignal): Promise<Described> {
  const { place, config, what } = parts
  const inputs = await findInputs(place, what, { ...config, recursive: config.partitions === true }, signal)
  if (isAsIs(parts, inputs)) return asIs(parts, inputs)
  const { title, format, files } = inputs
  const { columns: own, rows, reading } = await describeRows(parts, inputs, signal)
  const partitions = foldersOf(inputs, config.partitions === true)
  const named = partitions && partitions.columns.length > 0 ? partitions : undefined
  if (named) refuseTwice(own, named.columns)
  const columns = [...own, ...(named?.columns ?? [])]
  const facts: SourceOwn = {
    what,
    options: parts.options,
    format,
    reading,
    base: inputs.base,
    ...(named ? { partitions: named.columns } : {}),
    ...(skips(parts) && format !== 'parquet' ? { skip: true as const } : {}),
  }
  const shape: Shape = {
    title,
    columns,
    key: [],
    estimatedRows: rows,
    estimatedBytes: bytesOf(files),
    kind: 'files',
    encodings: encodingsOf(reading, columns, named !== undefined),
    own: facts,
  }
  return { shape, found: { files, ...(named ? { partitions: named.values } : {}) } }
}

function foldersOf({ files, folders, title, base }: Inputs, asked: boolean): Partitions | undefined {
  const paths = files.map(({ path }) => path)
  if (folders)
    return partitionsOf(
      paths.map((path) => path.slice(base.length)),
      title,
      folders,
    )
  return asked ? partitionsOf(paths, title) : undefined
}

/** Lines that cannot be read are to be left out. */
function skips({ expected }: DescribeParts): boolean {
  return expected?.skip === true
}

/** Lines of a single column may be empty, which is a row or none, or "\.", which ends a COPY of older servers. */
function encodingsOf(reading: Reading, columns: readonly Column[], partitioned: boolean): readonly Encoding[] {
  const raw = (reading.format === 'csv' || reading.format === 'tsv') && isIso(reading.dialect) && columns.length > 1 && !partitioned
  return raw ? ['csv-raw', 'csv'] : ['csv']
}

function isAsIs({ config, expected }: DescribeParts, { format, files, folders, dialect }: Inputs): boolean {
  if (format === 'binary') return true
  if (folders) return false
  const target = expected?.files
  if (!target || config.asIs === false || config.partitions === true || (target.single && files.length > 1)) return false
  if (target.format === 'any') return true
  const spelled = dialect === undefined ? dialectName(config, format) : JSON.stringify(dialect)
  return target.format === format && target.dialect === spelled && files.every(({ layout }) => layout.compression === target.compression)
}

function asIs({ what, options, config }: DescribeParts, { title, format, files, base, declared, dialect }: Inputs): Described {
  const settled = dialect ?? (format === 'csv' || format === 'tsv' ? dialectOf(config, format) : undefined)
  const spelled = settled && JSON.stringify(settled) !== dialectName({}, format) ? { dialect: settled } : {}
  const own: SourceOwn = { what, options, format, reading: null, base, rows: declared?.rows ?? null, ...spelled }
  const shape: Shape = {
    title,
    columns: declared?.columns ?? [],
    key: [],
    estimatedRows: files.length,
    estimatedBytes: bytesOf(files),
    kind: 'files',
    encodings: ['file'],
    own,
  }
  return { shape, found: { files } }
}

interface Rows {
  readonly columns: readonly Column[]
  readonly rows: number | null
  readonly reading: Reading
}

async function describeRows(parts: DescribeParts, inputs: Inputs, signal: AbortSignal): Promise<Rows> {
  const { title, format, files, declared } = inputs
  switch (format) {
    case 'parquet': {
      const { columns, rows } = await describeParquet(parts, files, title, signal)
      const reading = { format, natives: columns.map(({ name, native }) => ({ name, native })) } as const
      return { columns: declared?.columns ?? columns, rows, reading }
    }
    case 'ndjson':
    case 'json': {
      if (declared) return { ...declared, reading: { format, declared: true } }
      await using local = await located(parts, files, signal)
      return { ...(await inspectNdjson(local.files, skips(parts), signal)), reading: { format, declared: false } }
    }
    case 'csv':
    case 'tsv': {
      const dialect = inputs.dialect ?? dialectOf(parts.config, format)
      if (!declared) return describeCsv(parts, inputs, dialect, signal)
      const reading: CsvReading = { format, delimiter: dialect.delimiter ?? (format === 'tsv' ? '\t' : ','), declared: true, dialect }
      return { ...declared, reading: { ...reading, dialect: { ...dialect, delimiter: reading.delimiter } } }
    }
    case 'binary':
      throw new Fault('INTERNAL', { at: `${title} has no rows` })
    default:
      return format satisfies never
  }
}

async function describeParquet(parts: DescribeParts, files: readonly Input[], title: string, signal: AbortSignal) {
  await using local = await located(parts, files, signal)
  const list = fileList(local.files.map(({ absolute }) => absolute))
  const ask = async (sql: string) => (await parts.duck.run(sql, { at: title }, signal)).rows
  const described = await ask(
    `select column_name, column_type from (describe select * from read_parquet(${list}, hive_partitioning = false))`,
  )
  const [counted] = await ask(`select cast(sum(num_rows) as varchar) from parquet_file_metadata(${list})`)
  const columns = described.map(([name, native]) => ({
    name: name ?? '',
    type: logicalType(native ?? ''),
    native: native ?? '',
    nullable: true,
  }))
  return { columns, rows: Number(counted?.[0] ?? 0) }
}

async function describeCsv(parts: DescribeParts, { files, title }: Inputs, dialect: CsvDialect, signal: AbortSignal): Promise<Rows> {
  const { place, expected } = parts
  const heads = await fewAtOnce(files, HEADS, (file) => readCsvHead(place.read(file.path), file.layout, dialect, file.path, signal))
  const head = sameHead(heads, files, title)
  const format = files[0]?.layout.format === 'tsv' ? 'tsv' : 'csv'
  const reading: CsvReading = { format, delimiter: head.delimiter, declared: false, dialect: { ...dialect, delimiter: head.delimiter } }
  if (expected?.columns) {
    const known = new Map(expected.columns.map((column) => [column.name, column.type]))
    const columns = head.names.map((name) => ({ name, type: known.get(name) ?? TEXT, native: 'text', nullable: true }))
    return { columns, rows: null, reading }
  }
  const { types, rows } = await inferCsv(parts, { files, title, reading, names: head.names }, signal)
  const columns = head.names.map((name, i) => {
    const type = types[i] ?? TEXT
    return { name, type, native: duckType(type), nullable: true }
  })
  return { columns, rows, reading }
}

const TEXT = { is: 'text' } as const

function sameHead(heads: readonly CsvHead[], files: readonly Input[], title: string): CsvHead {
  const [head] = heads
  if (!head) throw new Fault('FILE_MISSING', { at: title })
  const other = heads.findIndex((h) => h.delimiter !== head.delimiter || h.names.join('\0') !== head.names.join('\0'))
  if (other > 0) throw new Fault('COLUMN_MISMATCH', { at: `The header lines of ${files[0]?.path} and ${files[other]?.path} differ.` })
  return head
}

interface CsvFiles {
  readonly files: readonly Input[]
  readonly title: string
  readonly reading: CsvReading
  readonly names: readonly string[]
}

/** Reads all of it, as text. */
async function inferCsv(parts: DescribeParts, csv: CsvFiles, signal: AbortSignal) {
  const { duck } = parts
  const { title, reading, names } = csv
  const text = names.map((_, i) => ({ name: `c${i}`, type: TEXT, native: 'VARCHAR', nullable: true }))
  const asText: CsvReading = { ...reading, dialect: { ...reading.dialect, decimalSeparator: '.', dateFormat: '', timestampFormat: '' } }
  const ask = async (sql: string) => (await duck.run(sql, { at: title, columns: names.map((name) => ({ name })) }, signal)).rows[0] ?? []
  const infer = async (from: string) => {
    const types = await inferTypes(`(select * from ${from})`, text.length, ask, reading.dialect)
    const [rows] = await ask(`select cast(count(*) as varchar) from ${from} as t`)
    return { types, rows: Number(rows) }
  }
  if (isPiped(reading) || skips(parts)) return spooled(parts, csv, (path) => infer(relationOf([], asText, text, path)), signal)
  await using local = await located(parts, csv.files, signal)
  await refuseCutFiles(local.files, signal)
  return await infer(relationOf(local.files, asText, text))
}

/** What is read more than once, and not by DuckDB alone, is put down in the scratch folder first. */
async function spooled<T>(parts: DescribeParts, csv: CsvFiles, work: (path: string) => Promise<T>, signal: AbortSignal): Promise<T> {
  const { scratch } = parts
  await mkdir(scratch, { recursive: true, mode: 0o700 })
  const path = join(scratch, `spool-${randomUUID()}`)
  try {
    const bytes = spoolOf(parts, csv, signal)
    await pipeline(bytes, new CsvToPlain(), createWriteStream(path, { mode: 0o600 }), { signal })
    return await work(path)
  } finally {
    await rm(path, { force: true })
  }
}

/** Its rows as text; without those that cannot be read, where they will be left out. */
function spoolOf(parts: DescribeParts, { reading, files, names }: CsvFiles, signal: AbortSignal): Readable {
  const raw = { place: parts.place, reading, columns: names.length, files }
  if (!skips(parts)) return rawCsv(raw, signal).bytes
  const columns = names.map((name) => ({ name, type: TEXT, native: 'text', nullable: true }))
  const tried = (path: string) => firstMisfit(fileLiteral(path), columns, PLAIN_ROWS, { typed: false })
  const left = async () => undefined
  return keepRows(rawCsv({ ...raw, left }, signal).bytes, { form: 'quoted', columns, tried, left }, parts, signal)
}

async function located({ place }: DescribeParts, files: readonly Input[], signal: AbortSignal) {
  const local = await place.local(files, signal)
  return {
    files: files.map((file, i) => ({ ...file, absolute: local.paths[i] ?? '' })),
    [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
  }
}

function bytesOf(files: readonly Input[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0)
}
