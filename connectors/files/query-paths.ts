import { relative } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import { partsOf } from './folder.ts'
import { type FileFormat, isHidden } from './formats.ts'
import { findInputs, type InputOptions, type Inputs } from './inputs.ts'
import type { FoundFile, PlaceView } from './place.ts'
import type { PathLookup } from './query-guard.ts'
import { fileList, identifier, literal } from './sql.ts'
import { duckType } from './types.ts'

/** The names in FROM that are files of the store: each becomes a view of exactly those files, for this statement only. */
export class QueryPaths implements PathLookup {
  /** SQL that makes the views. */
  readonly views: string[] = []
  readonly #place: PlaceView
  readonly #options: InputOptions
  readonly #signal: AbortSignal
  /** DuckDB's names differ by more than case. */
  readonly #seen = new Map<string, string>()

  constructor(place: PlaceView, options: InputOptions, signal: AbortSignal) {
    this.#place = place
    this.#options = options
    this.#signal = signal
  }

  async table(name: string, qualified: boolean): Promise<void> {
    const inputs = await this.#inputs(name)
    // A plain name may be one that DuckDB knows, or it says that there is none.
    if (!inputs) return
    const seen = this.#seen.get(name.toLowerCase())
    if (seen === name) return
    if (seen !== undefined)
      throw new Fault('QUERY_FAILED', { at: `${seen} and ${name} differ in case only: name them in read_… functions.` })
    if (qualified) throw new Fault('QUERY_FAILED', { at: `The path ${name} needs quotes: '${name}'.` })
    this.#seen.set(name.toLowerCase(), name)
    const paths = await this.#localPaths(inputs.files)
    this.views.push(`create temp view ${identifier(name)} as select * from ${readerOf(inputs.format, fileList(paths) + hiveOf(inputs))}`)
  }

  async files(path: string): Promise<readonly string[]> {
    refuseHidden(path)
    const file = path.endsWith('/') ? undefined : await this.#place.file(path, this.#signal)
    if (file) return this.#localPaths([file])
    if (!/[*?[{]/.test(path)) throw new Fault('FILE_MISSING', { at: path })
    const matches = await this.#place.match(path, this.#options.maxFiles, this.#signal)
    if (matches.length > this.#options.maxFiles)
      throw new Fault('INPUT_INVALID', { at: `${path} is more than ${this.#options.maxFiles} files.` })
    const found = matches.filter((match) => !match.path.split('/').some(isHidden))
    if (found.length === 0) throw new Fault('FILE_MISSING', { at: path })
    return this.#localPaths(found)
  }

  /** As seen from the folder in which this process stands: DuckDB may show them. Copies last as long as the statement. */
  async #localPaths(files: readonly FoundFile[]): Promise<readonly string[]> {
    const { paths } = await this.#place.local(files, this.#signal)
    return paths.map((path) => relative(process.cwd(), path))
  }

  async #inputs(name: string): Promise<Inputs | undefined> {
    const plain = !/[./\\*?[\]]/.test(name)
    try {
      refuseHidden(name)
      return await findInputs(this.#place, name, this.#options, this.#signal)
    } catch (cause) {
      if (plain && cause instanceof Fault && (cause.code === 'FILE_MISSING' || cause.code === 'FORMAT_UNKNOWN')) return undefined
      throw cause
    }
  }
}

/** What begins with "." is half-written or not for readers: it is as if it were not there. */
function refuseHidden(path: string): void {
  if (partsOf(path).some((part) => part.startsWith('.'))) throw new Fault('FILE_MISSING', { at: path })
}

/** More of a reader's arguments: what the folders of a copy stand for. */
function hiveOf({ folders = [] }: Inputs): string {
  if (folders.length === 0) return ''
  const types = folders.map(({ name, type }) => `${literal(name)}: ${duckType(type)}`).join(', ')
  return `, hive_partitioning = true, hive_types = {${types}}`
}

function readerOf(format: FileFormat, files: string): string {
  switch (format) {
    case 'parquet':
      return `read_parquet(${files})`
    case 'csv':
      return `read_csv(${files}, allow_quoted_nulls = false)`
    case 'tsv':
      return `read_csv(${files}, delim = '\t', allow_quoted_nulls = false)`
    case 'ndjson':
      return `read_json(${files}, format = 'newline_delimited')`
    case 'json':
      return `read_json(${files}, format = 'array')`
    case 'binary':
      throw new Fault('FORMAT_UNKNOWN', { at: 'a store of binary files' })
    default:
      return format satisfies never
  }
}
