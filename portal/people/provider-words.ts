import type { OidcProviderPut, OidcProviderView } from '@postern/protocol/api/oidc.ts'
import type { RoleName } from '@postern/protocol/api/tokens.ts'

export const DEFAULT_ROLES = ['none', 'reader', 'user', 'operator', 'administrator', 'refuse'] as const

/** What the form of a provider says; the roles as rows, because half a row is no role yet. */
export interface ProviderForm {
  name: string
  issuer: string
  clientId: string
  secret: string
  title: string
  scopes: string[]
  nameClaim: string
  emailClaim: string
  groupsClaim: string
  allowDomains: string[]
  allowGroups: string[]
  roles: { group: string; role: RoleName }[]
  defaultRole: (typeof DEFAULT_ROLES)[number]
}

/** As the service's own. */
export const NEW_PROVIDER: ProviderForm = {
  name: '',
  issuer: '',
  clientId: '',
  secret: '',
  title: '',
  scopes: ['openid', 'profile', 'email'],
  nameClaim: 'preferred_username',
  emailClaim: 'email',
  groupsClaim: 'groups',
  allowDomains: [],
  allowGroups: [],
  roles: [],
  defaultRole: 'none',
}

export function formOf({ createdAt: _at, redirectUri: _uri, roles, ...provider }: OidcProviderView): ProviderForm {
  return { ...provider, roles: Object.entries(roles).map(([group, role]) => ({ group, role })) }
}

export function putOf({ name: _, roles, ...form }: ProviderForm): OidcProviderPut {
  const rows = roles.map(({ group, role }) => [group.trim(), role] as const).filter(([group]) => group !== '')
  return { ...form, issuer: form.issuer.trim(), clientId: form.clientId.trim(), roles: Object.fromEntries(rows) }
}

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
const SECRET = /^(env:POSTERN_OIDC_[A-Z0-9_]{1,100}|file:[A-Za-z0-9][A-Za-z0-9._-]{0,100})$/

/** What the service would refuse, at the field that it is about. */
export const CHECKS: { readonly [Field in 'name' | 'issuer' | 'clientId' | 'secret']: (value: string) => string | null } = {
  name: (value) => (NAME.test(value) ? null : 'Letters, digits, “.”, “_” and “-”, at most 63'),
  issuer: (value) => (/^https?:\/\/[^?#\s]+$/.test(value.trim()) ? null : 'A URL without “?” and “#”, as the provider calls itself'),
  clientId: (value) => (value.trim() === '' ? 'The provider gives it' : null),
  secret: (value) => (value === '' || SECRET.test(value) ? null : 'env:POSTERN_OIDC_… or file:NAME; the secret itself is never kept here'),
}

/** In words; "nobody" where nothing is said, for that is what it means. */
export function whoMayCome({ allowDomains, allowGroups, roles }: Pick<OidcProviderView, 'allowDomains' | 'allowGroups' | 'roles'>): string {
  if (allowDomains.includes('*')) return 'everybody whom it knows'
  const groups = [...new Set([...allowGroups, ...Object.keys(roles)])]
  const said = [
    allowDomains.length === 0 ? '' : `addresses of ${allowDomains.join(', ')}`,
    groups.length === 0 ? '' : `members of ${groups.join(', ')}`,
  ].filter(Boolean)
  return said.join('; ') || 'nobody'
}
