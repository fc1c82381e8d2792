import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BackOff } from '@postern/base/back-off.ts'
import { Background } from '@postern/base/background.ts'
import { type Clock, systemClock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { type Random, systemRandom } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import pg from 'pg'
import { unreachable } from './last-words.ts'
import { freePort, isFree } from './loopback-port.ts'
import { makeData } from './make-data.ts'
import { findPlace, type Place, writePointer } from './place.ts'
import { clearStalePid, isPostmasterOf, recordedPid, stopPostmaster } from './postmaster.ts'
import { runProgram } from './run-program.ts'
import { NOT_DURABLE, SETTINGS } from './server-settings.ts'

/** A start includes crash recovery, which on a slow disk takes its time. */
const START_MS = 60_000
/** Children of a killed server hold its shared memory for a moment; only then is a new one let in. */
const START_TRIES = 8
const LOG_BYTES = 8 << 20
/** A server that lived so long was well: the next death starts the waits anew. */
const WELL_MS = 30_000

export interface EmbeddedPostgresOptions {
  /** The service's data folder; the database goes to `postgres` in it. */
  readonly folder: string
  readonly log: Log
  readonly clock?: Clock
  readonly random?: Random
  readonly user?: string
  readonly database?: string
  /** False only for tests: nothing is forced to disk. */
  readonly durable?: boolean
  /** More settings of PostgreSQL, over ours. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface ConnectionParts {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** A PostgreSQL of one's own as a child process: made, started, watched, restarted, stopped. */
export class EmbeddedPostgres implements Component, AsyncDisposable {
  readonly name = 'embedded-postgres'
  readonly #options: EmbeddedPostgresOptions
  readonly #clock: Clock
  readonly #backOff: BackOff
  readonly #background: Background
  readonly #stopping = new AbortController()
  #place: Place | undefined
  #child: ChildProcess | undefined
  #port = 0
  #password = ''
  readonly #onExit = () => this.#child?.kill('SIGINT')

  constructor(options: EmbeddedPostgresOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#backOff = new BackOff({ firstMs: 100, maxMs: 5_000 }, options.random ?? systemRandom)
    this.#background = new Background((cause) => options.log.error({ err: cause }, 'embedded PostgreSQL cannot be restarted'))
  }

  /** Changes when a restart had to take another port: ask for each new connection. */
  get connection(): ConnectionParts {
    const { user = 'postern', database = 'postern' } = this.#options
    return { host: '127.0.0.1', port: this.#port, user, password: this.#password, database }
  }

  get url(): string {
    const { user, password, host, port, database } = this.connection
    return `postgres://${user}:${password}@${host}:${port}/${database}`
  }

  /** The server's process, for those who want to see it die. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  async start(): Promise<void> {
    if (this.#child) return
    const { folder, log } = this.#options
    await mkdir(folder, { recursive: true, mode: 0o711 })
    this.#place = await findPlace(folder, log)
    this.#port = this.#place.port ?? 0
    this.#password = await this.#readPassword()
    if (!(await stat(join(this.#place.data, 'PG_VERSION')).catch(() => undefined))) {
      const { user } = this.connection
      await makeData(this.#place, { user, password: this.#password, durable: this.#options.durable ?? true, log })
    }
    await this.#stopOrphan(this.#place)
    await this.#launchPatiently()
    await this.#createDatabase()
    process.on('exit', this.#onExit)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#background.idle()
    process.off('exit', this.#onExit)
    const child = this.#child
    if (child?.pid && this.#place && child.exitCode === null && child.signalCode === null) await this.#halt(child.pid, this.#place)
    this.#child = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #readPassword(): Promise<string> {
    const file = join(this.#options.folder, 'postgres-password')
    const kept = await readFile(file, 'utf8').catch(() => '')
    if (kept.length >= 32) return kept.trim()
    const made = Buffer.from((this.#options.random ?? systemRandom).bytes(24)).toString('base64url')
    await writeFile(`${file}.part`, made, { mode: 0o600 })
    await rename(`${file}.part`, file)
    return made
  }

  /** After kill -9 of the service its PostgreSQL lives on: it ends before a new one starts. */
  async #stopOrphan(place: Place): Promise<void> {
    const pid = await recordedPid(place.data)
    if (pid !== undefined && (await isPostmasterOf(pid, place.data))) {
      this.#options.log.info({ pid }, 'embedded PostgreSQL of an earlier service is stopped')
      await this.#halt(pid, place)
    }
    await clearStalePid(place.data)
  }

  async #halt(pid: number, place: Place): Promise<void> {
    const stop = async (mode: 'fast' | 'immediate') => {
      // Windows has no such signals: pg_ctl knows how to say it there.
      if (process.platform === 'win32') {
        const args = ['stop', '-D', place.data, '-m', mode, '-W']
        const child = runProgram(place, { name: 'pg_ctl', args, output: 'ignore', log: this.#options.log })
        await once(child, 'close')
      } else {
        try {
          process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
        } catch {
          // It went by itself in between.
        }
      }
    }
    await stopPostmaster(pid, stop, this.#clock)
  }

  async #launchPatiently(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#launch()
        return
      } catch (cause) {
        const lasting = cause instanceof Fault && cause.code === 'CONFIG_INVALID'
        if (lasting || tries >= START_TRIES || this.#stopping.signal.aborted) throw cause
        await this.#clock.sleep(this.#backOff.next(), this.#stopping.signal).catch(() => undefined)
      }
    }
  }

  async #launch(): Promise<void> {
    const place = this.#place
    if (!place) return
    const { folder, durable = true, settings = {} } = this.#options
    await clearStalePid(place.data)
    if (!(await isFree(this.#port))) {
      this.#port = await freePort()
      await writePointer(folder, { data: place.data, port: this.#port, note: place.note })
    }
    const wanted = { ...SETTINGS, ...(durable ? {} : NOT_DURABLE), ...settings, port: String(this.#port) }
    const args = ['-D', place.data, ...Object.entries(wanted).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
    const logFile = join(folder, 'postgres.log')
    const size = await stat(logFile).then(
      (file) => file.size,
      () => 0,
    )
    if (size > LOG_BYTES) await truncate(logFile)
    const child = await this.#runServer(place, args, logFile)
    const startedAt = this.#clock.monotonic()
    let live = false
    child.once('exit', (code, signal) => {
      if (!live || this.#stopping.signal.aborted) return
      if (this.#clock.monotonic() - startedAt > WELL_MS) this.#backOff.reset()
      this.#options.log.warn({ code, signal }, 'embedded PostgreSQL ended; it is started again')
      this.#background.run(() => this.#revive())
    })
    try {
      await this.#answers(child, logFile)
    } catch (cause) {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) await this.#halt(child.pid, place)
      throw cause
    }
    live = true
    this.#child = child
    this.#options.log.info({ port: this.#port, pid: child.pid }, 'embedded PostgreSQL runs')
  }

  async #revive(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.#clock.sleep(this.#backOff.next(), signal).catch(() => undefined)
      if (signal.aborted) return
      try {
        await this.#launch()
        return
      } catch (cause) {
        this.#options.log.error({ err: cause }, 'embedded PostgreSQL did not start')
      }
    }
  }

  async #runServer(place: Place, args: readonly string[], logFile: string): Promise<ChildProcess> {
    // A file, not a pipe: the server outlives a killed service and must still be able to write.
    const file = await open(logFile, 'a', 0o600)
    try {
      return runProgram(place, { name: 'postgres', args, output: file.fd, log: this.#options.log })
    } finally {
      await file.close()
    }
  }

  /** Resolves when it takes queries; when the process ends first, says what it said last. */
  async #answers(child: ChildProcess, logFile: string): Promise<void> {
    const until = this.#clock.monotonic() + START_MS
    const ended = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null
    while (!ended()) {
      const client = new pg.Client({ ...this.connection, database: 'postgres', connectionTimeoutMillis: 2_000 })
      client.on('error', () => undefined)
      try {
        await client.connect()
        return
      } catch (cause) {
        if (cause instanceof Error && 'code' in cause && cause.code === '28P01') {
          throw new Fault('CONFIG_INVALID', {
            at: `${this.#options.folder}/postgres-password is not the password of the database there.`,
            remedy: 'Put the file back from a backup, or name another folder with --data.',
          })
        }
        if (this.#clock.monotonic() > until || this.#stopping.signal.aborted) {
          throw unreachable(String(cause), 'The embedded PostgreSQL did not answer in time.')
        }
        await this.#clock.sleep(25)
      } finally {
        await client.end().catch(() => undefined)
      }
    }
    const said = await readFile(logFile, 'utf8').catch(() => '')
    throw unreachable(said.slice(-4_096), 'The embedded PostgreSQL did not start.')
  }

  async #createDatabase(): Promise<void> {
    const { database } = this.connection
    const client = new pg.Client({ ...this.connection, database: 'postgres' })
    client.on('error', () => undefined)
    await client.connect()
    try {
      const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database])
      if (!rowCount) await client.query(`create database ${client.escapeIdentifier(database)}`)
    } finally {
      await client.end()
    }
  }
}
