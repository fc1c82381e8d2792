/** Links, queries, runs and events: what the service does with its nodes. */
import type { Component } from '@postern/base/lifecycle.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { LINK_PATH } from '@postern/protocol/link.ts'
import { auditRoutes } from './audit/audit-routes.ts'
import { AuditService } from './audit/audit-service.ts'
import { BridgeRepository } from './bridge/bridge-repository.ts'
import { bridgeRoutes } from './bridge/bridge-routes.ts'
import { BridgeService } from './bridge/bridge-service.ts'
import type { Core } from './core.ts'
import { EventBus } from './events/event-bus.ts'
import { EventStreams, eventRoutes } from './events/event-routes.ts'
import { EventSight } from './events/event-sight.ts'
import { NodeNews } from './events/node-news.ts'
import { GatewayRotation } from './gateways/gateway-rotation.ts'
import { gatewayRotationRoutes } from './gateways/gateway-rotation-routes.ts'
import { gatewayRoutes } from './gateways/gateway-routes.ts'
import type { Routes, UpgradeHandler } from './http/http-server.ts'
import { LinkDoor } from './links/link-door.ts'
import { LinkRegistry } from './links/link-registry.ts'
import type { BeatListener } from './nodes/beat-listener.ts'
import { Admission } from './queries/admission.ts'
import { NodeHealth } from './queries/node-health.ts'
import { QueryLog } from './queries/query-log.ts'
import { QueryMetrics } from './queries/query-metrics.ts'
import { QueryRepository } from './queries/query-repository.ts'
import { QueryRights } from './queries/query-rights.ts'
import { queryRoutes } from './queries/query-routes.ts'
import { QueryService } from './queries/query-service.ts'
import { ReplicaDoor } from './replicas/replica-door.ts'
import { ReplicaLoads } from './replicas/replica-loads.ts'
import { REPLICA_LINK_PATH } from './replicas/replica-news.ts'
import { ReplicaRepository } from './replicas/replica-repository.ts'
import { Replicas } from './replicas/replicas.ts'
import { ActingCallers } from './runs/acting-callers.ts'
import { DispatchService } from './runs/dispatch-service.ts'
import { QueueLengths } from './runs/queue-lengths.ts'
import { ReportService } from './runs/report-service.ts'
import { RunBeats } from './runs/run-beats.ts'
import { RunNews } from './runs/run-news.ts'
import { runNodeRoutes } from './runs/run-node-routes.ts'
import { RunRepository } from './runs/run-repository.ts'
import { RunRights } from './runs/run-rights.ts'
import { runRoutes } from './runs/run-routes.ts'
import { RunService } from './runs/run-service.ts'
import { RunSweeper } from './runs/run-sweeper.ts'
import { TaskLimitBook } from './runs/task-limits.ts'
import { TaskQueue } from './runs/task-queue.ts'
import { TaskSignal } from './runs/task-signal.ts'
import { storeProbeRoutes } from './stores/store-probe-routes.ts'
import { StoreProbe } from './stores/store-probe-service.ts'
import { buildWire, type WireOptions } from './wire/wire-parts.ts'

export interface WorkOptions {
  readonly wire: WireOptions | undefined
  /** Where other replicas reach this one; known once it listens. */
  readonly replicaUrl: () => string
  /** Who answers the beats that come by a node's link. */
  readonly beats: (nodeId: NodeId) => (line: string) => string | Promise<string>
}

export interface Work {
  /** Started once the door is open: others come in by it. */
  readonly replicas: Replicas
  /** Started in this order, before the door opens. */
  readonly parts: readonly Component[]
  readonly routes: readonly Routes[]
  readonly upgrades: readonly (readonly [path: string | RegExp, handler: UpgradeHandler])[]
  readonly beatListener: BeatListener
  /** Where the PostgreSQL wire listens, once started. */
  readonly postgresPort: () => number | undefined
}

export function buildWork(core: Core, options: WorkOptions): Work {
  const { clock, random, log, nodes, doorkeeper, stores } = core
  const events = new EventBus()
  const signal = new TaskSignal()
  const loads = new ReplicaLoads(clock)
  const admission = new Admission(loads)
  const replicas = new Replicas({
    rows: new ReplicaRepository(core.db),
    nodes,
    url: options.replicaUrl,
    loads,
    freed: (gateway) => admission.wake(gateway),
    signal,
    clock,
    random,
    log,
  })
  const links = new LinkRegistry({ listener: nodes, elsewhere: (node) => replicas.reach(node), beats: options.beats, clock, log })
  const door = new LinkDoor({ replica: replicas.id, links, doorkeeper, log })
  const health = new NodeHealth(clock)
  const findStore = (name: string) => stores.byName(name)

  const queryLog = new QueryLog({ queries: new QueryRepository(core.db), gateways: () => nodes.gateways(), clock, log })
  const queryRights = new QueryRights({ notes: core.notes, clock, log })
  const queries = new QueryService({
    findStore,
    nodes,
    links,
    admission,
    health,
    queries: queryLog,
    metrics: new QueryMetrics(core.metrics, queryLog),
    rights: queryRights,
    events,
    clock,
    random,
    log,
  })
  const probe = new StoreProbe({ findStore, nodes, links, clock, random })
  const runs = buildRuns(core, { events, links, signal })
  const bridge = new BridgeService({ rows: new BridgeRepository(core.db), nodes, links, health, random, log })
  const streams = new EventStreams(events)
  const runEnds = new RunRepository(core.db)
  const sight = new EventSight({ gateway: (name) => nodes.gatewayByName(name), store: findStore, run: (id) => runEnds.ends(id) })
  const wire = buildWire(core, { links, admission, health, replicas, replicaUrl: options.replicaUrl, options: options.wire })
  const { id: self, known, meet, follow } = replicas
  const replicaDoor = new ReplicaDoor({ self, known, meet, links, follow, calls: wire.calls, clock, log })

  return {
    replicas,
    // Drained backwards: who waits for something is let go before the links are.
    parts: [
      queryLog,
      queryRights,
      runs.sweeper,
      new NodeNews({ nodes, events, admission, health, links }),
      replicaDoor,
      links,
      door,
      ...wire.parts,
      runs.dispatch,
      streams,
    ],
    routes: [
      gatewayRoutes({ gateways: core.gateways, nodes, queues: runs.queues }),
      gatewayRotationRoutes(new GatewayRotation({ db: core.db, nodes, links, audit: core.audit })),
      queryRoutes({ service: queries, queries: queryLog, doorkeeper }),
      storeProbeRoutes({ probe }),
      runRoutes({ runs: runs.service, audit: core.audit }),
      runNodeRoutes({ dispatch: runs.dispatch, reports: runs.reports }),
      bridgeRoutes({ bridge }),
      eventRoutes({ streams, sight, doorkeeper }),
      ...wire.routes,
      auditRoutes(new AuditService({ db: core.db, audit: core.audit, notes: core.notes, rows: core.auditRows, queries: queryLog })),
    ],
    upgrades: [[LINK_PATH, door.handler], [REPLICA_LINK_PATH, replicaDoor.handler], ...wire.upgrades],
    postgresPort: wire.port,
    beatListener: runs.beats,
  }
}

function buildRuns(
  core: Core,
  { events, links, signal }: { readonly events: EventBus; readonly links: LinkRegistry; readonly signal: TaskSignal },
) {
  const { db, clock, random, log, nodes, stores } = core
  const repository = new RunRepository(db)
  const news = new RunNews({ events, signal, tasksOf: (run) => repository.tasks(run), clock })
  const service = new RunService({ db, findStore: (name) => stores.byName(name), nodes, news, random })
  const limits = new TaskLimitBook(db, clock)
  const acting = new ActingCallers({ callers: core.callers, tokens: core.tokenRepository })
  const rights = new RunRights({ db, runs: service, acting, audit: core.audit, clock, log })
  const queues = new QueueLengths(new TaskQueue(db), nodes, core.metrics)
  return {
    service,
    reports: new ReportService({ db, runs: service, nodes, news, limits }),
    dispatch: new DispatchService({ db, runs: service, nodes, links, signal, limits, clock }),
    queues,
    sweeper: new RunSweeper({ db, runs: service, nodes, signal, queues, rights, clock, log }),
    beats: new RunBeats({ db, nodes }),
  }
}
