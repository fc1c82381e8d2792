/** What a benchmark runs on: a PostgreSQL, a service with a PostgreSQL of its own, and a gateway, all as processes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@postern/client/client.ts'
import type { CopyRequest } from '@postern/protocol/api/runs.ts'
import { Cluster } from '@postern/testkit/cluster.ts'
import { FlakyLink } from '@postern/testkit/flaky-link.ts'
import { TestNode } from '@postern/testkit/node.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { type PostgresAddress, PostgresServer } from '@postern/testkit/postgres-server.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'

const FAR = 'far'
/** How often a run is looked at, unless said otherwise: the time of a copy is known this well. */
const LOOK_MS = 20
const SETTINGS = { shared_buffers: '512MB', max_wal_size: '8GB' }

export class Rig implements AsyncDisposable {
  readonly server: PostgresServer
  readonly database: TestDatabase
  /** The folder of the store `lake`. */
  readonly lake: string
  readonly #cluster: Cluster
  readonly #names: readonly string[]
  readonly #stack: AsyncDisposableStack

  private constructor(parts: {
    server: PostgresServer
    database: TestDatabase
    lake: string
    cluster: Cluster
    names: readonly string[]
    stack: AsyncDisposableStack
  }) {
    this.server = parts.server
    this.database = parts.database
    this.lake = parts.lake
    this.#cluster = parts.cluster
    this.#names = parts.names
    this.#stack = parts.stack
  }

  /** With the stores `bench` (an empty database) and `lake` (a folder, Parquet). */
  static async start(options: {
    readonly nodes: number
    /** PEM files: links and HTTP by TLS. */
    readonly tls?: { readonly certFile: string; readonly keyFile: string }
  }): Promise<Rig> {
    await using stack = new AsyncDisposableStack()
    const server = stack.use(await PostgresServer.start({ settings: SETTINGS }))
    const database = stack.use(await testDatabase({ server }))
    const nodes = Array.from({ length: options.nodes }, (_, index) => `n${index + 1}`)
    const tls = options.tls ? { tls: options.tls } : {}
    const service = { database: 'embedded' as const, env: { POSTERN_LOG: 'warn' }, ...tls }
    const cluster = stack.use(await Cluster.start({ nodes, service }))
    const lake = mkdtempSync(join(tmpdir(), 'postern-bench-'))
    stack.defer(() => rmSync(lake, { recursive: true, force: true }))
    await cluster.postgresStore('bench', database)
    await must(cluster, ['store', 'create', 'lake', '--gateway', cluster.gateway, '--kind', 'files', '--set', `path=${lake}`])
    return new Rig({ server, database, lake, cluster, names: nodes, stack: stack.move() })
  }

  /** One more, with one secret. */
  async store(
    kind: string,
    name: string,
    settings: Readonly<Record<string, unknown>>,
    secrets: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const set = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])
    const [secret] = Object.entries(secrets)
    const sealed = secret ? ['--secret', `${secret[0]}=-`] : []
    await must(this.#cluster, ['store', 'create', name, '--gateway', this.#cluster.gateway, '--kind', kind, ...set, ...sealed], secret?.[1])
  }

  get client(): Client {
    return this.#cluster.client
  }

  get url(): string {
    return this.#cluster.service.url
  }

  /** Of the PostgreSQL wire. */
  get postgresPort(): number {
    return this.#cluster.service.postgresPort
  }

  get token(): string {
    return this.#cluster.service.token
  }

  get cores(): number {
    return availableParallelism()
  }

  get pids(): { readonly node: number; readonly service: number } {
    return { node: this.#cluster.node('n1').process.pid, service: this.#cluster.service.process.pid }
  }

  /** The processes that each part of the rig began with. Others are below them. */
  async roots(): Promise<Readonly<Record<'service' | 'nodes' | 'stores', readonly number[]>>> {
    const [row] = await this.database.query<{ pid: number }>(`select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int as pid`)
    const nodes = this.#names.map((name) => this.#cluster.node(name).process.pid)
    return { service: [this.#cluster.service.process.pid], nodes, stores: [row?.pid ?? 0] }
  }

  /** From the request to the end of the run; fails unless it succeeded. */
  async copy(request: CopyRequest, lookMs = LOOK_MS): Promise<void> {
    const { id } = await this.client.copy(request)
    const run = await waitFor(
      `run ${id} has ended`,
      () => this.client.runs.get(id),
      ({ endedAt }) => endedAt !== null,
      { timeoutMs: 300_000, everyMs: lookMs },
    )
    if (run.status !== 'succeeded') throw new Error(`run ${id} ${run.status}: ${run.fault?.message ?? ''}`)
  }

  /** A store of the same database behind a node whose link is so much longer, each way. */
  async farStore(options: { readonly delayMs: number }): Promise<string> {
    const link = this.#stack.use(await FlakyLink.to({ port: this.#cluster.service.port }))
    link.delay(options.delayMs)
    const { key1 } = await this.client.gateways.create({ name: FAR })
    this.#stack.use(await TestNode.start({ name: 'far-node', url: `http://127.0.0.1:${link.port}`, key: key1 }))
    await waitFor(
      'the far node is online',
      () => this.client.gateways.get(FAR),
      ({ publicKey, nodes }) => publicKey !== null && nodes.some(({ status }) => status === 'online'),
      { timeoutMs: 30_000 },
    )
    const { host, port, user, password, name } = this.database
    const set = [`host=${host}`, `port=${port}`, `database=${name}`, `user=${user}`].flatMap((pair) => ['--set', pair])
    await must(this.#cluster, ['store', 'create', FAR, '--gateway', FAR, '--kind', 'postgres', ...set, '--secret', 'password=-'], password)
    return FAR
  }

  /** A store of a MySQL or MariaDB database. */
  async mysqlStore(
    name: string,
    { host, port, user, password, name: database }: PostgresAddress & { readonly name: string },
  ): Promise<void> {
    const set = [`host=${host}`, `port=${port}`, `database=${database}`, `user=${user}`].flatMap((pair) => ['--set', pair])
    const gateway = this.#cluster.gateway
    await must(
      this.#cluster,
      ['store', 'create', name, '--gateway', gateway, '--kind', 'mysql', ...set, '--secret', 'password=-'],
      password,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

async function must(cluster: Cluster, args: readonly string[], input = ''): Promise<void> {
  const { code, stderr } = await cluster.cli(args, { input })
  if (code !== 0) throw new Error(`postern ${args.slice(0, 3).join(' ')} ended with ${code}: ${stderr}`)
}
