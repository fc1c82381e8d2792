import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, StoreId } from '@postern/protocol/ids.ts'
import { type Caller, hidden, notAllowed } from './caller.ts'
import type { Permission } from './permissions.ts'
import type { Place } from './rights.ts'

export interface PlacesParts {
  /** Undefined where there is none. */
  readonly gateway: (name: string) => { readonly id: GatewayId } | undefined
  /** Fails with STORE_UNKNOWN. Synchronous while it was seen within the last second. */
  readonly store: (name: string) => PlacedStore | Promise<PlacedStore>
}

interface PlacedStore {
  readonly id: StoreId
  readonly gatewayId: GatewayId
}

/** From the names in paths and bodies to what a permission is asked about. What may not be seen does not exist. */
export class Places {
  readonly #parts: PlacesParts

  constructor(parts: PlacesParts) {
    this.#parts = parts
  }

  /** `service`, `gateway/demo`, `store/shop`. */
  find(text: string): Place | Promise<Place> {
    const [kind, name = ''] = text.split('/')
    if (kind === 'store') return this.store(name)
    if (kind === 'gateway') return this.gateway(name)
    return {}
  }

  /** Fails with GATEWAY_UNKNOWN. */
  gateway(name: string): Place {
    const gateway = this.#parts.gateway(name)
    if (!gateway) throw unknown('gateway', name)
    return { gateway: gateway.id, name: `gateway ${name}` }
  }

  /** Fails with STORE_UNKNOWN. */
  store(name: string): Place | Promise<Place> {
    const store = this.#parts.store(name)
    return store instanceof Promise ? store.then((found) => placeOf(name, found)) : placeOf(name, store)
  }

  /**
   * Fails with NOT_ALLOWED where the place may be seen, and as for an unknown name where it may not. Who is allowed it on the whole
   * service is not held up: whether the name is known is then for others to find out.
   */
  check(caller: Caller, permission: Permission, text: string): void | Promise<void> {
    if (caller.may(permission)) return undefined
    const place = this.find(text)
    return place instanceof Promise ? place.then((found) => judge(caller, permission, found, text)) : judge(caller, permission, place, text)
  }

  /** Fails as for an unknown name where it may not be seen. */
  async look(caller: Caller, text: string): Promise<Place> {
    const place = await this.find(text)
    const [kind = '', name = ''] = text.split('/')
    if ((kind === 'store' || kind === 'gateway') && !caller.may(LOOK[kind], place)) throw hidden(unknown(kind, name))
    return place
  }
}

/** Who may see it at all. */
const LOOK = { gateway: 'gateways:read', store: 'stores:read' } as const

/** The same for what is known already. */
export function needOn(caller: Caller, permission: Permission, { id, name, gatewayId }: PlacedStore & { readonly name: string }): void {
  judge(caller, permission, { store: id, gateway: gatewayId, name: `store ${name}` }, `store/${name}`)
}

function judge(caller: Caller, permission: Permission, place: Place, text: string): void {
  if (caller.may(permission, place)) return
  const [kind = '', name = ''] = text.split('/')
  if ((kind === 'store' || kind === 'gateway') && !caller.may(LOOK[kind], place)) throw hidden(unknown(kind, name))
  throw notAllowed(caller, permission, place)
}

function unknown(kind: 'gateway' | 'store', name: string): Fault {
  return new Fault(kind === 'gateway' ? 'GATEWAY_UNKNOWN' : 'STORE_UNKNOWN', { at: name })
}

const placeOf = (name: string, { id, gatewayId }: PlacedStore): Place => ({ store: id, gateway: gatewayId, name: `store ${name}` })
