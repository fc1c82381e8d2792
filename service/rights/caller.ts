import type { QueryLimits } from '@postern/protocol/api/query-limits.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { GroupId, PersonId, TokenId } from '@postern/protocol/ids.ts'
import { type AnyRole, PERMISSIONS, type Permission, ROLES, type Role, rolesOn, SCOPES, type Scope, SERVICE_ROLES } from './permissions.ts'
import { type Place, Rights, type RoleAt, type Where } from './rights.ts'

/** A person or a token, as it was read; with all that was given to it and to its groups. */
export interface Principal {
  readonly id: TokenId | PersonId
  readonly kind: 'token' | 'person'
  /** Shown in queries, runs and the audit. */
  readonly name: string
  /** On the whole service. */
  readonly role: Role
  readonly groups?: readonly GroupId[]
  /** Its own and those of its groups. */
  readonly grants?: readonly RoleAt[]
  /** Of each query. */
  readonly limits?: QueryLimits
  /** Of a person's own token: the person, who it can never do more than. */
  readonly owner?: Principal
  /** Of a person's own token: a role and places that it is kept to; undefined: all that its owner may. */
  readonly keptTo?: { readonly role: Role; readonly roles: readonly RoleAt[] } | undefined
}

/** Who asks. Made by `callerFor`, whichever way it came in, and at most a second old. */
export class Caller {
  readonly id: TokenId | PersonId
  readonly kind: 'token' | 'person'
  readonly name: string
  readonly role: Role
  /** Whose grants it has, and whose runs and queries are its own: the person where it is a person's token. */
  readonly principal: TokenId | PersonId
  /** Where it is one, or a token of one. */
  readonly person: PersonId | undefined
  readonly groups: readonly GroupId[]
  readonly limits: QueryLimits
  readonly #rights: Rights
  /** Of a token that is kept to less than its owner may. */
  readonly #bounds: Rights | undefined

  constructor({ id, kind, name, role, groups = [], grants = [], limits = {}, owner, keptTo }: Principal) {
    this.id = id
    this.kind = kind
    this.name = name
    this.role = owner ? lower(owner.role, keptTo?.role ?? owner.role) : role
    this.principal = owner?.id ?? id
    this.person = owner || kind === 'person' ? (this.principal as PersonId) : undefined
    this.groups = owner?.groups ?? groups
    this.limits = limits
    this.#rights = owner ? new Rights(owner.role, owner.grants) : new Rights(role, grants)
    this.#bounds = owner && keptTo ? new Rights(keptTo.role, keptTo.roles) : undefined
  }

  /** Without a place: on the whole service. */
  may(permission: Permission, on?: Place): boolean {
    return this.#rights.may(permission, on) && (this.#bounds === undefined || this.#bounds.may(permission, on))
  }

  /** Fails with NOT_ALLOWED. */
  need(permission: Permission, on?: Place): void {
    if (!this.may(permission, on)) throw notAllowed(this, permission, on)
  }

  /** What the role allows there and it may not itself; undefined where it may all of it. */
  lacks(role: AnyRole, on?: Place): Permission | undefined {
    return [...ROLES[role].may].find((permission) => reaches(permission, on) && !this.may(permission, on))
  }

  /** Whether it may give this role there: nobody gives more than he has. */
  mayGrant(role: AnyRole, on?: Place): boolean {
    return this.may('grants:write', on) && this.lacks(role, on) === undefined
  }

  /** Its own run or query, by the principal that is kept with it. A token that is kept to some places sees what is there only. */
  owns(principal: string | null): boolean {
    return this.#bounds === undefined && principal === this.principal
  }

  /** Where it has roles, or is kept to. */
  places(): Where {
    const [own, kept] = [this.#rights.places(), this.#bounds?.places()]
    return {
      gateways: [...new Set([...own.gateways, ...(kept?.gateways ?? [])])],
      stores: [...new Set([...own.stores, ...(kept?.stores ?? [])])],
    }
  }

  /** For lists in SQL: all of these must hold for what is shown; none where everything may be seen. */
  sees(permission: Permission): readonly Where[] {
    return [this.#rights, ...(this.#bounds ? [this.#bounds] : [])]
      .filter((rights) => !rights.may(permission))
      .map((rights) => rights.where(permission))
  }
}

function lower(one: Role, other: Role): Role {
  return SERVICE_ROLES.indexOf(one) < SERVICE_ROLES.indexOf(other) ? one : other
}

/** A role on a store allows nothing that is had on gateways only. */
function reaches(permission: Permission, on: Place = {}): boolean {
  const widest = on.store !== undefined ? 'store' : on.gateway !== undefined ? 'gateway' : 'service'
  return SCOPES.indexOf(PERMISSIONS[permission].on) >= SCOPES.indexOf(widest)
}

/** Names the permission, and who can give it. */
export function notAllowed(caller: Pick<Caller, 'name'>, permission: Permission, { gateway, store, name }: Place = {}): Fault {
  const scope: Scope = store !== undefined ? 'store' : gateway !== undefined ? 'gateway' : 'service'
  const place = scope === 'service' ? '' : ` on ${name ?? `this ${scope}`}`
  const [least] = rolesOn(scope)
    .filter((one) => ROLES[one].may.has(permission))
    .toSorted((a, b) => ROLES[a].may.size - ROLES[b].may.size)
  const givers = {
    store: 'an owner of the store, an admin of its gateway or an administrator',
    gateway: 'an admin of the gateway or an administrator',
    service: 'an administrator',
  }[scope]
  return new Fault('NOT_ALLOWED', {
    at: `It needs ${permission}${place}, which ${caller.name} has not got.`,
    remedy: `Ask ${givers} for the role ${least ?? 'administrator'}${place}.`,
  })
}

const HIDDEN = new WeakSet<Fault>()

/** A fault that says "unknown" of what may not be seen: the same for who asks, but the audit knows. */
export function hidden(fault: Fault): Fault {
  HIDDEN.add(fault)
  return fault
}

/** Somebody asked for what he may not have, whatever he was told. */
export const isRefusal = (fault: Fault): boolean => fault.kind === 'denied' || HIDDEN.has(fault)
