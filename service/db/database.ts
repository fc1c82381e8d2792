import { BackOff } from '@postern/base/back-off.ts'
import { type Clock, systemClock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { type Random, systemRandom } from '@postern/base/random.ts'
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely'
import pg from 'pg'
import { databaseFault, isLost, passes } from './errors.ts'
import { migrate } from './migrate.ts'
import type { Tables } from './tables.ts'

/** A pool and a transaction are the same to a repository. */
export type Db = Kysely<Tables> | Transaction<Tables>

/** One place for the numbers of the pool. */
const POOL = {
  max: 20,
  connectMs: 5_000,
  idleMs: 60_000,
  statementMs: 30_000,
  /** Client side, so that a silent network ends a wait too. */
  answerMs: 35_000,
  idleInTransactionMs: 30_000,
  /** How long a query waits for a database that is being started again, before anything was asked of it. */
  reconnectMs: 4_000,
} as const

export interface DatabaseOptions {
  /** Asked for each new connection: an embedded PostgreSQL may come back on another port. */
  readonly target: () => pg.ClientConfig
  readonly log: Log
  readonly clock?: Clock
  readonly random?: Random
  readonly max?: number
}

/** pg gives bigint as text. Ours are ids, counts and epochs; one that a number cannot hold stays text rather than being wrong. */
function readBigint(text: string): number | string {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : text
}

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 && format !== 'binary'
      ? readBigint
      : pg.types.getTypeParser(oid, format as 'text')) as pg.CustomTypesConfig['getTypeParser'],
}

/** The most statements that a connection keeps prepared: ours are a few hundred. */
const MOST_NAMES = 1_000
const names = new Map<string, string>()

/** Statements with parameters are prepared under a name of their own, so that each connection parses and plans them once. */
function named(args: readonly unknown[]): readonly unknown[] {
  const [text, values, ...more] = args
  if (typeof text !== 'string' || !Array.isArray(values) || values.length === 0) return args
  let name = names.get(text)
  if (name === undefined) {
    if (names.size >= MOST_NAMES) return args
    name = `p${names.size + 1}`
    names.set(text, name)
  }
  return [{ name, text, values }, ...more]
}

/** The service's own database: the one pool, built here and nowhere else. */
export class Database implements Component {
  readonly name = 'database'
  readonly db: Kysely<Tables>
  readonly #pool: pg.Pool
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  #ended: Promise<void> | undefined

  constructor(options: DatabaseOptions) {
    this.#log = options.log
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    const { target } = options
    class Connection extends pg.Client {
      constructor(config: pg.ClientConfig) {
        super({ ...config, ...target() })
        // The pool listens only while a connection is idle; one that dies between two statements would end the process.
        this.on('error', () => undefined)
        const query = this.query.bind(this) as (...args: readonly unknown[]) => unknown
        this.query = ((...args: readonly unknown[]) => {
          const answer = query(...named(args))
          return answer instanceof Promise
            ? answer.catch((cause: unknown) => {
                // The answer may still come, to the wrong question: such a connection is not used again.
                if (isLost(cause)) void this.end().catch(() => undefined)
                throw databaseFault(cause)
              })
            : answer
        }) as pg.Client['query']
      }
    }
    this.#pool = new pg.Pool({
      Client: Connection as unknown as new () => pg.ClientBase,
      types,
      max: options.max ?? POOL.max,
      connectionTimeoutMillis: POOL.connectMs,
      idleTimeoutMillis: POOL.idleMs,
      statement_timeout: POOL.statementMs,
      query_timeout: POOL.answerMs,
      idle_in_transaction_session_timeout: POOL.idleInTransactionMs,
      keepAlive: true,
      application_name: 'postern',
    })
    // Without a listener an idle connection that dies (57P01) ends the process.
    this.#pool.on('error', (cause) => this.#log.debug({ err: cause }, 'idle database connection lost'))
    this.db = new Kysely<Tables>({
      dialect: new PostgresDialect({
        pool: { connect: () => this.connect(), end: () => this.#pool.end(), options: this.#pool.options },
      }),
    })
  }

  /** A connection of the pool. Waits out a restart of the database: nothing was asked of it yet, so trying again is safe. */
  async connect(): Promise<pg.PoolClient> {
    const until = this.#clock.monotonic() + POOL.reconnectMs
    const backOff = new BackOff({ firstMs: 25, maxMs: 400 }, this.#random)
    for (;;) {
      try {
        return await this.#pool.connect()
      } catch (cause) {
        const fault = databaseFault(cause)
        if (this.#ended || !passes(fault) || this.#clock.monotonic() > until) throw fault
        await this.#clock.sleep(backOff.next())
      }
    }
  }

  /** Connects and brings the schema up to this version. */
  async start(): Promise<void> {
    await migrate(this, this.#log)
  }

  /** Fails with DATABASE_UNREACHABLE. For /readyz. */
  async ping(): Promise<void> {
    await sql`select 1`.execute(this.db)
  }

  stop(): Promise<void> {
    this.#ended ??= this.#pool.end()
    return this.#ended
  }
}
