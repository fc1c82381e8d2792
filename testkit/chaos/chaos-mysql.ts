/** MySQL as an end of chaos: filled and read by its own driver. */
import type { Cluster } from '../cluster.ts'
import { FlakyLink } from '../flaky-link.ts'
import { type MysqlDatabase, MysqlServer } from '../mysql-server.ts'
import { CELL, NULL, type Rows } from './row-checker.ts'

/** Of the first row of any table here, in seconds of Unix time: as in `rowsSql` of chaos-ends.ts. */
const FIRST_AT = Date.UTC(2026, 0, 1) / 1_000
const COLUMNS = 'id bigint primary key, name text, amount decimal(12,2), flag boolean, at timestamp not null'
/** What belongs to no single copy. */
const RECORDS: ReadonlySet<string> = new Set(['_postern_commits', '_postern_runs'])

export class ChaosMysql implements AsyncDisposable {
  readonly #server: MysqlServer
  readonly #database: MysqlDatabase
  readonly #link: FlakyLink

  private constructor(server: MysqlServer, database: MysqlDatabase, link: FlakyLink) {
    this.#server = server
    this.#database = database
    this.#link = link
  }

  /** Stores `from-my`, as slow as it is said, with the table `src`; and `to-my`, as fast as it can. */
  static async make(cluster: Cluster, options: { readonly rows: number; readonly bytesPerSecond: number }): Promise<ChaosMysql> {
    const server = await MysqlServer.start()
    const database = await server.database()
    const link = await FlakyLink.to(database)
    const mysql = new ChaosMysql(server, database, link)
    await mysql.fill('src', 1, options.rows)
    await database.query('analyze table src')
    for (const [name, at] of Object.entries({ 'from-my': link, 'to-my': database })) {
      const { user, name: db, password } = database
      await cluster.store(name, 'mysql', { settings: { host: at.host, port: at.port, database: db, user }, secrets: { password } })
    }
    link.slow(options.bytesPerSecond)
    return mysql
  }

  async fill(table: string, first: number, count: number, word = ''): Promise<void> {
    await this.#database.query(`create table ${table} (${COLUMNS}) engine = InnoDB`)
    if (count === 0) return
    await this.#database.query(`insert into ${table} select seq, if(seq % 7 = 0, null, concat('${word}row ', seq, repeat('x', 100))), seq * 1.25,
      seq % 3 = 0, from_unixtime(${FIRST_AT} + seq) from seq_${first}_to_${first + count - 1}`)
  }

  async read(table: string): Promise<Rows> {
    const at = `date_format(date_add('1970-01-01', interval unix_timestamp(at) second), '%Y-%m-%d %H:%i:%s+00')`
    const sql = `select concat_ws('${CELL}', id, coalesce(name, '${NULL}'), amount, if(flag, 'true', 'false'), ${at}) as line from ${table}`
    return (await this.#database.query<{ line: string }>(sql)).map(({ line }) => line)
  }

  async count(table: string): Promise<number> {
    return Number((await this.#database.query<{ n: number }>(`select count(*) as n from ${table}`))[0]?.n)
  }

  /** Staging and old tables: none, when no copy is going on. */
  async leftovers(): Promise<readonly string[]> {
    const sql = `select table_name as name from information_schema.tables where table_schema = database() and table_name like '\\_postern%'`
    return (await this.#database.query<{ name: string }>(sql)).map(({ name }) => name).filter((name) => !RECORDS.has(name))
  }

  async drop(table: string): Promise<void> {
    await this.#database.query(`drop table ${table}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]()
    await this.#database[Symbol.asyncDispose]()
    await this.#server[Symbol.asyncDispose]()
  }
}
