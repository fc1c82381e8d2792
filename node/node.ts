import { join } from 'node:path'
import type { Clock } from '@postern/base/clock.ts'
import { HostGuard } from '@postern/base/host-guard.ts'
import { type Component, Lifecycle } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { LogRing } from '@postern/base/log-ring.ts'
import type { Random } from '@postern/base/random.ts'
import { VERSION } from '@postern/base/version.ts'
import type { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { NODE_PATHS, SERVICE_PATHS } from '@postern/protocol/link.ts'
import type { TaskOrder } from '@postern/protocol/task-api.ts'
import { answer, type Route, Router } from './app/router.ts'
import { AppliedSettings } from './beat/applied-settings.ts'
import { Beat } from './beat/beat.ts'
import { BeatLine } from './beat/beat-line.ts'
import { Grace } from './beat/grace.ts'
import { channelAddress, obeyBeat } from './beat/obey.ts'
import { BridgeDoor } from './bridge/bridge-door.ts'
import { Dialler } from './calls/dialler.ts'
import type { Environment } from './calls/proxy.ts'
import { ServiceClient } from './calls/service-client.ts'
import { parseServiceUrl } from './calls/service-url.ts'
import { NodeChannel } from './channel/node-channel.ts'
import type { CertificatePaths } from './channel/own-certificate.ts'
import type { ConsoleWish } from './console/console-desk.ts'
import { consoleParts } from './console/console-parts.ts'
import { nodeStatus } from './console/node-status.ts'
import { RecoveryLook } from './console/recovery-look.ts'
import { Dispatcher } from './dispatch/dispatcher.ts'
import { CertificateKeeper } from './identity/certificate-keeper.ts'
import { Identity } from './identity/identity.ts'
import { Links } from './link/links.ts'
import { Machine } from './metrics/machine.ts'
import { Usage } from './metrics/usage.ts'
import { QueryRunner } from './queries/query-runner.ts'
import { References } from './references/references.ts'
import { VaultTokenKeeper } from './references/vault-token-keeper.ts'
import { DataFolder } from './state/data-folder.ts'
import { StaleCredentials } from './stores/stale-credentials.ts'
import { StoreBook } from './stores/store-book.ts'
import { storeRoutes } from './stores/store-routes.ts'
import { StoreSessions } from './stores/store-sessions.ts'
import { StoreSync } from './stores/store-sync.ts'
import { HandOverDoor } from './vault/hand-over-door.ts'
import { KeyKeeper } from './vault/key-keeper.ts'
import { KeyRotation } from './vault/rotation.ts'
import { VaultFiles } from './vault/vault-file.ts'
import { DataDialler } from './wire/data-dialler.ts'
import { WireRunner } from './wire/wire-runner.ts'
import { SharedPlaces } from './work/shared-places.ts'
import { Worker } from './work/worker.ts'

export interface NodeOptions {
  readonly data: string
  /** 0 = any free port. */
  readonly channelPort: number
  /** Where other nodes find this one; the address it reaches the service from when left out. */
  readonly channelHost?: string | undefined
  /** The user's own certificate for the channel; `channel/` of the data folder when left out. */
  readonly channelCertificate?: CertificatePaths | undefined
  /** False: it gives the gateway's key to no node that comes with an authentication key. */
  readonly handOver?: boolean | undefined
  /** Where stores may refer to files; `secrets/` of the data folder when left out. */
  readonly secretsFolder?: string | undefined
  /** The configuration manager, on 127.0.0.1; none when left out. */
  readonly consolePort?: number | undefined
  readonly console?: {
    /** The built page; left out: only what programs ask. */
    readonly pages?: string
    /** The newest lines of `log`. */
    readonly lines?: LogRing
    /** What became of a wish before this start, where it did not work. */
    readonly notice?: string | undefined
  }
  /** Names, addresses and networks that stores may be at although they are link-local, or a cloud's own. */
  readonly allowHosts?: readonly string[] | undefined
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  /** What it says that it runs; the program's own version when left out. */
  readonly version?: string
  /** Where HTTPS_PROXY and NO_PROXY are read; the process's own when left out. */
  readonly environment?: Environment
}

export interface RunningNode {
  readonly name: string
  readonly gateway: string
  readonly nodeId: NodeId
  readonly channelPort: number
  /** Resolves, once all is stopped, when the node was deleted from its gateway. */
  readonly ended: Promise<Fault>
  /** Resolves when somebody at the console wants the process to do something: who started the node does it. */
  readonly wished: Promise<ConsoleWish>
  /** Takes no new work and finishes what it has; settles soon after the deadline. */
  drain(deadline: AbortSignal): Promise<void>
  /** Drains until the deadline (left out: not at all), says goodbye, stops. The same promise for every caller. */
  stop(deadline?: AbortSignal): Promise<void>
}

/** Starts the node that lives in `data`. A service that is away is no failure: the node goes on asking for it. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const folder = await DataFolder.open(options.data)
  try {
    const node = await assemble(options, folder)
    await node.lifecycle.start()
    const { name, gateway, nodeId } = folder.joined()
    return {
      name,
      gateway,
      nodeId,
      channelPort: node.channelPort(),
      drain: node.drain,
      ended: node.ended,
      wished: node.wished,
      stop: (deadline) => node.lifecycle.stop(deadline),
    }
  } catch (cause) {
    await folder[Symbol.asyncDispose]()
    throw cause
  }
}

/** The parts list: the only place where `new` meets `new`. */
async function assemble(options: NodeOptions, folder: DataFolder) {
  const { log, clock, random } = options
  const base = { log, clock, random }
  const joined = folder.joined()
  const { nodeId, gatewayId } = joined
  const onLoopback = (host: string) => log.info({ host }, 'a store leads to this machine itself')
  const hosts = new HostGuard({ allowed: options.allowHosts ?? [], onLoopback })

  const { environment = process.env } = options
  const proxyUrl = () => folder.joined().proxyUrl
  const dialler = new Dialler({ target: parseServiceUrl(joined.url), environment, proxyUrl })
  const self = { nodeId, gatewayId, identity: Identity.parse(joined.identity) }
  const service = new ServiceClient({ dialler, clock, signer: self })
  const files = new VaultFiles({ folder: folder.vault, secret: joined.secret, random })
  const keys = new KeyKeeper({ files, service, self, clock, log })
  await keys.load()

  const channel = new NodeChannel({ ...base, self, folder, port: options.channelPort, certificate: options.channelCertificate })
  await channel.own.load()
  const { peers, client } = channel
  const book = new StoreBook({ files, service, others: (ref, signal) => sync.fromOthers(ref, signal), clock })
  await book.load()
  const sync: StoreSync = new StoreSync({ ...base, self: nodeId, book, service, channel: client, peers: () => peers.all })
  const shelf = { book, key: () => keys.key }
  const stale = new StaleCredentials({ ...base, ...shelf })
  const vaultToken = new VaultTokenKeeper({ ...base, environment })
  const stores = new StoreSessions({
    ...base,
    ...shelf,
    stale,
    references: new References({
      environment,
      folder: options.secretsFolder ?? join(folder.path, 'secrets'),
      nodeName: () => folder.joined().name,
      whyOver: () => vaultToken.reason,
      clock,
    }),
    scratch: folder.scratch,
    hosts,
    copying: () => worker.copying,
  })
  const queries = new QueryRunner({ stores, log })
  const passes = () => folder.joined().transport !== 'websocket'
  const wire = new WireRunner({ stores, hosts, data: new DataDialler({ dialler, service, passes, clock, log }), log })
  const loadEngine = async () => {
    const [{ Engine }, { Bridge }] = await Promise.all([import('@postern/engine/engine.ts'), import('./bridge/bridge.ts')])
    const bridge = new Bridge({ service, clock })
    return new Engine({ clock, log, open: (ref, signal, order) => bridge.open(ref, order) ?? stores.open(ref, signal) })
  }
  const checkPlaces: SharedPlaces['check'] = (order, signal) => places.check(order, signal)
  // A node that has just joined would fail what another one can do.
  const refuses = ({ source, sink, rejects }: TaskOrder) =>
    keys.key ? stale.refuses([source.remote ? undefined : source, sink, rejects]) : "it does not have the gateway's key yet"
  const worker: Worker = new Worker({ ...base, service, loadEngine, checkPlaces, refuses })
  const bridge = new BridgeDoor({ stores, key: () => keys.key, limit: () => worker.limit, clock, log })
  const ping: Route = { doors: ['link', 'channel'], handle: async ({ stream }) => answer(stream) }
  const handOver = new HandOverDoor({ ...base, self, keys, service, byAuthKey: options.handOver })
  const line = new BeatLine({ clock })
  const answered = { ...line.routes, ...storeRoutes({ stores, clock }), ...worker.routes, ...handOver.routes, [NODE_PATHS.ping]: ping }
  const routes = { ...queries.routes, ...wire.routes, ...bridge.routes, ...answered }
  const places = new SharedPlaces({ stores, channel: client, peers: () => peers.all, clock, log })
  const rotation = new KeyRotation({ ...base, self, keys, service, channel: client, peers: () => peers.all })
  const router = new Router({ routes: { ...routes, ...rotation.routes, ...places.routes, ...sync.routes }, log })

  const channelServer = channel.serve(router)
  const dispatcher = new Dispatcher({ ...base, self: nodeId, service, channel: client, peers, worker })
  const certificate = new CertificateKeeper({ ...base, folder, service, onRenewed: () => channel.renew() })
  const remembered = () => folder.joined().transport
  const link = new Links({ ...base, dialler, service, router, remembered, remember: (transport) => folder.update({ transport }) })
  const machine = new Machine({ clock })
  const usage = new Usage({ measure: () => machine.measure(), clock, log })
  const settings = new AppliedSettings({ folder, channel: channel.modes, log })
  const deleted = Promise.withResolvers<Fault>()
  const startedAt = clock.now()
  const beat: Beat = new Beat({
    ...base,
    service,
    line,
    dialling: () => link.dialling,
    version: options.version ?? VERSION,
    usage,
    work: () => ({
      ...channel.facts(channelAddress(options.channelHost ?? dialler.localAddress, channelServer.port)),
      unreachable: [...peers.unreachable],
      runningQueries: queries.running + wire.running,
      running: [...worker.running],
      snapshots: [...worker.snapshots],
      hasGatewayKey: keys.ready,
      draining: worker.draining,
      upgrading: folder.upgrading,
      staleCredentials: stale.count + (sync.behind?.changes ?? 0),
      storesVersion: book.version,
      lacks: stale.lacks,
      settingsTag: settings.tag,
      settingsFault: settings.fault,
    }),
    obey: obeyBeat({ settings, keys, peers, channel, sync, dispatcher, worker, links: link, log }),
    // What answers beats can be dialled: no sense in waiting out a long back-off.
    onRecovered: () => link.wake('the service answers beats again'),
    onDeleted: (fault) => deleted.resolve(fault),
  })
  const endAll = (fault: Fault) => {
    queries.endAll(fault)
    wire.endAll()
    bridge.endAll(fault)
    worker.endAll(fault)
  }
  const grace = new Grace({
    ...base,
    heardAt: () => beat.heardAt,
    linked: () => link.state.at === 'up',
    graceSeconds: () => settings.graceSeconds,
    end: (fault) => {
      worker.cutOff = true
      endAll(fault)
    },
    release: async () => {
      await worker.endSnapshots()
      await stores.letGo()
    },
    resume: () => {
      worker.cutOff = false
    },
  })
  const wish = Promise.withResolvers<ConsoleWish>()
  const recovery = new RecoveryLook({ service, clock })
  const told = { channelHost: options.channelHost, notice: options.console?.notice, startedAt, clock }
  const known = { folder, grace, keys, recovery, book, sync, stale, vaultToken, settings, channel, dialler, link, beat, peers, dispatcher }
  const status = () => nodeStatus({ ...told, ...known, worker, queries })
  const console = await consoleParts(options, { folder, recovery, status, peers, book, stale, stores, wish: wish.resolve })

  const lifecycle = new Lifecycle([
    held('folder', () => folder[Symbol.asyncDispose]()),
    held('calls', async () => service.close()),
    stores,
    stale,
    vaultToken,
    queries,
    wire,
    bridge,
    channel.own,
    channelServer,
    peers,
    sync,
    worker,
    dispatcher,
    link,
    certificate,
    grace,
    ...console,
    usage,
    // Stopped after the beat, or a late one would call the node back to life.
    held('goodbye', () => service.call({ path: SERVICE_PATHS.goodbye, body: {}, timeoutMs: GOODBYE_MS }).catch(() => undefined)),
    beat,
  ])
  const drain = async (deadline: AbortSignal) => {
    await Promise.all([dispatcher.drain(), worker.drain(deadline), queries.drain(deadline), wire.drain(deadline), bridge.drain()])
  }
  /** Nobody is waited for: what runs was started for a gateway that does not know this node any more. */
  const ended = deleted.promise.then(async (fault) => {
    log.warn({ code: fault.code }, 'this node was deleted: it stops')
    endAll(fault)
    await lifecycle.stop().catch((cause: unknown) => log.error({ err: cause }, 'the deleted node did not stop cleanly'))
    return fault
  })
  return { lifecycle, drain, ended, wished: wish.promise, channelPort: () => channelServer.port }
}

/** Nobody waits for an answer to a goodbye. */
const GOODBYE_MS = 2_000

/** Something that is there already and only wants to be let go of. */
function held(name: string, stop: () => Promise<unknown>): Component {
  return { name, start: async () => undefined, stop: async () => void (await stop()) }
}
