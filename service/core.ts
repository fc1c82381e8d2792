/** The parts that everything else of the service stands on: database, people, gateways, nodes, stores. */
import { join } from 'node:path'
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import { AuditLog } from './audit/audit-log.ts'
import { AuditNotes } from './audit/audit-notes.ts'
import { AuditRepository } from './audit/audit-repository.ts'
import type { Database } from './db/database.ts'
import { GatewayKeyService } from './gateways/gateway-key-service.ts'
import { GatewayService } from './gateways/gateway-service.ts'
import type { Doorkeeper } from './http/needs.ts'
import { createMetrics } from './http/plain-routes.ts'
import { Authority } from './nodes/authority.ts'
import { DispatcherLeases } from './nodes/dispatcher-leases.ts'
import { NodeDirectory } from './nodes/node-directory.ts'
import { NodeJoins } from './nodes/node-joins.ts'
import { NodeProofs } from './nodes/node-proofs.ts'
import { NodeRepository } from './nodes/node-repository.ts'
import { NodeService } from './nodes/node-service.ts'
import { buildPeople } from './people/people-parts.ts'
import { Callers } from './rights/callers.ts'
import { buildRights } from './rights/rights-parts.ts'
import { StoreDirectory } from './stores/store-directory.ts'
import { StoreRepository } from './stores/store-repository.ts'
import { StoreService } from './stores/store-service.ts'
import { TokenRepository } from './tokens/token-repository.ts'
import { WrongTokens } from './tokens/wrong-tokens.ts'

export interface Surroundings {
  /** How people reach the service; known once it listens. */
  readonly publicUrl: () => string
  /** A file of the data folder. */
  readonly file: (name: string) => string
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
}

export type Core = ReturnType<typeof buildCore>

export function buildCore(database: Database, { log, clock, random, publicUrl, file }: Surroundings) {
  const { db } = database
  const audit = new AuditLog(db)
  const auditRows = new AuditRepository(db)
  const notes = new AuditNotes({ audit, rows: auditRows, clock, log })
  const callers = new Callers(db)
  const tokenRepository = new TokenRepository(db)
  const nodeRepository = new NodeRepository(db)
  const leases = new DispatcherLeases(db)
  const nodes = new NodeDirectory({ rows: nodeRepository, clock, log })
  const nodeService = new NodeService({ db, nodes, audit })
  const gateways = new GatewayService({ db, nodes, audit, random })
  const gatewayKeys = new GatewayKeyService({ db, nodes, audit, onSwitched: () => stores.forgetAll() })
  const authority = new Authority({ db, clock, random })
  const joins = new NodeJoins({ db, nodes, authority, audit, clock, random })
  const proofs = new NodeProofs({ nodes, wasDeleted: (id) => nodeRepository.wasDeleted(id), clock })
  const stores = new StoreDirectory({ stores: new StoreRepository(db), clock })
  const rights = buildRights({ db, tokenRepository, callers, nodes, stores, audit, clock, random })
  const { tokens, places } = rights
  const storeService = new StoreService({ db, directory: stores, nodes, connectors: CONNECTORS, audit, random })
  const metrics = createMetrics(nodes)
  const secrets = { env: process.env, file: (name: string) => file(join('secrets', name)) }
  const people = buildPeople({ db, audit, tokens, callers, secrets, publicUrl, log, clock, random })
  const wrongTokens = new WrongTokens(clock)
  const doorkeeper: Doorkeeper = {
    caller: (authorization, browser, address) =>
      wrongTokens.watch(authorization ?? browser?.headers.cookie ?? '', address, () => people.credentials.caller(authorization, browser)),
    check: (caller, permission, place) => places.check(caller, permission, place),
    node: (authorization, method, path, address) => proofs.verify(authorization, method, path, address),
  }
  return {
    database,
    db,
    log,
    clock,
    random,
    metrics,
    audit,
    auditRows,
    notes,
    doorkeeper,
    tokenRepository,
    tokens,
    callers,
    places,
    rights,
    people,
    gateways,
    gatewayKeys,
    nodes,
    nodeRepository,
    nodeService,
    leases,
    authority,
    joins,
    proofs,
    stores,
    storeService,
    wrongTokens,
  }
}
