import type { Random } from '@postern/base/random.ts'
import type { GrantCreate, GrantView } from '@postern/protocol/api/grants.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type GrantId, newId } from '@postern/protocol/ids.ts'
import type { Kysely } from 'kysely'
import type { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import { violates } from '../db/errors.ts'
import type { Tables } from '../db/tables.ts'
import type { By } from './actor.ts'
import { type Caller, hidden, notAllowed } from './caller.ts'
import { GrantRepository, type GrantRow } from './grant-repository.ts'
import { type AnyRole, ROLES, rolesOn, type Scope } from './permissions.ts'
import type { Places } from './places.ts'
import { Principals } from './principals.ts'
import type { Place } from './rights.ts'

export interface GrantServiceParts {
  readonly db: Kysely<Tables>
  readonly places: Places
  readonly audit: AuditLog
  readonly random: Random
}

export interface GrantsWanted {
  readonly to?: string | undefined
  readonly on?: string | undefined
}

/** Who has which role where. Nobody gives, or takes away, more than he has. */
export class GrantService {
  readonly #parts: GrantServiceParts

  constructor(parts: GrantServiceParts) {
    this.#parts = parts
  }

  async give({ to, role, on }: z.output<typeof GrantCreate>, { caller, actor }: By): Promise<GrantView> {
    const { db, audit, random } = this.#parts
    const place = await this.#placeFor(caller, role, on)
    const principalId = await new Principals(db).find(to)
    const id = newId<GrantId>('gra', (count) => random.bytes(count))
    const grant = {
      id,
      principalId,
      role,
      gatewayId: place.store === undefined ? (place.gateway ?? null) : null,
      storeId: place.store ?? null,
      createdBy: actor.who,
    }
    const row = await db
      .transaction()
      .execute(async (transaction) => {
        const grants = new GrantRepository(transaction)
        if (await grants.add(grant))
          await audit.record({ ...actor, action: 'grant.create', target: on, details: { id, to, role } }, transaction)
        return await grants.same(grant)
      })
      .catch((cause: unknown) => {
        if (violates(cause, 'role_grant_gateway')) throw new Fault('GATEWAY_UNKNOWN', { at: `(${on})` })
        if (violates(cause, 'role_grant_store')) throw new Fault('STORE_UNKNOWN', { at: `(${on})` })
        throw cause
      })
    // Place or principal went away at this very moment.
    if (!row) throw new Fault('GRANT_UNKNOWN', { at: on })
    return viewOf(row)
  }

  /** Those that the caller may see: on what he may give roles on, and his own. */
  async page({ to, on }: GrantsWanted, caller: Caller, after: string, count: number): Promise<GrantRow[]> {
    const { db, places } = this.#parts
    const place = on === undefined ? {} : await places.look(caller, on)
    const principal = to === undefined ? undefined : await new Principals(db).find(to)
    const own = [caller.principal, ...caller.groups]
    return await new GrantRepository(db).page(
      { sees: caller.sees('grants:read'), own, principal, ...(on === undefined ? {} : { on: place }) },
      after,
      count,
    )
  }

  async take(id: GrantId, { caller, actor }: By): Promise<void> {
    const { db, audit } = this.#parts
    const found = await new GrantRepository(db).find(id)
    const unknown = new Fault('GRANT_UNKNOWN', { at: id })
    if (!found) throw unknown
    const place = placeOf(found)
    const own = found.principalId === caller.principal || caller.groups.some((group) => group === found.principalId)
    if (!own && !caller.may('grants:read', place)) throw hidden(unknown)
    checkMayGrant(caller, found.role, place)
    await db.transaction().execute(async (transaction) => {
      if (!(await new GrantRepository(transaction).delete(id))) throw unknown
      const details = { id, to: found.principal ?? found.principalId, role: found.role }
      await audit.record({ ...actor, action: 'grant.delete', target: onOf(found), details }, transaction)
    })
  }

  /** Where a role is to be given: seen by the caller, of the right kind, and the role none that he has not got himself. */
  async #placeFor(caller: Caller, role: AnyRole, on: string): Promise<Place> {
    const { places } = this.#parts
    const scope = scopeOf(on)
    await places.check(caller, 'grants:write', on)
    if (!rolesOn(scope).includes(role))
      throw new Fault('INPUT_INVALID', {
        at: `role: ${role} is given on ${ROLES[role].on.join(' or ')}; on ${scope}: ${rolesOn(scope).join(', ')}.`,
      })
    const place = await places.find(on)
    checkMayGrant(caller, role, place)
    return place
  }
}

/** Nobody gives a role with more in it than he has: rights would leak upwards. */
export function checkMayGrant(caller: Caller, role: AnyRole, place: Place): void {
  caller.need('grants:write', place)
  const missing = caller.lacks(role, place)
  if (missing !== undefined) throw notAllowed(caller, missing, place)
}

export const scopeOf = (on: string): Scope => (on.startsWith('store/') ? 'store' : on.startsWith('gateway/') ? 'gateway' : 'service')

const placeOf = ({ gatewayId, storeId, gateway, store }: GrantRow): Place => ({
  ...(gatewayId ? { gateway: gatewayId, name: `gateway ${gateway}` } : {}),
  ...(storeId ? { store: storeId, name: `store ${store}` } : {}),
})

const onOf = ({ storeId, store, gatewayId, gateway }: GrantRow): string =>
  storeId ? `store/${store}` : gatewayId ? `gateway/${gateway}` : 'service'

export function viewOf(row: GrantRow): GrantView {
  const { id, principal, principalId, role, createdAt, createdBy } = row
  return { id, to: principal ?? principalId, role, on: onOf(row), createdAt: createdAt.toISOString(), createdBy }
}
