/** Everything that the demo runs: a "private" database, a service, a gateway of two nodes, two stores. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '@postern/base/log.ts'
import { Client } from '@postern/client/client.ts'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { EmbeddedPostgres } from '@postern/service/db/embedded/embedded-postgres.ts'
import pg from 'pg'
import { ROOT } from '../tools/steps.ts'
import { portOr } from './folder.ts'
import { Processes } from './processes.ts'
import { type Loaded, loadSampleData } from './sample-data.ts'
import { command, say } from './screen.ts'

export const GATEWAY = 'demo'
export const NODES = ['node-a', 'node-b'] as const
const WANTED_PORT = 7400
const ONLINE_MS = 30_000
/** For the demo's own database only: made anew each time, so nothing is forced to disk. */
const DATABASE_SETTINGS = { max_connections: '100', shared_buffers: '128MB', max_wal_size: '2GB' }

export class Cluster implements AsyncDisposable {
  readonly lake: string
  readonly #folder: string
  readonly #env: NodeJS.ProcessEnv
  readonly #processes: Processes
  readonly #database: EmbeddedPostgres
  readonly #readerPassword = randomBytes(18).toString('base64url')
  #client: Client | undefined

  constructor(folder: string) {
    this.#folder = folder
    this.lake = join(folder, 'lake')
    mkdirSync(this.lake, { recursive: true })
    // The command line remembers gateways it has sealed to in its settings folder: this gateway is gone tomorrow.
    this.#env = { ...process.env, XDG_CONFIG_HOME: join(folder, 'config'), POSTERN_LOG: process.env['POSTERN_LOG'] ?? 'info' }
    this.#processes = new Processes(folder, this.#env)
    this.#database = new EmbeddedPostgres({
      folder: join(folder, 'private-database'),
      log: createLog('private-database', 'error'),
      database: 'shop',
      durable: false,
      settings: DATABASE_SETTINGS,
    })
  }

  get client(): Client {
    if (!this.#client) throw new Error('the service has not been started')
    return this.#client
  }

  /** As the owner of the private database; the nodes sign in as `reader`. */
  get connection(): pg.ClientConfig {
    return this.#database.connection
  }

  get url(): string {
    return this.#env['POSTERN_URL'] ?? ''
  }

  get tokenFile(): string {
    return join(this.#folder, 'service/admin-token')
  }

  async startDatabase(): Promise<readonly Loaded[]> {
    await this.#database.start()
    const loaded = await loadSampleData(this.connection, join(this.#folder, 'sample-data'))
    const owner = new pg.Client(this.connection)
    await owner.connect()
    await owner.query(`create role reader login password ${owner.escapeLiteral(this.#readerPassword)} in role pg_read_all_data`)
    await owner.end()
    return loaded
  }

  async startService(): Promise<string> {
    const port = await portOr(WANTED_PORT)
    if (port !== WANTED_PORT) say(`Port ${WANTED_PORT} is taken by another program: the service takes ${port}.`)
    const url = await this.#processes.start('service', [
      'service',
      'start',
      '--data',
      join(this.#folder, 'service'),
      '--port',
      String(port),
    ])
    const token = readFileSync(this.tokenFile, 'utf8').trim()
    Object.assign(this.#env, { POSTERN_URL: url, POSTERN_TOKEN: token })
    this.#client = new Client({ url, token })
    return url
  }

  async createGateway(): Promise<void> {
    const { key1 } = JSON.parse(await this.postern(['gateway', 'create', GATEWAY, '--json'])) as { key1: string }
    for (const name of NODES) {
      const args = ['node', 'join', '--url', this.url, '--key', key1, '--name', name, '--data', this.#nodeFolder(name)]
      await this.postern(args, '', `node join --url ${this.url} --key … --name ${name} --data ${this.#nodeFolder(name)}`)
      command(`node start --data ${this.#nodeFolder(name)} &`)
      await this.startNode(name)
    }
  }

  async startNode(name: string): Promise<void> {
    await this.#processes.start(name, ['node', 'start', '--data', this.#nodeFolder(name), '--channel-port', '0', '--console-port', '0'])
  }

  killNode(name: string): Promise<void> {
    return this.#processes.kill(name)
  }

  /** The gateway as soon as all its nodes are online and can open credentials. */
  async online(): Promise<GatewayView> {
    const until = performance.now() + ONLINE_MS
    for (;;) {
      const gateway = await this.client.gateways.get(GATEWAY)
      if (gateway.publicKey && gateway.nodes.length === NODES.length && gateway.nodes.every(({ status }) => status === 'online'))
        return gateway
      if (performance.now() > until) {
        const states = gateway.nodes.map(({ name, status, statusReasons }) => `${name} is ${status} (${statusReasons.join('; ')})`)
        throw new Error(`not all nodes are online after ${ONLINE_MS / 1_000} s: ${states.join(', ')}`)
      }
      await sleep(100)
    }
  }

  async createStores(): Promise<void> {
    const { host, port, database } = this.connection
    const set = [`host=${host}`, `port=${port}`, `database=${database}`, 'user=reader'].flatMap((pair) => ['--set', pair])
    const shop = ['store', 'create', 'shop', '--gateway', GATEWAY, '--kind', 'postgres', ...set, '--secret', 'password=-']
    await this.postern(shop, this.#readerPassword)
    const lake = ['store', 'create', 'lake', '--gateway', GATEWAY, '--kind', 'files', '--set', `path=${this.lake}`]
    await this.postern(lake)
  }

  /** A command as a user types it: shown, run, and its answer given back; a failure says what the command said. */
  async postern(args: readonly string[], input = '', shown = shell(args)): Promise<string> {
    command(shown)
    const { code, stdout, stderr } = await this.#processes.run(args, input)
    if (code !== 0) throw new Error(`postern ${args.slice(0, 2).join(' ')} ended with ${code}: ${stderr.trim() || stdout.trim()}`)
    return stdout
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes[Symbol.asyncDispose]()
    await this.#database.stop()
  }

  #nodeFolder(name: string): string {
    return relative(ROOT, join(this.#folder, name))
  }
}

function shell(args: readonly string[]): string {
  return args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `"${arg.replaceAll('"', '\\"')}"`)).join(' ')
}
