import type { Random } from '@postern/base/random.ts'
import type { Connector } from '@postern/connectors/contract.ts'
import { audienceOf } from '@postern/connectors/contract.ts'
import type { StoreChange } from '@postern/protocol/api/lists.ts'
import { limitsInWords } from '@postern/protocol/api/query-limits.ts'
import type { StoreCreate, StoreView } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type GatewayId, newId, type StoreId } from '@postern/protocol/ids.ts'
import type { NodeStore } from '@postern/protocol/node-api.ts'
import type { Kysely } from 'kysely'
import type { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import { violates } from '../db/errors.ts'
import type { Tables } from '../db/tables.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { Actor } from '../people/actor.ts'
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

  async create(wanted: z.output<typeof StoreCreate>, actor: Actor): Promise<StoreView> {
    const { db, directory, nodes, connectors, audit, random } = this.#parts
    const { name, kind, secrets, sealed, nodeLabels, limits } = wanted
    const connector = connectorOf(connectors, kind)
    const settings = checkSettings(connector, wanted.settings, secrets)
    sealedMatches(sealed, secrets)
    const gateway = nodes.gatewayByName(wanted.gateway)
    if (!gateway) throw new Fault('GATEWAY_UNKNOWN', { at: wanted.gateway })
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
          nodeLabels,
          limits,
        })
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
    directory.forget(name)
    return this.view(row)
  }

  async change(name: string, change: StoreChange, actor: Actor): Promise<StoreView> {
    const { db, directory, connectors, audit } = this.#parts
    const before = await this.#find(name)
    const connector = connectorOf(connectors, before.kind)
    const resealed = change.sealed !== undefined || change.secrets !== undefined
    const secrets = resealed ? (change.secrets ?? []) : before.secrets
    const sealed = resealed ? change.sealed : (before.sealed ?? undefined)
    const settings = checkSettings(connector, change.settings ?? before.settings, secrets)
    sealedMatches(sealed, secrets)
    if (!resealed && sealed !== undefined && movesAudience(connector, before, settings))
      throw new Fault('STORE_SETTINGS_INVALID', { at: 'Where the credential goes has changed: set the credential too.' })
    const row = await db.transaction().execute(async (transaction) => {
      const stores = new StoreRepository(transaction)
      const opensAnew = resealed || change.settings !== undefined
      const opened = opensAnew ? await stores.change(before.id, before.version, { settings, sealed: sealed ?? null, secrets }) : before
      const limited = opened && change.limits ? await stores.limit(before.id, change.limits) : opened
      const changed = limited && change.nodeLabels ? await stores.label(before.id, change.nodeLabels) : limited
      if (!changed)
        throw new Fault('STORE_UNKNOWN', {
          at: `${name} was changed or deleted meanwhile.`,
          remedy: 'Look at it again, and try once more.',
        })
      const details = {
        version: changed.version,
        credential: resealed,
        ...(change.limits ? { limits: limitsInWords(changed.limits) } : {}),
      }
      await audit.record({ ...actor, action: 'store.set', target: `store ${name}`, details }, transaction)
      return changed
    })
    directory.forget(name)
    return this.view(row)
  }

  async delete(name: string, actor: Actor): Promise<void> {
    const { db, directory, audit } = this.#parts
    const { id } = await this.#find(name)
    await db.transaction().execute(async (transaction) => {
      if (!(await new StoreRepository(transaction).delete(id))) throw new Fault('STORE_UNKNOWN', { at: name })
      await audit.record({ ...actor, action: 'store.delete', target: `store ${name}` }, transaction)
    })
    directory.forget(name)
  }

  async show(name: string): Promise<StoreView> {
    return this.view(await this.#find(name))
  }

  async page(after: string, count: number): Promise<StoreRow[]> {
    return await new StoreRepository(this.#parts.db).page(after, count)
  }

  /** For a node, which sees the stores of its own gateway only. */
  async forNode(id: StoreId, gatewayId: GatewayId): Promise<NodeStore> {
    const store = await new StoreRepository(this.#parts.db).find(id)
    if (!store || store.gatewayId !== gatewayId) throw new Fault('STORE_UNKNOWN', { at: id })
    const { name, version, kind, settings, sealed } = store
    return { id, name, version, gatewayId, kind, settings, sealed }
  }

  view(row: StoreRow): StoreView {
    const { id, name, kind, version, settings, secrets, nodeLabels, limits } = row
    const gateway = this.#parts.nodes.gateway(row.gatewayId)?.name ?? row.gatewayId
    const times = { createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() }
    return { id, name, gateway, kind, version, settings, secrets: [...secrets], nodeLabels, limits, ...times }
  }

  async #find(name: string): Promise<StoreRow> {
    const store = await new StoreRepository(this.#parts.db).findByName(name)
    if (!store) throw new Fault('STORE_UNKNOWN', { at: name })
    return store
  }
}

function sealedMatches(sealed: string | undefined, secrets: readonly string[]): void {
  if (sealed === undefined && secrets.length > 0) throw new Fault('INPUT_INVALID', { at: 'sealed: is missing, though secrets are named.' })
  if (sealed !== undefined && secrets.length === 0) throw new Fault('INPUT_INVALID', { at: 'secrets: must name what is in sealed.' })
  if (sealed !== undefined && !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(sealed))
    throw new Fault('INPUT_INVALID', { at: 'sealed: must be two base64url texts joined by ".".' })
}

/** A credential is sealed for host and port: with others no node could open it. */
function movesAudience(connector: Connector, before: StoreRow, settings: StoreRow['settings']): boolean {
  return JSON.stringify(audienceOf(connector, before.settings)) !== JSON.stringify(audienceOf(connector, settings))
}
