import { Background } from '@postern/base/background.ts'
import { systemClock } from '@postern/base/clock.ts'
import { HostGuard } from '@postern/base/host-guard.ts'
import type { Log, Secret } from '@postern/base/log.ts'
import type { Catalog } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { LocalPlace, Session } from '../contract.ts'
import { encoderMaker } from '../formats/formats.ts'
import { POOL_LIMITS, Pool } from '../pool.ts'
import type { Answer, Statement, WireConnection } from '../query-contract.ts'
import { browse } from './browse.ts'
import type { PostgresConfig } from './index.ts'
import { localServer } from './local-place.ts'
import { Login, placeOf } from './login.ts'
import { QueryRun } from './query.ts'
import { faultOfAbort } from './server-error.ts'
import { PostgresSink } from './sink.ts'
import { PostgresSource } from './source.ts'
import { TextCounts } from './statement-names.ts'
import type { Wire } from './wire.ts'
import { Work } from './work.ts'

export interface SessionParts {
  readonly config: PostgresConfig
  readonly password: Secret | undefined
  readonly log: Log
  readonly hosts?: HostGuard | undefined
}

/** One PostgreSQL database, open on one node. */
export class PostgresSession implements Session {
  readonly source: PostgresSource
  readonly sink: PostgresSink
  readonly local: LocalPlace | undefined
  readonly #login: Login
  readonly #pool: Pool<Wire>
  readonly #place: string
  readonly #background: Background
  readonly #work: Work
  readonly #texts = new TextCounts()

  constructor({ config, password, log, hosts = new HostGuard() }: SessionParts) {
    this.#place = placeOf(config)
    this.#background = new Background((cause) => log.warn({ err: cause, place: this.#place }, 'postgres background work failed'))
    this.#login = new Login({ config, password, hosts, clock: systemClock, connectMs: POOL_LIMITS.connectMs })
    this.#pool = new Pool({
      login: this.#login,
      place: this.#place,
      maxConnections: config.maxConnections,
      clock: systemClock,
      background: this.#background,
    })
    this.#work = new Work({ pool: this.#pool, login: this.#login, place: this.#place, background: this.#background })
    this.local = localServer(this.#work, config.host)
    this.source = new PostgresSource(this.#work, config.maxConnections)
    this.sink = new PostgresSink(this.#work, systemClock)
  }

  async check(signal: AbortSignal): Promise<{ readonly server: string }> {
    const [row] = await this.#work.rows({ doing: 'connect', about: '' }, signal, `select current_setting('server_version')`)
    return { server: `PostgreSQL ${row?.[0] ?? ''}` }
  }

  browse(path: string, signal: AbortSignal): Promise<Catalog> {
    return browse(this.#work, path, signal)
  }

  async query(statement: Statement, signal: AbortSignal): Promise<Answer> {
    // PostgreSQL's text has none; in the protocol it would end the statement.
    if (statement.sql.includes('\0')) throw new Fault('QUERY_FAILED', { at: 'The statement has a NUL character.' })
    const made = encoderMaker(statement.format)
    const makeEncoder = made instanceof Promise ? await made : made
    const wire = await this.#pool.acquire(signal)
    const cancel = () => this.#work.stop(wire)
    const free = (clean: boolean) => this.#pool.release(wire, clean)
    const parts = { wire, statement, makeEncoder, place: this.#place, free, cancel, texts: this.#texts }
    return QueryRun.start(parts, signal, faultOfAbort)
  }

  /** Not of the pool: what a client leaves behind in a connection is nobody else's. */
  async wire(parameters: Readonly<Record<string, string>>, signal: AbortSignal): Promise<WireConnection> {
    const { socket, greeting, ...key } = await this.#login.signIn(parameters, signal)
    return { socket, greeting, cancel: () => this.#login.cancel(key) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pool.close()
    this.#pool.destroy()
    await this.#background.idle()
  }
}
