/** What the person who is signed in may do: what she may not is not offered. */
import type { OwnRights, PermissionName } from '@postern/protocol/api/rights.ts'

export const NO_RIGHTS: OwnRights = { service: [], places: [] }

/** `on`: places of which one suffices, for what holds on a gateway holds on its stores: `may(rights, 'stores:write', 'store/shop', 'gateway/demo')`. */
export function may(rights: OwnRights, permission: PermissionName, ...on: readonly string[]): boolean {
  if (rights.service.includes(permission)) return true
  return rights.places.some((place) => on.includes(place.on) && place.permissions.includes(permission))
}

/** On the service, or on any gateway or store. */
export function mayAnywhere(rights: OwnRights, permission: PermissionName): boolean {
  return rights.service.includes(permission) || rights.places.some((place) => place.permissions.includes(permission))
}
