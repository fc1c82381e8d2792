/** A real MariaDB for tests, in a folder of its own that goes away with it. It needs the system's mariadbd (package mariadb-server). */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import mysql from 'mysql2/promise'
import { freePort } from './free-port.ts'

const run = promisify(execFile)

export interface MysqlServerOptions {
  /** More of the server's options: { 'max-allowed-packet': '1M' }. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Fast, for nothing here need survive a crash of the machine. */
const FAST = {
  'bind-address': '127.0.0.1',
  'innodb-flush-log-at-trx-commit': '0',
  'innodb-buffer-pool-size': '128M',
  'innodb-log-file-size': '64M',
  'character-set-server': 'utf8mb4',
  'max-connections': '200',
}

/** As in postgres-server.ts: when the test process ends in whatever way, the server ends and its folder goes. A signal to all of its group does not stop that. */
const GUARD = `folder=$1; shift
"$@" </dev/null 3<&- & server=$!
( trap "" TERM INT HUP; cat >/dev/null; kill -KILL $server 2>/dev/null; while kill -0 $server 2>/dev/null; do sleep 0.1; done; rm -rf "$folder" ) <&3 &
wait $server`

/** Undefined where it can be started, else why not. */
export function mysqlMissing(): string | undefined {
  const lacking = ['mariadbd', 'mariadb-install-db'].filter((name) => program(name) === undefined)
  return lacking.length === 0 ? undefined : `${lacking.join(' and ')} (package mariadb-server) is missing`
}

function program(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/usr/local/bin']
  return folders.map((folder) => join(folder, name)).find(canRun)
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export class MysqlServer implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly user = 'postern'
  readonly password: string
  readonly port: number
  readonly folder: string
  readonly #settings: Readonly<Record<string, string>>
  readonly #owner: Owner | undefined
  #guard: ChildProcess | undefined
  #admin: mysql.Connection | undefined
  #said = ''

  private constructor(parts: { folder: string; port: number; owner: Owner | undefined; settings: Readonly<Record<string, string>> }) {
    this.folder = parts.folder
    this.port = parts.port
    this.#owner = parts.owner
    this.#settings = parts.settings
    this.password = randomBytes(12).toString('hex')
  }

  static async start(options: MysqlServerOptions = {}): Promise<MysqlServer> {
    const missing = mysqlMissing()
    if (missing) throw new Error(missing)
    const owner = await unprivileged()
    const folder = await mkdtemp(join(tmpdir(), 'postern-test-mysql-'))
    const server = new MysqlServer({ folder, port: await freePort(), owner, settings: { ...FAST, ...options.settings } })
    try {
      if (owner) await chown(folder, owner.uid, owner.gid)
      const install = ['--no-defaults', `--datadir=${join(folder, 'data')}`, '--auth-root-authentication-method=normal', '--skip-test-db']
      await run(program('mariadb-install-db') ?? '', install, { ...owner, cwd: folder, timeout: 120_000 })
      await server.restart()
      const admin = await server.#root()
      await admin.query(`create user postern@'%' identified by '${server.password}'`)
      await admin.query(`grant all on *.* to postern@'%' with grant option`)
    } catch (cause) {
      await server[Symbol.asyncDispose]()
      throw cause
    }
    return server
  }

  /** Starts it again on the same data, after `kill`. */
  async restart(): Promise<void> {
    const settings = Object.entries(this.#settings).map(([name, value]) => `--${name}=${value}`)
    const socket = join(this.folder, 'socket')
    const command = [
      program('mariadbd') ?? '',
      '--no-defaults',
      `--datadir=${join(this.folder, 'data')}`,
      `--port=${this.port}`,
      `--socket=${socket}`,
      `--pid-file=${join(this.folder, 'pid')}`,
      ...settings,
    ]
    const child = spawn('/bin/sh', ['-c', GUARD, 'guard', this.folder, ...command], {
      ...this.#owner,
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString()).slice(-4_000)
    })
    this.#guard = child
    await this.#answers()
  }

  async #root(): Promise<mysql.Connection> {
    this.#admin ??= await mysql.createConnection({ host: this.host, port: this.port, user: 'root', multipleStatements: true })
    return this.#admin
  }

  /** A fresh database, dropped at the end of the scope. */
  async database(): Promise<MysqlDatabase> {
    const name = `test_${randomBytes(6).toString('hex')}`
    const admin = await this.#root()
    await admin.query(`create database \`${name}\` character set utf8mb4`)
    const { host, port, user, password } = this
    const connection = await mysql.createConnection({
      host,
      port,
      user,
      password,
      database: name,
      multipleStatements: true,
      dateStrings: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      timezone: 'Z',
    })
    await connection.query(`set time_zone = '+00:00'`)
    return new MysqlDatabase({ name, host, port, user, password, connection, admin })
  }

  async #answers(): Promise<void> {
    const deadline = performance.now() + 60_000
    for (;;) {
      try {
        const client = await mysql.createConnection({ host: this.host, port: this.port, user: 'root', connectTimeout: 5_000 })
        return await client.end()
      } catch (cause) {
        const ended = this.#guard?.exitCode !== null && this.#guard?.exitCode !== undefined
        if (ended || performance.now() > deadline) throw new Error(`MariaDB did not start. It said:\n${this.#said}`, { cause })
        await sleep(50)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#admin?.destroy()
    this.#admin = undefined
    const guard = this.#guard
    this.#guard = undefined
    if (guard && guard.exitCode === null) {
      const exited = new Promise<void>((resolve) => guard.once('exit', () => resolve()))
      for (const stream of guard.stdio) stream?.destroy()
      await Promise.race([exited, sleep(20_000, undefined, { ref: false })])
    }
    await rm(this.folder, { recursive: true, force: true })
  }
}

export class MysqlDatabase implements AsyncDisposable {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly #connection: mysql.Connection
  readonly #admin: mysql.Connection

  constructor(parts: {
    name: string
    host: string
    port: number
    user: string
    password: string
    connection: mysql.Connection
    admin: mysql.Connection
  }) {
    this.name = parts.name
    this.host = parts.host
    this.port = parts.port
    this.user = parts.user
    this.password = parts.password
    this.#connection = parts.connection
    this.#admin = parts.admin
  }

  /** One statement, or several in one text; the rows of the last. */
  async query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]> {
    const [rows] = await this.#connection.query(sql, values as never)
    return (Array.isArray(rows) ? rows : []) as Row[]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.destroy()
    await this.#admin.query(`drop database if exists \`${this.name}\``)
  }
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

/** MariaDB refuses to run as root: then it runs as mysql, or as nobody where there is no such user. */
async function unprivileged(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const user of ['mysql', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])])
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
    } catch {
      // no such user
    }
  }
  return { uid: 65_534, gid: 65_534 }
}
