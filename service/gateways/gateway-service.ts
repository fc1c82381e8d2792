import type { Random } from '@postern/base/random.ts'
import {
  type GatewayCreated,
  GatewaySettings,
  type GatewayView,
  type KeyRegenerated,
  type SettingsChange,
  type SettingsPatch,
} from '@postern/protocol/api/gateways.ts'
import { makeAuthKey } from '@postern/protocol/auth-key.ts'
import type { AuthKeyPart } from '@postern/protocol/auth-key-part.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type GatewayId, newId } from '@postern/protocol/ids.ts'
import type { Kysely } from 'kysely'
import type { AuditLog } from '../audit/audit-log.ts'
import { violates } from '../db/errors.ts'
import type { Tables } from '../db/tables.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { GatewayFacts } from '../nodes/node-facts.ts'
import { settingsInWords } from '../nodes/node-settings.ts'
import { gatewayView } from '../nodes/node-views.ts'
import type { Actor } from '../rights/actor.ts'
import type { Caller } from '../rights/caller.ts'
import { GatewayRepository, type KeyRow } from './gateway-repository.ts'

export interface GatewayServiceParts {
  readonly db: Kysely<Tables>
  readonly nodes: NodeDirectory
  readonly audit: AuditLog
  readonly random: Random
}

interface Key {
  readonly part: AuthKeyPart
  /** Where the service made it. */
  readonly text?: string
}

interface Creation {
  readonly settings: SettingsChange
  /** Of the caller's own keys; the service makes them when left out. */
  readonly keys?: readonly [AuthKeyPart, AuthKeyPart] | undefined
}

/** What people do with gateways. */
export class GatewayService {
  readonly #parts: GatewayServiceParts

  constructor(parts: GatewayServiceParts) {
    this.#parts = parts
  }

  async create(name: string, { settings, keys }: Creation, actor: Actor): Promise<GatewayCreated> {
    const { db, nodes, audit, random } = this.#parts
    const id = newId<GatewayId>('gw', (count) => random.bytes(count))
    const [first, second] = keys ? keys.map(keptBy) : [await this.#newKey(), await this.#newKey()]
    const row = await db
      .transaction()
      .execute(async (transaction) => {
        const gateways = new GatewayRepository(transaction)
        const added = await gateways.add(id, name, settings)
        if (first) await gateways.putKey(id, 1, first.part)
        if (second) await gateways.putKey(id, 2, second.part)
        await audit.record({ ...actor, action: 'gateway.create', target: `gateway ${name}` }, transaction)
        return added
      })
      .catch((cause: unknown) => {
        throw violates(cause, 'gateway_name_unique') ? new Fault('GATEWAY_EXISTS', { at: name }) : usedKey(cause)
      })
    nodes.putGateway(row)
    return { ...gatewayView(this.find(name), nodes), key1: first?.text, key2: second?.text }
  }

  /** Fails with GATEWAY_UNKNOWN. */
  find(name: string): GatewayFacts {
    const gateway = this.#parts.nodes.gatewayByName(name)
    if (!gateway) throw new Fault('GATEWAY_UNKNOWN', { at: name })
    return gateway
  }

  show(name: string): GatewayView {
    return gatewayView(this.find(name), this.#parts.nodes)
  }

  /** Those that the caller may see, by name, from behind `after`; one more than `count` when there is more. */
  list(after: string, count: number, caller: Caller): readonly GatewayFacts[] {
    const sorted = this.#parts.nodes
      .gateways()
      .filter(({ id, name }) => name > after && caller.may('gateways:read', { gateway: id }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    return sorted.slice(0, count)
  }

  async change(name: string, settings: SettingsPatch, actor: Actor): Promise<GatewayView> {
    const { db, nodes, audit } = this.#parts
    const { id } = this.find(name)
    const row = await db.transaction().execute(async (transaction) => {
      const changed = await new GatewayRepository(transaction).change(id, settings)
      if (!changed) throw new Fault('GATEWAY_UNKNOWN', { at: name })
      GatewaySettings.parse(changed.settings)
      await audit.record({ ...actor, action: 'gateway.set', target: `gateway ${name}`, details: settingsInWords(settings) }, transaction)
      return changed
    })
    nodes.putGateway(row)
    return this.show(name)
  }

  async delete(name: string, actor: Actor): Promise<void> {
    const { db, nodes, audit } = this.#parts
    const { id } = this.find(name)
    await db.transaction().execute(async (transaction) => {
      const gateways = new GatewayRepository(transaction)
      const { nodes: members, stores } = await gateways.contents(id)
      if (members + stores > 0) throw new Fault('GATEWAY_IN_USE', { at: `${name} has ${members} nodes and ${stores} stores.` })
      await gateways.delete(id)
      await audit.record({ ...actor, action: 'gateway.delete', target: `gateway ${name}` }, transaction)
    })
    nodes.dropGateway(id)
  }

  async keys(name: string): Promise<readonly KeyRow[]> {
    return await new GatewayRepository(this.#parts.db).keys(this.find(name).id)
  }

  /** The old key of the slot opens nothing from now on; nodes that joined with it stay. */
  async regenerate(name: string, slot: 1 | 2, given: AuthKeyPart | undefined, actor: Actor): Promise<KeyRegenerated> {
    const { db, audit } = this.#parts
    const { id } = this.find(name)
    const { part, text } = given ? keptBy(given) : await this.#newKey()
    await db
      .transaction()
      .execute(async (transaction) => {
        await new GatewayRepository(transaction).putKey(id, slot, part)
        await audit.record({ ...actor, action: 'gateway.regenerate-key', target: `gateway ${name}`, details: { slot } }, transaction)
      })
      .catch((cause: unknown) => {
        throw violates(cause, 'gateway_key_gateway') ? new Fault('GATEWAY_UNKNOWN', { at: name }) : usedKey(cause)
      })
    return slot === 1 ? { key1: text } : { key2: text }
  }

  #newKey(): Promise<Key> {
    return makeAuthKey((count) => this.#parts.random.bytes(count))
  }
}

/** The caller has it, and nobody else. */
const keptBy = (part: AuthKeyPart): Key => ({ part })

/** A caller that sends the same key twice has a bug, and nobody may learn from it that a key exists. */
const usedKey = (cause: unknown): unknown =>
  violates(cause, 'gateway_key_hash_unique') ? new Fault('INPUT_INVALID', { at: 'proofHash: must be new with each key.' }) : cause
