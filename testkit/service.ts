/** A whole service as a process, with a data folder of its own, and a client that is its administrator. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from '@postern/client/client.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { freePort } from './free-port.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { PosternProcess, type ProcessOptions } from './process.ts'

export interface TestServiceOptions extends ProcessOptions {
  /** Any free one when left out. */
  readonly port?: number
  /** `shared`: a database on the test run's PostgreSQL, which is quick. `embedded`: the service's own, as by default in real life. */
  readonly database?: 'shared' | 'embedded'
  /** PEM files: HTTPS. Who asks must trust the certificate (NODE_EXTRA_CA_CERTS). */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  /** More words of `postern service start`. */
  readonly args?: readonly string[]
}

export class TestService implements AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Of the PostgreSQL wire. */
  readonly postgresPort: number
  readonly data: string
  readonly process: PosternProcess
  readonly #folder: TestFolder
  readonly #database: TestDatabase | undefined
  #token = ''

  private constructor(parts: {
    port: number
    postgresPort: number
    folder: TestFolder
    database: TestDatabase | undefined
    options: TestServiceOptions
  }) {
    const { port, postgresPort, folder, database, options } = parts
    this.postgresPort = postgresPort
    this.port = port
    const { tls } = options
    this.url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
    this.data = join(folder.path, 'service')
    this.#folder = folder
    this.#database = database
    const where = database ? ['--database-url', database.url] : []
    const args = ['service', 'start', '--data', this.data, '--port', String(port), '--postgres-port', String(postgresPort), ...where]
    args.push(...(tls ? ['--tls-cert', tls.certFile, '--tls-key', tls.keyFile] : []), ...(options.args ?? []))
    this.process = new PosternProcess(args, options)
  }

  static async start(options: TestServiceOptions = {}): Promise<TestService> {
    const folder = await testFolder()
    const database = options.database === 'embedded' ? undefined : await testDatabase()
    // A fixed port, so that nodes find the service again after a restart.
    const service = new TestService({ port: options.port ?? (await freePort()), postgresPort: await freePort(), folder, database, options })
    try {
      await service.restart()
      service.#token = (await readFile(join(service.data, 'admin-token'), 'utf8')).trim()
      return service
    } catch (cause) {
      await service[Symbol.asyncDispose]()
      throw cause
    }
  }

  get token(): string {
    return this.#token
  }

  get client(): Client {
    return this.clientAt(this.url)
  }

  /** By another way to it: through a flaky link. */
  clientAt(url: string): Client {
    return new Client({ url, token: this.#token })
  }

  /** For `postern` commands of a test; the sign-in files of this machine are not looked at. */
  get env(): Record<string, string> {
    return { POSTERN_URL: this.url, POSTERN_TOKEN: this.#token, XDG_CONFIG_HOME: join(this.#folder.path, 'config') }
  }

  /** Starts it again on the same data, after `kill` or `stop`. */
  async restart(): Promise<void> {
    await this.process.start()
  }

  kill(): Promise<number | null> {
    return this.process.kill('SIGKILL')
  }

  stop(): Promise<number | null> {
    return this.process.stop()
  }

  /** The process id of its embedded PostgreSQL. */
  async databasePid(): Promise<number> {
    const pid = await embeddedPid(this.data)
    if (pid === undefined) throw new Error('The service has no embedded PostgreSQL that runs.')
    return pid
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]()
    await this.#database?.[Symbol.asyncDispose]()
    await this.#folder[Symbol.asyncDispose]()
  }
}

async function embeddedPid(data: string): Promise<number | undefined> {
  const { readdir } = await import('node:fs/promises')
  const files = await readdir(data, { recursive: true }).catch(() => [])
  const file = files.find((name) => name.endsWith('postmaster.pid'))
  const pid = file === undefined ? Number.NaN : Number((await readFile(join(data, file), 'utf8')).split('\n')[0])
  return pid > 1 ? pid : undefined
}
