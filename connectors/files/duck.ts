import { type ChildProcess, fork } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Fault } from '@postern/protocol/fault.ts'
import { duckFault, type Place, stopIfAborted } from './faults.ts'
import { literal } from './sql.ts'

export type DuckRequest =
  | { readonly type: 'start'; readonly options: Record<string, string>; readonly statements: readonly string[] }
  | { readonly type: 'run'; readonly id: number; readonly sql: string }
  | { readonly type: 'interrupt'; readonly id: number }

export interface DuckReply {
  readonly id: number
  readonly error?: string
  readonly changed?: number
  readonly rows?: readonly (readonly unknown[])[]
}

export interface DuckAnswer {
  /** Rows that a COPY wrote. */
  readonly changed: number
  /** Of small answers: every statement here casts to text. */
  readonly rows: readonly (readonly (string | null)[])[]
}

export interface DuckOptions {
  /** The only folders that it may read and write. */
  readonly folders: readonly string[]
  readonly temp: string
  readonly memoryMb: number
}

/** All times in ms. A statement holds a thread of the process each: `statements` of them at once. */
const LIMITS = { idleMs: 20_000, interruptMs: 3_000, statements: 200 } as const

interface Pending {
  readonly resolve: (answer: DuckAnswer) => void
  readonly reject: (cause: Error) => void
}

/** One DuckDB process, started by the first statement, ended when there was none for a while, and by dispose. */
export class Duck implements AsyncDisposable {
  readonly #options: DuckOptions
  readonly #pending = new Map<number, Pending>()
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #next = 1
  #idle: NodeJS.Timeout | undefined
  #disposed = false

  constructor(options: DuckOptions) {
    this.#options = options
  }

  /** Settles when the statement has really ended: after an abort nothing of it touches a file any more. */
  async run(sql: string, place: Place, signal: AbortSignal): Promise<DuckAnswer> {
    stopIfAborted(signal)
    if (this.#disposed) throw new Fault('STOPPING')
    if (this.#pending.size >= LIMITS.statements)
      throw new Fault('STORE_BUSY', { at: `${place.at}: ${LIMITS.statements} statements run already` })
    const child = this.#child ?? (await this.#start())
    stopIfAborted(signal)
    const id = this.#next++
    let kill: NodeJS.Timeout | undefined
    const abort = () => {
      child.send({ type: 'interrupt', id } satisfies DuckRequest, () => undefined)
      kill = setTimeout(() => child.kill('SIGKILL'), LIMITS.interruptMs)
    }
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await new Promise<DuckAnswer>((resolve, reject) => {
        this.#pending.set(id, { resolve, reject })
        this.#busy(child)
        child.send({ type: 'run', id, sql } satisfies DuckRequest, (cause) => {
          if (cause) reject(new Fault('STORE_LOST', { at: `${place.at}: the file engine has ended`, cause }))
        })
      })
    } catch (cause) {
      stopIfAborted(signal)
      throw cause instanceof Fault ? cause : duckFault(cause, place)
    } finally {
      clearTimeout(kill)
      signal.removeEventListener('abort', abort)
      this.#pending.delete(id)
      this.#rest()
    }
  }

  async #start(): Promise<ChildProcess> {
    const { folders, temp, memoryMb } = this.#options
    await mkdir(temp, { recursive: true, mode: 0o700 })
    if (this.#child) return this.#child
    if (this.#disposed) throw new Fault('STOPPING')
    const child = fork(fileURLToPath(new URL('./duck-process.ts', import.meta.url)), [], {
      execArgv: [],
      serialization: 'json',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // Nothing of the node's environment: it may hold secrets. Windows programs need SystemRoot.
      env: { UV_THREADPOOL_SIZE: String(LIMITS.statements + 16), TZ: 'UTC', SystemRoot: process.env['SystemRoot'] ?? '' },
    })
    this.#child = child
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()))
    child.on('message', (reply: DuckReply) => this.#answered(reply))
    child.on('error', () => this.#lost(child, 'it could not be started'))
    child.on('exit', (code, by) => this.#lost(child, `exit ${by ?? code}`))
    child.send({
      type: 'start',
      options: {
        memory_limit: `${memoryMb}MB`,
        threads: String(availableParallelism()),
        temp_directory: temp,
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
        allow_community_extensions: 'false',
        enable_external_file_cache: 'false',
      },
      statements: [
        `set global TimeZone = 'UTC'`,
        'set global preserve_insertion_order = false',
        `set allowed_directories = [${[...folders, temp].map(literal).join(', ')}]`,
        'set enable_external_access = false',
        'set lock_configuration = true',
      ],
    } satisfies DuckRequest)
    return child
  }

  #answered({ id, error, changed, rows }: DuckReply): void {
    const pending = this.#pending.get(id)
    if (error !== undefined) pending?.reject(new Error(error))
    else pending?.resolve({ changed: changed ?? 0, rows: (rows ?? []) as DuckAnswer['rows'] })
  }

  #lost(child: ChildProcess, how: string): void {
    if (this.#child !== child) return
    this.#child = undefined
    const fault = new Fault('STORE_LOST', {
      at: `The file engine ended (${how}).`,
      remedy: 'It is started again by the next use. If it runs out of memory, lower the number of jobs at a time.',
    })
    for (const pending of this.#pending.values()) pending.reject(fault)
  }

  #busy(child: ChildProcess): void {
    clearTimeout(this.#idle)
    child.ref()
    child.channel?.ref()
  }

  /** An idle engine keeps no process alive, and not itself for long. */
  #rest(): void {
    if (this.#pending.size > 0 || !this.#child) return
    this.#child.unref()
    this.#child.channel?.unref()
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.#end(), LIMITS.idleMs)
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
    await rm(this.#options.temp, { recursive: true, force: true })
  }
}
