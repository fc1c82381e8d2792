/**
 * Databases of their own for tests, on one PostgreSQL that all test files of a run share (postgres-global-setup.ts).
 * Outside vitest the first call starts a server, which ends with the process.
 */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { type PostgresAddress, PostgresServer } from './postgres-server.ts'

/** Address of the shared server, as JSON: set by the global setup, inherited by the workers. */
export const SHARED_SERVER = 'POSTERN_TEST_POSTGRES'

let own: Promise<PostgresAddress> | undefined

/** The shared server. Do not stop it; a test about a dying server starts its own (`PostgresServer.start`). */
export function sharedServer(): Promise<PostgresAddress> {
  const given = process.env[SHARED_SERVER]
  own ??= given ? Promise.resolve(JSON.parse(given) as PostgresAddress) : PostgresServer.start()
  return own
}

export interface TestDatabase extends PostgresAddress, AsyncDisposable {
  readonly name: string
  readonly url: string
  /** One statement, or several in one text without values; the rows of the last. */
  query<Row extends pg.QueryResultRow = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** A connection of its own, ended with the database. */
  connect(): Promise<pg.Client>
}

export interface TestDatabaseOptions {
  /** A name that `testTemplate` gave, to start from a copy of it. */
  readonly template?: string
  /** Another server than the shared one. */
  readonly server?: PostgresAddress
}

/** A fresh database, dropped at the end of the scope: `await using db = await testDatabase()`. */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = options.server ?? (await sharedServer())
  const name = `test_${randomBytes(6).toString('hex')}`
  const template = options.template === undefined ? '' : ` template "${options.template}"`
  await administer(server, `create database "${name}"${template}`)
  return new Database(server, name)
}

/**
 * A database to copy others from, made once a server: `fill` runs only for the first that asks for this name.
 * Put into the name what it was made of (a hash of the migrations), so that a change makes a new one.
 */
export async function testTemplate(name: string, fill: (database: TestDatabase) => Promise<void>): Promise<string> {
  const server = await sharedServer()
  const template = `template_${name}`
  const admin = await connectTo(server, 'postgres')
  try {
    await admin.query(`select pg_advisory_lock(hashtext($1))`, [template])
    const { rowCount } = await admin.query('select from pg_database where datname = $1', [template])
    if (rowCount === 0) {
      const filling = `${template}_filling`
      await admin.query(`drop database if exists "${filling}" with (force)`)
      await admin.query(`create database "${filling}"`)
      const database = new Database(server, filling)
      await fill(database)
      await database.disconnect()
      await admin.query(`alter database "${filling}" rename to "${template}"`)
    }
    return template
  } finally {
    await admin.end()
  }
}

class Database implements TestDatabase {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly name: string
  readonly url: string
  readonly #server: PostgresAddress
  readonly #clients: pg.Client[] = []
  #shared: Promise<pg.Client> | undefined

  constructor(server: PostgresAddress, name: string) {
    this.#server = server
    this.host = server.host
    this.port = server.port
    this.user = server.user
    this.password = server.password
    this.name = name
    this.url = `postgres://${server.user}:${server.password}@${server.host}:${server.port}/${name}`
  }

  async query<Row extends pg.QueryResultRow = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]> {
    this.#shared ??= this.connect()
    const client = await this.#shared
    const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = values
      ? await client.query<Row>(sql, [...values])
      : await client.query<Row>(sql)
    return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows
  }

  async connect(): Promise<pg.Client> {
    const client = await connectTo(this.#server, this.name)
    this.#clients.push(client)
    return client
  }

  async disconnect(): Promise<void> {
    this.#shared = undefined
    await Promise.all(this.#clients.splice(0).map((client) => client.end().catch(() => undefined)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect()
    await administer(this.#server, `drop database if exists "${this.name}" with (force)`)
  }
}

async function connectTo(server: PostgresAddress, database: string): Promise<pg.Client> {
  const { host, port, user, password } = server
  const client = new pg.Client({ host, port, user, password, database, connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined) // a dropped database ends its connections; the next statement says so
  await client.connect()
  return client
}

async function administer(server: PostgresAddress, sql: string): Promise<void> {
  const client = await connectTo(server, 'postgres')
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
