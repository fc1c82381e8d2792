/** A whole service in the test's process, over a database of its own. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@postern/base/log.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { type RunningService, type ServiceOptions, startService } from '../service.ts'
import { FakeNode } from './fake-node.ts'
import { type Answer, send } from './send.ts'

export class LocalService implements AsyncDisposable {
  readonly database: TestDatabase
  readonly #data: string
  readonly #token: string
  #port: number
  #running: RunningService | undefined
  readonly #nodes: FakeNode[] = []

  private constructor(database: TestDatabase, data: string, running: RunningService, token: string) {
    this.database = database
    this.#data = data
    this.#running = running
    this.#token = token
    this.#port = Number(new URL(running.url).port)
  }

  static async start(options: Pick<Partial<ServiceOptions>, 'postgres' | 'log' | 'pages'> = {}): Promise<LocalService> {
    const database = await testDatabase()
    const data = await mkdtemp(join(tmpdir(), 'postern-service-'))
    const running = await startService({ data, port: 0, databaseUrl: database.url, log: silentLog, ...options })
    return new LocalService(database, data, running, (await readFile(running.adminTokenFile, 'utf8')).trim())
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Of the PostgreSQL wire, where it was asked for. */
  get postgresPort(): number {
    return this.#running?.postgresPort ?? 0
  }

  get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}` }
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
    this.#running = undefined
  }

  /** At the same address, as after a crash or an upgrade. */
  async restart(): Promise<void> {
    await this.stop()
    this.#running = await startService({ data: this.#data, port: this.#port, databaseUrl: this.database.url, log: silentLog })
  }

  fetch(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url + path, {
      method,
      headers: { ...this.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  /** The answer's JSON; fails with the problem's code and detail. */
  async api<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await this.fetch(method, path, body)
    const text = await response.text()
    if (!response.ok) throw new Error(`${response.status} ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as Answer
  }

  /** The answer whatever its status, as the administrator. */
  call<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    return send<T>(this.url + path, method, body, this.headers)
  }

  /** A gateway with stores `shop` and `lake` and so many nodes, a, b, c, ..., that beat and are linked. */
  async gateway(nodes: number, settings: Record<string, unknown> = {}): Promise<FakeNode[]> {
    const { key1 } = await this.api<{ key1: string }>('POST', '/v1/gateways', { name: 'demo', settings })
    for (const name of ['a', 'b', 'c', 'd'].slice(0, nodes)) {
      const node = await FakeNode.join(this.url, key1, name)
      this.#nodes.push(node)
      await node.up()
    }
    const postgres = { kind: 'postgres', gateway: 'demo', settings: { host: 'db', port: 5432, database: 'x', user: 'u' } }
    await this.api('POST', '/v1/stores', { ...postgres, name: 'shop' })
    await this.api('POST', '/v1/stores', { kind: 'files', gateway: 'demo', name: 'lake', settings: { path: '/srv/lake' } })
    return this.#nodes.slice(-nodes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node.die()
    await this.stop()
    await this.database[Symbol.asyncDispose]()
    await rm(this.#data, { recursive: true, force: true })
  }
}
