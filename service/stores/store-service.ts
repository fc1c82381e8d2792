import type { Random } from '@postern/base/random.ts'
import type { Connector } from '@postern/connectors/contract.ts'
import { audienceOf } from '@postern/connectors/contract.ts'
import type { StoreChange } from '@postern/protocol/api/lists.ts'
import { limitsInWords } from '@postern/protocol/api/query-limits.ts'
import type { StoreCreate, StoreView } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type GatewayId, type GrantId, newId, type StoreId } from '@postern/protocol/ids.ts'
import { MOST_STORES, type NodeStore, type StoresAnswer, type StoresAsked } from '@postern/protocol/node-api.ts'
import { storesNews, within } from '@postern/protocol/stores-news.ts'
import type { Kysely } from 'kysely'
import type { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Db } from '../db/database.ts'
import { violates } from '../db/errors.ts'
import type { Tables } from '../db/tables.ts'
import { GatewayRepository } from '../gateways/gateway-repository.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { GatewayFacts } from '../nodes/node-facts.ts'
import type { Actor, By } from '../rights/actor.ts'
import { type Caller, hidden, notAllowed } from '../rights/caller.ts'
import { GrantRepository } from '../rights/grant-repository.ts'
import type { StoreDirectory } from './store-directory.ts'
import { StoreRepository, type StoreRow } from './store-repository.ts'
import { checkSettings, connectorOf } from './store-settings.ts'

export interface StoreServiceParts {
  readonly db: Kysely<Tables>
  readonly directory: StoreDirectory
  readonly nodes: NodeDirectory
  readonly connectors: ReadonlyMap<string, Connector>
  readonly audit: AuditLog
  readonly random: Random
}

/** What people do with stores. */
export class StoreService {
  readonly #parts: StoreServiceParts

  constructor(parts: StoreServiceParts) {
    this.#parts = parts
  }

  /** Needs `stores:create` on the gateway. Who may change stores there only because they are his own, owns this one. */
  async create(wanted: z.output<typeof StoreCreate>, { caller, actor }: By): Promise<StoreView> {
    const { db, connectors, audit, random } = this.#parts
    const { name, kind, secrets, sealed, nodeLabels, limits } = wanted
    const gateway = this.#gatewayFor(wanted.gateway, caller)
    const connector = connectorOf(connectors, kind)
    const settings = checkSettings(connector, wanted.settings, secrets)
    sealedMatches(sealed, secrets)
    if (sealed !== undefined && gateway.publicKey === null) throw new Fault('GATEWAY_KEY_MISSING', { at: gateway.name })
    const id = newId<StoreId>('sto', (count) => random.bytes(count))
    const row = await db
      .transaction()
      .execute(async (transaction) => {
        const stores = new StoreRepository(transaction)
        const added = await stores.add({
          id,
          name,
          gatewayId: gateway.id,
          kind,
          settings,
          sealed: sealed ?? null,
          secrets,
          secretsVersion: wanted.secretsVersion ?? null,
          nodeLabels,
          limits,
        })
        await sealedToday(wanted.sealedTo, gateway.id, transaction)
        if (!caller.may('stores:write', { gateway: gateway.id })) await this.#own(id, { caller, actor }, transaction)
        await audit.record(
          { ...actor, action: 'store.create', target: `store ${name}`, details: { kind, gateway: gateway.name } },
          transaction,
        )
        return added
      })
      .catch((cause: unknown) => {
        if (violates(cause, 'store_name_unique')) throw new Fault('STORE_EXISTS', { at: name })
        if (violates(cause, 'store_gateway')) throw new Fault('GATEWAY_UNKNOWN', { at: wanted.gateway })
        throw cause
      })
    await this.#changed(row.gatewayId, name)
    return this.view(row)
  }

  async change(name: string, change: StoreChange, actor: Actor): Promise<StoreView> {
    const { db, connectors, audit } = this.#parts
    const before = await this.#find(name)
    const connector = connectorOf(connectors, before.kind)
    const resealed = change.sealed !== undefined || change.secrets !== undefined
    const secrets = resealed ? (change.secrets ?? []) : before.secrets
    const sealed = resealed ? change.sealed : (before.sealed ?? undefined)
    // A credential that is set by hand is not the one of the file any more.
    const secretsVersion = resealed ? (change.secretsVersion ?? null) : before.secretsVersion
    const settings = checkSettings(connector, change.settings ?? before.settings, secrets)
    sealedMatches(sealed, secrets)
    if (!resealed && sealed !== undefined && movesAudience(connector, before, settings))
      throw new Fault('STORE_SETTINGS_INVALID', { at: 'Where the credential goes has changed: set the credential too.' })
    const row = await db.transaction().execute(async (transaction) => {
      const stores = new StoreRepository(transaction)
      const opensAnew = resealed || change.settings !== undefined
      const credential = { sealed: sealed ?? null, secrets, secretsVersion }
      const opened = opensAnew ? await stores.change(before.id, before.version, { settings, ...credential }) : before
      const limited = opened && change.limits ? await stores.limit(before.id, change.limits) : opened
      const changed = limited && change.nodeLabels ? await stores.label(before.id, change.nodeLabels) : limited
      if (!changed)
        throw new Fault('STORE_UNKNOWN', {
          at: `${name} was changed or deleted meanwhile.`,
          remedy: 'Look at it again, and try once more.',
        })
      if (resealed) await sealedToday(change.sealedTo, changed.gatewayId, transaction)
      const details = {
        version: changed.version,
        credential: resealed,
        ...(change.limits ? { limits: limitsInWords(changed.limits) } : {}),
      }
      await audit.record({ ...actor, action: 'store.set', target: `store ${name}`, details }, transaction)
      return changed
    })
    await this.#changed(row.gatewayId, name)
    return this.view(row)
  }

  async delete(name: string, actor: Actor): Promise<void> {
    const { db, audit } = this.#parts
    const { id, gatewayId } = await this.#find(name)
    await db.transaction().execute(async (transaction) => {
      if (!(await new StoreRepository(transaction).delete(id))) throw new Fault('STORE_UNKNOWN', { at: name })
      await audit.record({ ...actor, action: 'store.delete', target: `store ${name}`, gatewayId }, transaction)
    })
    await this.#changed(gatewayId, name)
  }

  async #own(store: StoreId, { caller, actor }: By, db: Db): Promise<void> {
    const id = newId<GrantId>('gra', (count) => this.#parts.random.bytes(count))
    const grant = { id, principalId: caller.principal, role: 'store-owner', gatewayId: null, storeId: store, createdBy: actor.who } as const
    await new GrantRepository(db).add(grant)
  }

  /** Fails with NOT_ALLOWED; with GATEWAY_UNKNOWN also where the caller may not see it. */
  #gatewayFor(name: string, caller: Caller): GatewayFacts {
    const gateway = this.#parts.nodes.gatewayByName(name)
    if (!gateway) throw new Fault('GATEWAY_UNKNOWN', { at: name })
    const place = { gateway: gateway.id, name: `gateway ${name}` }
    if (caller.may('stores:create', place)) return gateway
    throw caller.may('gateways:read', place)
      ? notAllowed(caller, 'stores:create', place)
      : hidden(new Fault('GATEWAY_UNKNOWN', { at: name }))
  }

  async show(name: string): Promise<StoreView> {
    return this.view(await this.#find(name))
  }

  /** Those that the caller may see. */
  async page(after: string, count: number, caller: Caller): Promise<StoreRow[]> {
    return await new StoreRepository(this.#parts.db).page(after, count, caller.sees('stores:read'))
  }

  /** For a node, which sees the stores of its own gateway only. */
  async forNode(id: StoreId, gatewayId: GatewayId): Promise<NodeStore> {
    const store = await new StoreRepository(this.#parts.db).find(id)
    if (!store || store.gatewayId !== gatewayId) throw new Fault('STORE_UNKNOWN', { at: id })
    return nodeStore(store)
  }

  /** What is new to a node of the gateway, as much as one answer has room for. */
  async newsForNode({ known, only }: StoresAsked, gatewayId: GatewayId): Promise<StoresAnswer> {
    const stores = new StoreRepository(this.#parts.db)
    // Before the stores are read: what changes meanwhile is then sent twice, not missed.
    const version = await stores.versionOf(gatewayId)
    const versions = await stores.versions(gatewayId, MOST_STORES)
    const { wanted, gone } = storesNews(versions, { known, only })
    const rows = await stores.findAll(wanted.slice(0, NEWS_STORES))
    const fitting = within(rows.filter((row) => row.gatewayId === gatewayId).map(nodeStore), NEWS_BYTES)
    return { version, stores: fitting, gone, more: fitting.length < rows.length || wanted.length > NEWS_STORES }
  }

  view(row: StoreRow): StoreView {
    const { id, name, kind, version, settings, secrets, nodeLabels, limits } = row
    const gateway = this.#parts.nodes.gateway(row.gatewayId)?.name ?? row.gatewayId
    const times = { createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() }
    return {
      id,
      name,
      gateway,
      kind,
      version,
      settings,
      secrets: [...secrets],
      secretsVersion: row.secretsVersion,
      nodeLabels,
      limits,
      ...times,
    }
  }

  /** Nodes fetch it with the next query or the next beat, whichever comes first. */
  async #changed(gatewayId: GatewayId, name: string): Promise<void> {
    const { db, directory, nodes } = this.#parts
    directory.forget(name)
    nodes.storesChanged(gatewayId, await new StoreRepository(db).versionOf(gatewayId))
  }

  async #find(name: string): Promise<StoreRow> {
    const store = await new StoreRepository(this.#parts.db).findByName(name)
    if (!store) throw new Fault('STORE_UNKNOWN', { at: name })
    return store
  }
}

/** Of one answer: the nodes of a gateway with many stores ask again and again. */
const NEWS_STORES = 500
const NEWS_BYTES = 4 << 20

const nodeStore = ({ id, name, version, gatewayId, kind, settings, sealed }: StoreRow): NodeStore => ({
  id,
  name,
  version,
  gatewayId,
  kind,
  settings,
  sealed,
})

function sealedMatches(sealed: string | undefined, secrets: readonly string[]): void {
  if (sealed === undefined && secrets.length > 0) throw new Fault('INPUT_INVALID', { at: 'sealed: is missing, though secrets are named.' })
  if (sealed !== undefined && secrets.length === 0) throw new Fault('INPUT_INVALID', { at: 'secrets: must name what is in sealed.' })
  if (sealed !== undefined && !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(sealed))
    throw new Fault('INPUT_INVALID', { at: 'sealed: must be two base64url texts joined by ".".' })
}

/** After the write, which has locked the gateway: its key is not rotated between this look and the end of the transaction. */
async function sealedToday(sealedTo: string | undefined, gatewayId: GatewayId, db: Db): Promise<void> {
  if (sealedTo === undefined) return
  const gateway = await new GatewayRepository(db).find(gatewayId)
  if (gateway?.publicKey !== sealedTo) throw new Fault('GATEWAY_KEY_ROTATED')
}

/** A credential is sealed for host and port: with others no node could open it. */
function movesAudience(connector: Connector, before: StoreRow, settings: StoreRow['settings']): boolean {
  return JSON.stringify(audienceOf(connector, before.settings)) !== JSON.stringify(audienceOf(connector, settings))
}
