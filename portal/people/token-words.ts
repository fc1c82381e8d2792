import type { QueryLimits } from '@postern/protocol/api/query-limits.ts'
import type { GrantRole } from '@postern/protocol/api/grants.ts'
import type { RoleName, TokenCreate, TokenView } from '@postern/protocol/api/tokens.ts'

const DAY_MS = 86_400_000

/** What a form of a token says. Texts where a field may be empty. */
export interface TokenForm {
  name: string
  forMe: boolean
  /** Of one's own: all that one may, or kept to what is said. */
  keptTo: 'all' | 'less'
  role: RoleName
  roles: { role: GrantRole | ''; on: string }[]
  /** Empty: never. */
  days: number | ''
  limits: Readonly<Record<keyof QueryLimits, number | ''>>
}

export const NEW_TOKEN: TokenForm = {
  name: '',
  forMe: true,
  keptTo: 'all',
  role: 'none',
  roles: [],
  days: 90,
  limits: { timeoutMs: '', maxRows: '', maxBytes: '', concurrency: '', connections: '' },
}

/** Whether roles are asked for at all. */
export const saysRoles = ({ forMe, keptTo }: TokenForm): boolean => !forMe || keptTo === 'less'

/** What the form lacks, in words; undefined where it can be sent. */
export function lacking(form: TokenForm): string | undefined {
  if (form.name.trim() === '') return 'Give it a name'
  if (form.name.includes('/')) return 'The name has no “/”'
  if (!saysRoles(form)) return undefined
  if (form.roles.some(({ role, on }) => role === '' || on === '')) return 'Say for each role which and where'
  if (form.role === 'none' && form.roles.length === 0) return 'Say what it is for: a role on the service, or on gateways and stores'
  return undefined
}

export function bodyOf(form: TokenForm, now: number): TokenCreate {
  const limits = Object.fromEntries(Object.entries(form.limits).filter(([, value]) => value !== ''))
  const roles = form.roles.flatMap(({ role, on }) => (role === '' ? [] : [{ role, on }]))
  return {
    name: form.name.trim(),
    forMe: form.forMe,
    limits,
    ...(saysRoles(form) ? { role: form.role, roles } : {}),
    ...(form.days === '' ? {} : { expiresAt: new Date(now + form.days * DAY_MS).toISOString() }),
  }
}

/** What it may, in words. */
export function allows({ role, roles, owner }: TokenView): string {
  const there = roles.map((one) => `${one.role} on ${one.on.replace('/', ' ')}`)
  if (role === 'owner') return `all that ${(owner ?? '').replace('person/', '')} may`
  return [...(role === 'none' ? [] : [`${role} on the service`]), ...there].join(', ') || 'nothing by itself'
}

export const isOver = ({ expiresAt }: Pick<TokenView, 'expiresAt'>, now: number): boolean => expiresAt !== null && Date.parse(expiresAt) <= now
