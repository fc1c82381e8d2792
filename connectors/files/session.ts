import { randomUUID } from 'node:crypto'
import { mkdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Catalog, CatalogEntry } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { LocalPlace, OpenOptions, Session } from '../contract.ts'
import type { Answer, Statement } from '../query-contract.ts'
import { Duck } from './duck.ts'
import { stopIfAborted } from './faults.ts'
import { Folder, partsOf } from './folder.ts'
import type { FilesConfig } from './index.ts'
import { localFolder } from './local-place.ts'
import type { Place } from './place.ts'
import { QueryEngine } from './query-engine.ts'
import type { FileSettings } from './settings.ts'
import { FilesSink } from './sink.ts'
import { FilesSource } from './source.ts'

/** What source and sink of one session share. */
export interface FilesParts {
  readonly config: FileSettings
  readonly place: Place
  readonly duck: Pick<Duck, 'run'>
  /** For pipes and spools of this session only. */
  readonly scratch: string
  /** False in tests: spool through files, as on systems without pipes. */
  readonly pipes?: boolean | undefined
}

const CATALOG_ENTRIES = 10_000

export type FilesSessionOptions = Pick<OpenOptions, 'scratch'> & { readonly pipes?: boolean }

/** Files somewhere: all that does not depend on where they are. */
export class PlaceSession implements Session {
  readonly source: FilesSource
  readonly sink: FilesSink
  readonly #place: Place
  readonly #scratch: string
  #duck: Promise<Duck> | undefined
  #queries: Promise<QueryEngine> | undefined
  readonly #config: FileSettings

  constructor(config: FileSettings, options: FilesSessionOptions, place: (scratch: string) => Place) {
    this.#config = config
    this.#scratch = join(options.scratch, `files-${randomUUID()}`)
    this.#place = place(this.#scratch)
    const parts: FilesParts = {
      config,
      place: this.#place,
      duck: { run: async (sql, place, signal) => (await this.#engine()).run(sql, place, signal) },
      scratch: this.#scratch,
      pipes: options.pipes,
    }
    this.source = new FilesSource(parts)
    this.sink = new FilesSink(parts)
  }

  /** By the first use: a store that is only listed costs no process. A failed start is tried again by the next use. */
  #engine(): Promise<Duck> {
    this.#duck ??= this.#open().catch((cause) => {
      this.#duck = undefined
      throw cause
    })
    return this.#duck
  }

  async #open(): Promise<Duck> {
    const root = await this.#place.root?.()
    await mkdir(this.#scratch, { recursive: true, mode: 0o700 })
    return new Duck({
      folders: [...(root === undefined ? [] : [root]), this.#scratch],
      temp: join(this.#scratch, 'temp'),
      memoryMb: this.#config.memoryMb,
    })
  }

  async check(signal: AbortSignal): Promise<{ readonly server: string }> {
    const server = await this.#place.check(signal)
    const [version] = (await (await this.#engine()).run('select version()', { at: 'file engine' }, signal)).rows
    return { server: `${server}, DuckDB ${version?.[0] ?? ''}` }
  }

  async query(statement: Statement, signal: AbortSignal): Promise<Answer> {
    if (statement.sql.includes('\0')) throw new Fault('QUERY_FAILED', { at: 'The statement has a NUL character.' })
    this.#queries ??= this.#openQueries().catch((cause) => {
      this.#queries = undefined
      throw cause
    })
    return (await this.#queries).query(statement, signal)
  }

  async #openQueries(): Promise<QueryEngine> {
    const { format, maxFiles, maxQueries, memoryMb } = this.#config
    const temp = join(this.#scratch, 'query-temp')
    const root = await this.#place.root?.()
    await mkdir(this.#scratch, { recursive: true, mode: 0o700 })
    // Copies of objects are in the scratch folder of this session.
    const folder = root ?? (await realpath(this.#scratch))
    return new QueryEngine({ folder, place: root === undefined ? this.#place : undefined, format, maxFiles, maxQueries, temp, memoryMb })
  }

  /** The texts of the queries that run now. */
  async running(): Promise<readonly string[]> {
    return (await this.#queries)?.running ?? []
  }

  async browse(path: string, signal: AbortSignal): Promise<Catalog> {
    const names = await this.#place.names(path, signal)
    if (!names) throw new Fault('FILE_MISSING', { at: `folder ${path}` })
    const base = partsOf(path)
      .map((part) => `${part}/`)
      .join('')
    const entries: CatalogEntry[] = []
    const visible = names.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const { name, folder, bytes } of visible.slice(0, CATALOG_ENTRIES)) {
      stopIfAborted(signal)
      const below = `${base}${name}`
      if (folder) entries.push({ name, path: `${below}/`, type: 'folder' })
      else entries.push({ name, path: below, type: 'file', ...(bytes === undefined ? await this.#bytesOf(below, signal) : { bytes }) })
    }
    return { path, entries, truncated: visible.length > CATALOG_ENTRIES }
  }

  /** Nothing for what goes away meanwhile, or leads out of the folder: it is listed all the same. */
  async #bytesOf(path: string, signal: AbortSignal): Promise<{ readonly bytes?: number }> {
    const file = await this.#place.file(path, signal).catch(() => undefined)
    return file ? { bytes: file.bytes } : {}
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const duck = await this.#duck?.catch(() => undefined)
    await duck?.[Symbol.asyncDispose]()
    const queries = await this.#queries?.catch(() => undefined)
    await queries?.[Symbol.asyncDispose]()
    await rm(this.#scratch, { recursive: true, force: true })
  }
}

/** The files of a folder of the node. */
export class FilesSession extends PlaceSession {
  readonly local: LocalPlace

  constructor(config: FilesConfig, options: FilesSessionOptions) {
    super(config, options, () => new Folder(config.path))
    this.local = localFolder(new Folder(config.path))
  }
}
