/** The service as a list of parts. The only place where `new` meets `new`. */
import { isIP } from 'node:net'
import { type Clock, systemClock } from '@postern/base/clock.ts'
import { type Component, Lifecycle } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { type Random, systemRandom } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { FastifyRequest } from 'fastify'
import { entryOf } from './audit/audit-faults.ts'
import { buildCore, type Core, type Surroundings } from './core.ts'
import { DataFolder } from './data-folder.ts'
import { Database } from './db/database.ts'
import { EmbeddedPostgres } from './db/embedded/embedded-postgres.ts'
import { gatewayKeyRoutes } from './gateways/gateway-key-routes.ts'
import { GatewayRepository } from './gateways/gateway-repository.ts'
import { HttpServer, type Routes } from './http/http-server.ts'
import { pageRoutes } from './http/page-routes.ts'
import { checkPlainHttp } from './http/plain-http.ts'
import { plainRoutes } from './http/plain-routes.ts'
import { BeatLineEnd } from './nodes/beat-line-end.ts'
import { NodeBeats } from './nodes/node-beats.ts'
import { nodeCallRoutes } from './nodes/node-call-routes.ts'
import { NodeExpiry } from './nodes/node-expiry.ts'
import { NodeHistories } from './nodes/node-histories.ts'
import { nodeHistoryRoutes } from './nodes/node-history-routes.ts'
import { nodeRoutes } from './nodes/node-routes.ts'
import { storeRoutes } from './stores/store-routes.ts'
import { AdminToken } from './tokens/admin-token.ts'
import { buildWork } from './work.ts'

export interface ServiceOptions {
  /** Folder of everything that is kept. */
  readonly data: string
  readonly host?: string | undefined
  /** On another address than loopback without TLS: something in front of it speaks TLS. */
  readonly allowPlainHttp?: boolean | undefined
  /** 0: any free port. */
  readonly port?: number | undefined
  /** PostgreSQL's protocol on this port too; 0: any free one. `required`: without it the service does not start. */
  readonly postgres?: { readonly port: number; readonly required: boolean } | undefined
  /** A PostgreSQL of one's own; the embedded one when left out. */
  readonly databaseUrl?: string | undefined
  /** How nodes and people reach it; what it listens on when left out. */
  readonly publicUrl?: string | undefined
  /** How other services on the same database reach this one, past any balancer; what it listens on when left out. */
  readonly replicaUrl?: string | undefined
  /** The folder of the portal's built pages; none are served when left out. */
  readonly pages?: string | undefined
  /** Proxies before it, as addresses or networks: limits and audit go by the address that they name. */
  readonly trustedProxies?: readonly string[] | undefined
  /** PEM, both. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  readonly log: Log
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
}

export interface RunningService extends AsyncDisposable {
  /** Where it listens, with the port that it got. */
  readonly url: string
  readonly publicUrl: string
  /** Of the PostgreSQL wire; undefined while it does not listen. */
  readonly postgresPort: number | undefined
  /** Holds the administrator's token; written by the first start. */
  readonly adminTokenFile: string
  /** Process of the embedded PostgreSQL, for those who want to see it die. */
  readonly databasePid: () => number | undefined
  /** Drains until the deadline, then stops. The same promise for every caller. */
  stop(deadline?: AbortSignal): Promise<void>
}

export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { lifecycle, running } = buildService(options)
  await lifecycle.start()
  const service = running()
  options.log.info({ url: service.url }, 'service started')
  return service
}

/** Its parts put together, none of them started. */
export function buildService(options: ServiceOptions) {
  const { host = '127.0.0.1', port = 7400, databaseUrl, tls, log, clock = systemClock, random = systemRandom } = options
  const surroundings: Surroundings = {
    log,
    clock,
    random,
    publicUrl: () => publicUrl ?? http.url,
    file: (name) => folder.file(name),
  }
  checkPlainHttp({ host, tls: tls !== undefined, allowPlainHttp: options.allowPlainHttp === true })
  const publicUrl = checkUrl(options.publicUrl, '--public-url')
  const replicaUrl = checkUrl(options.replicaUrl, '--replica-url')
  const trustedProxies = checkProxies(options.trustedProxies)

  const folder = new DataFolder({ path: options.data, clock, random })
  const embedded = databaseUrl === undefined ? new EmbeddedPostgres({ folder: folder.path, log, clock, random }) : undefined
  const database = new Database({ target: embedded ? () => embedded.connection : ownDatabase(databaseUrl), log, clock, random })
  const core = buildCore(database, surroundings)
  const adminToken = new AdminToken({ folder, tokens: core.tokens, repository: core.tokenRepository, people: core.people.repository, log })
  const expiry = new NodeExpiry({ nodes: core.nodes, service: core.nodeService, repository: core.nodeRepository, clock, log })
  const histories = new NodeHistories({ nodes: core.nodes, clock, log })
  // Links, queries, runs and events: work.ts.
  const names = [host, ...(publicUrl ? [new URL(publicUrl).hostname.replace(/^\[|\]$/g, '')] : [])]
  const wire = options.postgres && { ...options.postgres, host, tls, names, folder }
  const work = buildWork(core, {
    wire,
    replicaUrl: () => replicaUrl ?? http.url,
    beats: (nodeId) => new BeatLineEnd(beats, nodeId).answer,
  })
  const beats: NodeBeats = new NodeBeats({
    nodes: core.nodes,
    repository: core.nodeRepository,
    leases: core.leases,
    replicas: () => work.replicas.alive().length,
    heardByAll: () => work.replicas.heardByAll,
    listener: work.beatListener,
    clock,
    log,
  })
  const routes = [
    ...coreRoutes(core, beats),
    nodeHistoryRoutes({ service: core.nodeService, nodes: core.nodes, histories }),
    ...work.routes,
    ...(options.pages === undefined ? [] : [pageRoutes(options.pages)]),
  ]
  const onFault = (request: FastifyRequest, fault: Fault) => {
    const entry = entryOf(request, fault)
    if (entry) core.notes.note(entry)
  }
  const http: HttpServer = new HttpServer({
    host,
    port,
    tls,
    trustedProxies,
    doorkeeper: core.doorkeeper,
    log,
    clock,
    random,
    routes,
    onFault,
  })
  for (const [path, handler] of work.upgrades) http.onUpgrade(path, handler)

  // Started in this order; drained and stopped backwards.
  const parts: readonly (Component | undefined)[] = [
    folder,
    embedded,
    database,
    core.notes,
    adminToken,
    core.nodes,
    beats,
    expiry,
    histories,
    ...work.parts,
    http,
    work.replicas,
  ]
  const lifecycle = new Lifecycle(parts.filter((part) => part !== undefined))
  const running = (): RunningService => ({
    url: http.url,
    publicUrl: publicUrl ?? http.url,
    postgresPort: work.postgresPort(),
    adminTokenFile: adminToken.file,
    databasePid: () => embedded?.pid,
    stop: (deadline) => lifecycle.stop(deadline),
    [Symbol.asyncDispose]: () => lifecycle.stop(),
  })
  return { http, lifecycle, running }
}

function coreRoutes(core: Core, beats: NodeBeats): readonly Routes[] {
  const { authority, database, doorkeeper, joins, metrics, nodeRepository, nodes, nodeService, storeService } = core
  return [
    plainRoutes({ database, metrics, doorkeeper }),
    nodeRoutes(nodeService),
    nodeCallRoutes({
      nodes,
      joins,
      beats,
      service: nodeService,
      authority,
      repository: nodeRepository,
      gateways: new GatewayRepository(core.db),
    }),
    gatewayKeyRoutes({ keys: core.gatewayKeys, nodes }),
    storeRoutes({ stores: storeService, nodes }),
    ...core.people.routes,
    ...core.rights.routes,
  ]
}

/** A wrong one would be found out about by the first request only. */
function checkProxies(proxies: readonly string[] | undefined): readonly string[] | undefined {
  const wrong = proxies?.find((text) => {
    const [address = '', bits, ...more] = text.split('/')
    const most = isIP(address) === 4 ? 32 : 128
    return isIP(address) === 0 || more.length > 0 || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  })
  if (wrong !== undefined)
    throw new Fault('CONFIG_INVALID', { at: `--trusted-proxies: "${wrong}" is no address and no network such as 10.0.0.0/8.` })
  return proxies
}

function ownDatabase(url: string | undefined): () => { readonly connectionString: string } {
  const parsed = url !== undefined && URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'postgres:' && parsed?.protocol !== 'postgresql:')
    throw new Fault('CONFIG_INVALID', { at: '--database-url must be postgres://USER:PASSWORD@HOST:PORT/DATABASE.' })
  const connectionString = parsed.href
  return () => ({ connectionString })
}

function checkUrl(url: string | undefined, flag: string): string | undefined {
  if (url === undefined) return undefined
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:')
    throw new Fault('CONFIG_INVALID', { at: `${flag} must begin with http:// or https://.` })
  return parsed.href.replace(/\/$/, '')
}
