import { Background } from '@postern/base/background.ts'
import { systemClock } from '@postern/base/clock.ts'
import { HostGuard } from '@postern/base/host-guard.ts'
import type { Log, Secret } from '@postern/base/log.ts'
import type { Catalog } from '@postern/protocol/api/stores.ts'
import type { LocalPlace, Session } from '../contract.ts'
import { encoderMaker } from '../formats/formats.ts'
import { POOL_LIMITS, Pool } from '../pool.ts'
import type { Answer, Statement } from '../query-contract.ts'
import { browse } from './browse.ts'
import type { MysqlConfig } from './index.ts'
import { localServer } from './local-place.ts'
import { Login, placeOf } from './login.ts'
import { beginQuery, QueryRun } from './query.ts'
import { MysqlSink } from './sink.ts'
import { MysqlSource } from './source.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'
import { Work } from './work.ts'

export interface SessionParts {
  readonly config: MysqlConfig
  readonly password: Secret | undefined
  readonly log: Log
  readonly hosts?: HostGuard | undefined
}

/** One MySQL or MariaDB server, open on one node. */
export class MysqlSession implements Session {
  readonly source: MysqlSource
  readonly sink: MysqlSink
  readonly local: LocalPlace | undefined
  readonly #pool: Pool<Wire>
  readonly #place: string
  readonly #background: Background
  readonly #work: Work

  constructor({ config, password, log, hosts = new HostGuard() }: SessionParts) {
    this.#place = placeOf(config)
    this.#background = new Background((cause) => log.warn({ err: cause, place: this.#place }, 'mysql background work failed'))
    const login = new Login({ config, password, hosts, clock: systemClock, connectMs: POOL_LIMITS.connectMs })
    this.#pool = new Pool({
      login,
      place: this.#place,
      maxConnections: config.maxConnections,
      clock: systemClock,
      background: this.#background,
    })
    this.#work = new Work({ pool: this.#pool, login, place: this.#place, database: config.database, background: this.#background })
    this.local = localServer(this.#work, config.host)
    this.source = new MysqlSource(this.#work, config)
    this.sink = new MysqlSink(this.#work)
  }

  async check(signal: AbortSignal): Promise<{ readonly server: string }> {
    const [row] = await this.#work.rows({ doing: 'connect', about: '' }, signal, 'select version()')
    const version = row?.[0] ?? ''
    return { server: /mariadb/i.test(version) ? `MariaDB ${version.replace(/-mariadb.*$/i, '')}` : `MySQL ${version}` }
  }

  browse(path: string, signal: AbortSignal): Promise<Catalog> {
    return browse(this.#work, path, signal)
  }

  async query(statement: Statement, signal: AbortSignal): Promise<Answer> {
    const made = encoderMaker(statement.format)
    const makeEncoder = made instanceof Promise ? await made : made
    const work = this.#work
    const wire = await work.acquire(signal)
    const sql = await work.guard(wire, { doing: 'query', about: '' }, signal, () => beginQuery(wire, statement))
    const over = async (failed: boolean) => {
      try {
        if (!failed && statement.mode === 'write') await StatementRun.one(wire, 'commit')
      } finally {
        work.release(wire)
      }
    }
    return QueryRun.start({ wire, statement, makeEncoder, place: this.#place, over, cancel: () => work.stop(wire) }, sql, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.source.close()
    this.#pool.close()
    this.#pool.destroy()
    await this.#background.idle()
  }
}
