/** What somebody may do where: pure, resolved once when a caller is loaded, so that asking is a look into maps. */
import type { GatewayId, StoreId } from '@postern/protocol/ids.ts'
import { type AnyRole, type Permission, permissionsOf, ROLES, type Role } from './permissions.ts'

/** What a permission is asked about. A store stands on its gateway; neither: the whole service. */
export interface Place {
  readonly gateway?: GatewayId | undefined
  readonly store?: StoreId | undefined
  /** What it is called in a refusal: "store shop". */
  readonly name?: string
}

/** Gateways and stores where something is allowed by a role there. */
export interface Where {
  readonly gateways: readonly GatewayId[]
  readonly stores: readonly StoreId[]
}

/** A role at a place: a grant, or what a token is kept to. `gateway` is always there where `store` is. */
export interface RoleAt extends Pick<Place, 'gateway' | 'store'> {
  readonly role: AnyRole
}

type Permissions = ReadonlySet<Permission>

export class Rights {
  readonly #service: Permissions
  readonly #gateways = new Map<GatewayId, Set<Permission>>()
  readonly #stores = new Map<StoreId, Set<Permission>>()

  constructor(role: Role, roles: readonly RoleAt[] = []) {
    const service = new Set(permissionsOf(role))
    for (const { role, gateway, store } of roles) {
      const { may } = ROLES[role]
      if (store !== undefined) {
        for (const permission of may) put(this.#stores, store, permission)
        // Who seals a credential needs the gateway's key.
        if (role === 'store-owner' && gateway !== undefined) put(this.#gateways, gateway, 'gateways:read')
      } else if (gateway !== undefined) for (const permission of may) put(this.#gateways, gateway, permission)
      else for (const permission of may) service.add(permission)
    }
    this.#service = service
  }

  may(permission: Permission, { gateway, store }: Place = {}): boolean {
    if (this.#service.has(permission)) return true
    if (gateway !== undefined && this.#gateways.get(gateway)?.has(permission)) return true
    return store !== undefined && this.#stores.get(store)?.has(permission) === true
  }

  /** Gateways and stores where anything is allowed by a role there. */
  places(): Where {
    return { gateways: [...this.#gateways.keys()], stores: [...this.#stores.keys()] }
  }

  /** Gateways and stores where it is allowed by a role there. */
  where(permission: Permission): Where {
    const having = <Id>(places: ReadonlyMap<Id, Permissions>) => [...places].filter(([, may]) => may.has(permission)).map(([id]) => id)
    return { gateways: having(this.#gateways), stores: having(this.#stores) }
  }
}

function put<Id>(places: Map<Id, Set<Permission>>, id: Id, permission: Permission): void {
  const there = places.get(id)
  if (there) there.add(permission)
  else places.set(id, new Set([permission]))
}
