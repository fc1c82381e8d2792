/** A store of files in a folder of its own, for tests. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Column, Commit, LogicalType, Shape, Target } from '../../copy-contract.ts'
import { FilesConfig } from '../index.ts'
import { FilesSession } from '../session.ts'

export const soon = (): AbortSignal => AbortSignal.timeout(30_000)

export interface WriteOptions {
  readonly run?: string
  readonly mode?: 'append' | 'overwrite'
  readonly partitionBy?: readonly string[]
}

export class TestStore implements AsyncDisposable {
  readonly path: string
  readonly scratch: string
  readonly session: FilesSession
  readonly #root: string

  private constructor(root: string, settings: Record<string, unknown>, pipes: boolean) {
    this.#root = root
    this.path = join(root, 'store')
    this.scratch = join(root, 'scratch')
    this.session = new FilesSession(FilesConfig.parse({ path: this.path, ...settings }), { scratch: this.scratch, pipes })
  }

  static async open(settings: Record<string, unknown> = {}, pipes = true): Promise<TestStore> {
    const root = await mkdtemp(join(tmpdir(), 'postern-files-'))
    const store = new TestStore(root, settings, pipes)
    await mkdir(store.path)
    return store
  }

  async put(name: string, content: string | Uint8Array): Promise<void> {
    await mkdir(dirname(join(this.path, name)), { recursive: true })
    await writeFile(join(this.path, name), content)
  }

  /** Every file and folder below the store, hidden ones too. */
  async names(): Promise<readonly string[]> {
    return (await readdir(this.path, { recursive: true })).sort()
  }

  prepare(shape: Shape, where: string, { run = 'run_a', mode = 'append', partitionBy }: WriteOptions = {}): Promise<Target> {
    const folders = partitionBy && { partitionBy }
    return this.session.sink.prepare({ run, shape, where, mode, key: [], encodings: ['csv'], verify: 'checksum', ...folders }, soon())
  }

  write(target: Target, csv: string | Readable, part = 0, run = 'run_a', attempt = 1): Promise<Commit> {
    const bytes = typeof csv === 'string' ? Readable.from([Buffer.from(csv)]) : csv
    return this.session.sink.write({ target, slot: { run, task: `tsk_${part}`, attempt }, part, bytes, agree: () => undefined }, soon())
  }

  publish(target: Target, commits: readonly Commit[], run = 'run_a'): Promise<void> {
    const parts = commits.map((commit, part) => ({ part, task: `tsk_${part}`, commit }))
    return this.session.sink.publish({ target, run, parts }, soon())
  }

  /** A whole copy into `where`, one part a text. */
  async fill(shape: Shape, where: string, csvs: readonly string[], options: WriteOptions = {}): Promise<Target> {
    const target = await this.prepare(shape, where, options)
    const commits: Commit[] = []
    for (const [part, csv] of csvs.entries()) commits.push(await this.write(target, csv, part, options.run))
    await this.publish(target, commits, options.run)
    return target
  }

  /** All rows of WHAT in the `csv` encoding. */
  async read(what: string, wanted: number | null = null): Promise<{ readonly shape: Shape; readonly csv: string; readonly rows: number }> {
    const { source } = this.session
    const shape = await source.describe(what, {}, soon())
    let csv = ''
    let rows = 0
    for (const part of await source.split(shape, { wanted })) {
      const stream = await source.read({ shape, part }, soon())
      csv += await text(stream.bytes)
      rows += stream.rows()
    }
    return { shape, csv, rows }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]()
    await rm(this.#root, { recursive: true, force: true })
  }
}

export function column(name: string, is: LogicalType['is'], bounds: { readonly precision?: number; readonly scale?: number } = {}): Column {
  return { name, type: { is, ...bounds } as LogicalType, native: is, nullable: true }
}

export function shapeOf(columns: readonly Column[]): Shape {
  return { title: 'test', columns, key: [], estimatedRows: null, estimatedBytes: null, kind: 'test', encodings: ['csv'], own: null }
}
