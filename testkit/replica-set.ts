/** Several services over one PostgreSQL, a balancer before them, and nodes that know only the balancer. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from '@postern/client/client.ts'
import { Balancer } from './balancer.ts'
import { postern } from './cli.ts'
import { TestNode } from './node.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { PostgresServer } from './postgres-server.ts'
import { TestService, type TestServiceOptions } from './service.ts'
import { waitFor } from './wait-for.ts'

export interface ReplicaSetOptions {
  readonly replicas: number
  readonly nodes: readonly string[]
  readonly service?: Omit<TestServiceOptions, 'database'>
  /** The way of nodes to the balancer; straight when left out. */
  readonly urlOf?: (balancer: Balancer, services: readonly TestService[]) => string | Promise<string>
}

export class ReplicaSet implements AsyncDisposable {
  readonly services: TestService[] = []
  readonly nodes: TestNode[] = []
  readonly #stack = new AsyncDisposableStack()
  #balancer: Balancer | undefined
  #server: PostgresServer | undefined
  #database: TestDatabase | undefined

  static async start(options: ReplicaSetOptions): Promise<ReplicaSet> {
    const set = new ReplicaSet()
    try {
      await set.#start(options)
      return set
    } catch (cause) {
      await set[Symbol.asyncDispose]()
      throw cause
    }
  }

  get first(): TestService {
    const [first] = this.services
    if (!first) throw new Error('There is no service.')
    return first
  }

  /** At one of the replicas, whatever the balancer does. */
  clientOf(replica: number): Client {
    const service = this.services[replica]
    if (!service) throw new Error(`There is no replica ${replica}.`)
    return new Client({ url: service.url, token: this.first.token })
  }

  /** Of the store `shop`. */
  get database(): TestDatabase {
    if (!this.#database) throw new Error('There is no database.')
    return this.#database
  }

  get balanced(): Client {
    if (!this.#balancer) throw new Error('There is no balancer.')
    return new Client({ url: this.#balancer.url, token: this.first.token })
  }

  /** How often links of all nodes came up. */
  get linksSeen(): number {
    return this.nodes.flatMap((node) => node.process.log.split('\n')).filter((line) => line.includes('"link is up"')).length
  }

  async online(replica = 0): Promise<void> {
    await waitFor(
      `all nodes are online at replica ${replica}`,
      () => this.clientOf(replica).nodes.list('demo'),
      (seen) => seen.length === this.nodes.length && seen.every((node) => node.status === 'online'),
      { timeoutMs: 40_000 },
    )
  }

  /** All processes of the services' PostgreSQL hang, or go on. */
  async pauseDatabase(paused: boolean): Promise<void> {
    const folder = this.#server?.folder ?? ''
    const postmaster = Number((await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0])
    const children = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8')
    for (const pid of [postmaster, ...children.trim().split(' ').map(Number)]) if (pid > 1) signal(pid, paused ? 'SIGSTOP' : 'SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()))
    await this.#stack.disposeAsync()
  }

  async #start({ replicas, nodes, service = {}, urlOf }: ReplicaSetOptions): Promise<void> {
    this.#server = this.#stack.use(await PostgresServer.start())
    const control = await testDatabase({ server: this.#server })
    this.#database = this.#stack.use(await testDatabase())
    for (let n = 0; n < replicas; n += 1) {
      const args = ['--database-url', control.url, ...(service.args ?? [])]
      const { tls, env } = service
      const options = { ...(tls ? { tls } : {}), ...(env ? { env } : {}), database: 'embedded', args } as const
      this.services.push(this.#stack.use(await TestService.start(options)))
    }
    this.#balancer = this.#stack.use(
      await Balancer.over(
        this.services.map(({ port }) => port),
        this.first.url.startsWith('https:'),
      ),
    )
    const { key1: key } = await this.first.client.gateways.create({ name: 'demo' })
    const url = (await urlOf?.(this.#balancer, this.services)) ?? this.#balancer.url
    for (const name of nodes) this.nodes.push(await TestNode.start({ name, url, key, ...(service.env ? { env: service.env } : {}) }))
    for (let n = 0; n < replicas; n += 1) await this.online(n)
    await this.#store(service.env)
  }

  async #store(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const { host, port, name, user, password } = this.database
    const words = [`host=${host}`, `port=${port}`, `database=${name}`, `user=${user}`].flatMap((word) => ['--set', word])
    const args = ['store', 'create', 'shop', '--gateway', 'demo', '--kind', 'postgres', ...words, '--secret', 'password=-']
    const made = await postern(args, { env: { ...this.first.env, ...env }, input: `${password}\n` })
    if (made.code !== 0) throw new Error(made.stderr)
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}

/** Clients that ask without pause. */
export class Asking {
  readonly failures: string[] = []
  readonly waits: number[] = []
  readonly #over = new AbortController()
  readonly #loops: readonly Promise<void>[]

  constructor(clients: readonly Client[], pauseMs = 10) {
    this.#loops = clients.map((client) => this.#ask(client, pauseMs))
  }

  get asked(): number {
    return this.waits.length
  }

  async more(count: number): Promise<void> {
    const from = this.asked
    await waitFor(
      `${count} more queries were answered`,
      () => this.asked,
      (now) => now >= from + count,
      { timeoutMs: 40_000 },
    )
  }

  async stop(): Promise<void> {
    this.#over.abort()
    await Promise.all(this.#loops)
  }

  async #ask(client: Client, pauseMs: number): Promise<void> {
    while (!this.#over.signal.aborted) {
      const from = performance.now()
      try {
        const rows = await (await client.query('shop', { sql: 'select 1 as one' })).rows()
        if (JSON.stringify(rows) !== '[{"one":1}]') throw new Error(`not the answer: ${JSON.stringify(rows)}`)
      } catch (cause) {
        this.failures.push(`${cause} ${cause instanceof Error && cause.cause ? String(cause.cause) : ''}`)
      }
      this.waits.push(performance.now() - from)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}
