/** A service, a gateway and its nodes, all as processes, with what a test needs to put stores and copies on them. */
import type { Client } from '@postern/client/client.ts'
import type { CopyRequest, RunView } from '@postern/protocol/api/runs.ts'
import { type CliOptions, type CliResult, postern } from './cli.ts'
import type { StoreAccess } from './contract/rig.ts'
import { TestNode } from './node.ts'
import type { TestDatabase } from './postgres.ts'
import { TestService, type TestServiceOptions } from './service.ts'
import { waitFor } from './wait-for.ts'

export interface ClusterOptions {
  readonly gateway?: string
  /** Names of the nodes; two by default. */
  readonly nodes?: readonly string[]
  readonly service?: TestServiceOptions
  /** The service as a node reaches it; straight when left out. */
  readonly urlOf?: (service: TestService, node: string) => string | Promise<string>
  /** More words of `postern node start`, and more variables, for a node. */
  readonly argsOf?: (node: string) => readonly string[]
  readonly envOf?: (node: string) => Readonly<Record<string, string>>
}

export class Cluster implements AsyncDisposable {
  readonly gateway: string
  readonly service: TestService
  readonly nodes = new Map<string, TestNode>()
  readonly #options: ClusterOptions
  #key = ''

  private constructor(service: TestService, options: ClusterOptions) {
    this.service = service
    this.gateway = options.gateway ?? 'demo'
    this.#options = options
  }

  /** Ready when every node is online. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const service = await TestService.start(options.service)
    const cluster = new Cluster(service, options)
    try {
      cluster.#key = (await service.client.gateways.create({ name: cluster.gateway })).key1
      for (const name of options.nodes ?? ['n1', 'n2']) await cluster.addNode(name)
      await cluster.allOnline()
      return cluster
    } catch (cause) {
      await cluster[Symbol.asyncDispose]()
      throw cause
    }
  }

  /** An authentication key of the gateway, for nodes that a test joins itself. */
  get key(): string {
    return this.#key
  }

  get client(): Client {
    return this.service.client
  }

  node(name: string): TestNode {
    const node = this.nodes.get(name)
    if (!node) throw new Error(`There is no node ${name}.`)
    return node
  }

  async addNode(name: string): Promise<TestNode> {
    const url = (await this.#options.urlOf?.(this.service, name)) ?? this.service.url
    const [args, env] = [this.#options.argsOf?.(name) ?? [], this.#options.envOf?.(name)]
    const node = await TestNode.start({ name, url, key: this.#key, args, ...(env ? { env } : {}) })
    this.nodes.set(name, node)
    return node
  }

  async allOnline(): Promise<void> {
    await waitFor(
      `all nodes of ${this.gateway} are online`,
      () => this.client.nodes.list(this.gateway),
      (nodes) => nodes.length === this.nodes.size && nodes.every((node) => node.status === 'online'),
      { timeoutMs: 30_000 },
    )
  }

  /** The node that holds the dispatcher's lease. */
  async dispatcher(): Promise<string> {
    const nodes = await waitFor(
      'there is a dispatcher',
      () => this.client.nodes.list(this.gateway),
      (seen) => seen.some((node) => node.role === 'dispatcher' && node.status === 'online'),
    )
    return nodes.find((node) => node.role === 'dispatcher')?.name ?? ''
  }

  /** One `postern` command as the administrator of this service. */
  cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return postern(args, { ...options, env: { ...this.service.env, ...options.env } })
  }

  /** A store for a test database; the password is sealed by the command line, as in real life. */
  async postgresStore(
    name: string,
    database: TestDatabase,
    at: { readonly host: string; readonly port: number } = database,
    gateway = this.gateway,
  ): Promise<void> {
    const set = [`host=${at.host}`, `port=${at.port}`, `database=${database.name}`, `user=${database.user}`]
    const words = set.flatMap((word) => ['--set', word])
    await this.#must(['store', 'create', name, '--gateway', gateway, '--kind', 'postgres', ...words, '--secret', 'password=-'], {
      input: `${database.password}\n`,
    })
  }

  async filesStore(name: string, path: string, gateway = this.gateway): Promise<void> {
    await this.#must(['store', 'create', name, '--gateway', gateway, '--kind', 'files', '--set', `path=${path}`])
  }

  /** A store of any kind; its secrets are sealed by the command line. */
  async store(name: string, kind: string, access: StoreAccess, gateway = this.gateway): Promise<void> {
    const set = Object.entries(access.settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])
    const secret = Object.keys(access.secrets ?? {}).flatMap((key) => ['--secret', `${key}=env:POSTERN_TEST_${key}`])
    const env = Object.fromEntries(Object.entries(access.secrets ?? {}).map(([key, value]) => [`POSTERN_TEST_${key}`, value]))
    await this.#must(['store', 'create', name, '--gateway', gateway, '--kind', kind, ...set, ...secret], { env })
  }

  /** Waits for the end of a run, whatever it is. */
  ended(run: string, timeoutMs = 120_000): Promise<RunView> {
    return waitFor(
      `run ${run} has ended`,
      () => this.client.runs.get(run),
      (seen) => seen.status !== 'queued' && seen.status !== 'running',
      { timeoutMs, everyMs: 100 },
    )
  }

  /** Starts a copy and waits until its parts move. */
  async startCopy(request: CopyRequest): Promise<RunView> {
    const run = await this.client.copy(request)
    return waitFor(
      `run ${run.id} moves rows`,
      () => this.client.runs.get(run.id),
      (seen) => seen.tasks.some((task) => task.kind === 'part' && task.status === 'running') || seen.endedAt !== null,
      { everyMs: 20 },
    )
  }

  /** All that service and nodes wrote: to look for secrets and stacks. */
  get logs(): string {
    return [this.service.process, ...[...this.nodes.values()].map((node) => node.process)].map((process) => process.log).join('\n')
  }

  /** What they warned of: for the message of a failed test. */
  get warnings(): string {
    const lines = this.logs.split('\n').filter((line) => /"level":[456]0/.test(line))
    return lines.slice(-30).join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node[Symbol.asyncDispose]()))
    await this.service[Symbol.asyncDispose]()
  }

  async #must(args: readonly string[], options: CliOptions = {}): Promise<void> {
    const result = await this.cli(args, options)
    if (result.code !== 0) throw new Error(`postern ${args.slice(0, 3).join(' ')} ended with ${result.code}:\n${result.stderr}`)
  }
}
