import { type ChildProcess, fork } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { QueryFormat } from '@postern/protocol/api/queries.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Answer, Statement } from '../query-contract.ts'
import { type PlaceAnswer, PlaceAnswerer, type PlaceQuestion } from './asked-place.ts'
import { stopIfAborted } from './faults.ts'
import type { FileFormat } from './formats.ts'
import type { PlaceView } from './place.ts'
import { QuerySlot } from './query-slot.ts'

export interface QueryStart {
  readonly type: 'start'
  readonly folder: string
  readonly format: FileFormat | undefined
  readonly maxFiles: number
  /** The files are elsewhere: the process asks for them, and reads copies in `folder`. */
  readonly asks: boolean
  readonly slots: number
  readonly options: Readonly<Record<string, string>>
}

export type QueryCommand =
  | QueryStart
  | {
      readonly type: 'run'
      readonly slot: number
      readonly sql: string
      readonly params: Statement['params']
      readonly maxRows: number | undefined
      readonly format: QueryFormat
    }
  | { readonly type: 'cancel'; readonly slot: number }
  | PlaceAnswer

export interface QueryEngineOptions {
  /** The only one that statements may read. Real, links resolved. */
  readonly folder: string
  /** Where the files are, when not in that folder: copies of them go there. */
  readonly place?: PlaceView | undefined
  readonly format: FileFormat | undefined
  readonly maxFiles: number
  /** Statements at a time. */
  readonly maxQueries: number
  readonly temp: string
  readonly memoryMb: number
}

/** A start of the process costs a query some 0.3 s, an idle one 100 MB. */
const IDLE_MS = 60_000

/** Queries of one store: a process with DuckDB, started by the first, ended when there was none for a while, and by dispose. */
export class QueryEngine implements AsyncDisposable {
  readonly #options: QueryEngineOptions
  #child: ChildProcess | undefined
  #slots: readonly QuerySlot[] = []
  readonly #answerers = new Map<number, PlaceAnswerer>()
  readonly #clearing = new Set<Promise<void>>()
  #ended: Promise<void> = Promise.resolve()
  #idle: NodeJS.Timeout | undefined
  #disposed = false

  constructor(options: QueryEngineOptions) {
    this.#options = options
  }

  /** The texts of the statements that the process has not ended yet. */
  get running(): readonly string[] {
    return this.#slots.flatMap((slot) => slot.sql ?? [])
  }

  async query(statement: Statement, signal: AbortSignal): Promise<Answer> {
    stopIfAborted(signal)
    const child = this.#child ?? (await this.#start())
    stopIfAborted(signal)
    const slot = this.#slots.find((one) => one.sql === undefined)
    if (!slot) {
      throw new Fault('STORE_BUSY', {
        at: `(${this.#options.maxQueries} queries run already.)`,
        remedy: 'Try again later, or raise maxQueries of the store.',
      })
    }
    this.#busy(child)
    return slot.run(statement, signal)
  }

  async #start(): Promise<ChildProcess> {
    const { folder, place, format, maxFiles, maxQueries, temp, memoryMb } = this.#options
    await mkdir(temp, { recursive: true, mode: 0o700 })
    if (this.#child) return this.#child
    if (this.#disposed) throw new Fault('STOPPING')
    const pipes = new Array<'pipe'>(maxQueries).fill('pipe')
    const child = fork(fileURLToPath(new URL('./query-process.ts', import.meta.url)), [], {
      // Paths of statements are below the folder: DuckDB takes them from where it stands.
      cwd: folder,
      execArgv: [],
      serialization: 'json',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc', ...pipes],
      // Nothing of the node's environment: it may hold secrets. Windows programs need SystemRoot.
      env: { UV_THREADPOOL_SIZE: String(maxQueries + 8), TZ: 'UTC', SystemRoot: process.env['SystemRoot'] ?? '' },
    })
    this.#child = child
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()))
    this.#slots = child.stdio.slice(-maxQueries).map((pipe, slot) => this.#slot(child, slot, pipe))
    child.on('message', (question: PlaceQuestion) => this.#answer(child, question))
    child.on('error', () => this.#lost(child, 'it could not be started'))
    child.on('exit', (code, by) => this.#lost(child, `exit ${by ?? code}`))
    child.send({
      type: 'start',
      folder,
      format,
      maxFiles,
      asks: place !== undefined,
      slots: maxQueries,
      options: {
        memory_limit: `${memoryMb}MB`,
        threads: String(availableParallelism()),
        temp_directory: temp,
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
        allow_community_extensions: 'false',
        enable_external_file_cache: 'false',
      },
    } satisfies QueryCommand)
    return child
  }

  #slot(child: ChildProcess, slot: number, pipe: unknown): QuerySlot {
    if (!(pipe instanceof Socket)) throw new Fault('INTERNAL', { at: 'the query process has no pipe' })
    return new QuerySlot({
      slot,
      pipe,
      send: (command) => child.send(command, () => undefined),
      kill: () => child.kill('SIGKILL'),
      free: () => {
        this.#clear(slot)
        this.#rest()
      },
    })
  }

  #answer(child: ChildProcess, question: PlaceQuestion): void {
    const { place } = this.#options
    if (!place || this.#child !== child) return
    const answerer = this.#answerers.get(question.slot) ?? new PlaceAnswerer(place)
    this.#answerers.set(question.slot, answerer)
    answerer.answer(question, (answer) => child.send(answer satisfies QueryCommand, () => undefined))
  }

  /** What was copied for the statement of this slot goes. */
  #clear(slot: number): void {
    const answerer = this.#answerers.get(slot)
    if (!answerer) return
    this.#answerers.delete(slot)
    const cleared: Promise<void> = answerer[Symbol.asyncDispose]().finally(() => this.#clearing.delete(cleared))
    this.#clearing.add(cleared)
  }

  #lost(child: ChildProcess, how: string): void {
    if (this.#child !== child) return
    this.#child = undefined
    const slots = this.#slots
    this.#slots = []
    const fault = new Fault('STORE_LOST', {
      at: `The query engine of the files ended (${how}).`,
      remedy: 'It is started again by the next query. If it runs out of memory, lower memoryMb or maxQueries of the store.',
    })
    for (const slot of slots) slot.lost(fault)
  }

  #busy(child: ChildProcess): void {
    clearTimeout(this.#idle)
    child.ref()
    child.channel?.ref()
  }

  /** An idle engine keeps no process alive, and not itself for long. */
  #rest(): void {
    if (this.running.length > 0 || !this.#child) return
    this.#child.unref()
    this.#child.channel?.unref()
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.#end(), IDLE_MS)
    this.#idle.unref()
  }

  #end(): void {
    clearTimeout(this.#idle)
    const child = this.#child
    if (!child) return
    this.#lost(child, 'stopped')
    child.ref()
    child.kill('SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    this.#end()
    await this.#ended
    await Promise.allSettled(this.#clearing)
    await rm(this.#options.temp, { recursive: true, force: true })
  }
}
