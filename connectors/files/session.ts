import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Catalog, CatalogEntry } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Answer, OpenOptions, Session, Statement } from '../contract.ts'
import { Duck } from './duck.ts'
import { stopIfAborted } from './faults.ts'
import { Folder, partsOf } from './folder.ts'
import type { FilesConfig } from './index.ts'
import { QueryEngine } from './query-engine.ts'
import { FilesSink } from './sink.ts'
import { FilesSource } from './source.ts'

/** What source and sink of one session share. */
export interface FilesParts {
  readonly config: FilesConfig
  readonly folder: Folder
  readonly duck: Pick<Duck, 'run'>
  /** For pipes and spools of this session only. */
  readonly scratch: string
  /** False in tests: spool through files, as on systems without pipes. */
  readonly pipes?: boolean | undefined
}

const CATALOG_ENTRIES = 10_000

export class FilesSession implements Session {
  readonly source: FilesSource
  readonly sink: FilesSink
  readonly #folder: Folder
  readonly #scratch: string
  #duck: Promise<Duck> | undefined
  #queries: Promise<QueryEngine> | undefined
  readonly #config: FilesConfig

  constructor(config: FilesConfig, options: Pick<OpenOptions, 'scratch'> & { readonly pipes?: boolean }) {
    this.#config = config
    this.#folder = new Folder(config.path)
    this.#scratch = join(options.scratch, `files-${randomUUID()}`)
    const parts: FilesParts = {
      config,
      folder: this.#folder,
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
    const folder = await this.#folder.real()
    await mkdir(this.#scratch, { recursive: true, mode: 0o700 })
    return new Duck({ folders: [folder, this.#scratch], temp: join(this.#scratch, 'temp'), memoryMb: this.#config.memoryMb })
  }

  async check(signal: AbortSignal): Promise<{ readonly server: string }> {
    const { writable } = await this.#folder.check()
    const [version] = (await (await this.#engine()).run('select version()', { at: 'file engine' }, signal)).rows
    return { server: `folder ${this.#folder.path}${writable ? '' : ' (read-only)'}, DuckDB ${version?.[0] ?? ''}` }
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
    return new QueryEngine({ folder: await this.#folder.real(), format, maxFiles, maxQueries, temp, memoryMb })
  }

  /** The texts of the queries that run now. */
  async running(): Promise<readonly string[]> {
    return (await this.#queries)?.running ?? []
  }

  async browse(path: string, signal: AbortSignal): Promise<Catalog> {
    const names = await this.#folder.names(path)
    if (!names) throw new Fault('FILE_MISSING', { at: `folder ${path}` })
    const base = partsOf(path)
      .map((part) => `${part}/`)
      .join('')
    const entries: CatalogEntry[] = []
    const visible = names.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const { name, folder } of visible.slice(0, CATALOG_ENTRIES)) {
      stopIfAborted(signal)
      const below = `${base}${name}`
      if (folder) entries.push({ name, path: `${below}/`, type: 'folder' })
      else entries.push({ name, path: below, type: 'file', ...(await this.#bytesOf(below)) })
    }
    return { path, entries, truncated: visible.length > CATALOG_ENTRIES }
  }

  /** Nothing for what goes away meanwhile, or leads out of the folder: it is listed all the same. */
  async #bytesOf(path: string): Promise<{ readonly bytes?: number }> {
    const file = await this.#folder.file(path).catch(() => undefined)
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
