/** Who may give what, by the same rule as the service: nobody gives more than he has. */
import type { GrantRole } from '@postern/protocol/api/grants.ts'
import type { OwnRights, Roles, ScopeName } from '@postern/protocol/api/rights.ts'
import { may } from '../sign-in/rights.ts'

const WIDEST_FIRST: readonly ScopeName[] = ['service', 'gateway', 'store']

/** A place that roles are given on. `gateway`: of a store, the gateway that it is on. */
export interface GivingPlace {
  /** `service`, `gateway/demo`, `store/shop` */
  readonly on: string
  readonly gateway?: string | undefined
}

export const SERVICE: GivingPlace = { on: 'service' }

export const scopeOf = (on: string): ScopeName => (on.startsWith('store/') ? 'store' : on.startsWith('gateway/') ? 'gateway' : 'service')

/** Whose rights count at the place. */
const placesOf = ({ on, gateway }: GivingPlace): readonly string[] => [on, ...(gateway === undefined ? [] : [`gateway/${gateway}`])]

export const mayGiveOn = (rights: OwnRights, place: GivingPlace): boolean => may(rights, 'grants:write', ...placesOf(place))

/** Why a role cannot be given, or taken away, there; undefined where it can. */
export function whyNot(rights: OwnRights, roles: Roles, name: string, place: GivingPlace): string | undefined {
  const where = place.on === 'service' ? 'the whole service' : place.on.replace('/', ' ')
  const role = roles.items.find((one) => one.name === name)
  if (!mayGiveOn(rights, place)) return `You may not give roles on ${where}`
  const missing = role?.permissions.find((permission) => reaches(roles, permission, place) && !may(rights, permission, ...placesOf(place)))
  return missing === undefined ? undefined : `It allows ${missing} on ${where}, which you have not got`
}

/** Why an account with that role, `none` among them, cannot be made or touched; undefined where it can. */
export function whyNotTouch(rights: OwnRights, roles: Roles, role: string): string | undefined {
  if (!may(rights, 'people:write')) return 'You may not change people: it needs people:write, which administrators have'
  return role === 'none' ? undefined : whyNot(rights, roles, role, SERVICE)
}

export function rolesFor(roles: Roles, on: string): readonly (Roles['items'][number] & { readonly name: GrantRole })[] {
  const scope = scopeOf(on)
  return roles.items.filter((role): role is Roles['items'][number] & { name: GrantRole } => role.on.includes(scope))
}

/** A role on a store allows nothing that is had on gateways only. */
function reaches(roles: Roles, permission: string, { on }: GivingPlace): boolean {
  const narrowest = roles.permissions.find(({ name }) => name === permission)?.on ?? 'service'
  return WIDEST_FIRST.indexOf(narrowest) >= WIDEST_FIRST.indexOf(scopeOf(on))
}
