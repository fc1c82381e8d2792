/** What a provider says of somebody, and whether that lets him in. Pure. */
import type { OidcProvider } from '@postern/protocol/api/oidc.ts'
import { PersonName } from '@postern/protocol/api/people.ts'
import { type Role, SERVICE_ROLES } from './permissions.ts'

/** Of the ID token, with what the userinfo endpoint adds. */
export type Claims = Readonly<Record<string, unknown>>

export interface Visitor {
  readonly subject: string
  /** As it may be called here; another may have the name. */
  readonly name: string
  readonly displayName: string
  readonly email: string | null
  readonly emailVerified: boolean
  readonly groups: readonly string[]
}

const MOST_GROUPS = 1_000
const GROUP_CHARACTERS = 200

export function visitorOf(claims: Claims, provider: OidcProvider): Visitor {
  const subject = text(claims['sub']) ?? ''
  const email = text(claims[provider.emailClaim]) ?? null
  return {
    subject,
    name: nameOf([text(claims[provider.nameClaim]), email ?? undefined, subject]),
    displayName: (text(claims['name']) ?? '').trim().slice(0, 127),
    email: email === null || email.length > 254 ? null : email,
    // Some say it as text. What is not said is not so.
    emailVerified: claims['email_verified'] === true || claims['email_verified'] === 'true',
    groups: groupsOf(claims[provider.groupsClaim]),
  }
}

/** Undefined: not admitted. An administrator's choice for this person counts where no groups are mapped. */
export function roleFor(visitor: Visitor, provider: OidcProvider, known: Role | undefined): Role | undefined {
  if (!isAdmitted(visitor, provider)) return undefined
  const given = visitor.groups.flatMap((group) => (Object.hasOwn(provider.roles, group) ? [provider.roles[group]] : []))
  const highest = SERVICE_ROLES.findLast((role) => given.includes(role))
  if (highest !== undefined) return highest
  if (known !== undefined && Object.keys(provider.roles).length === 0) return known
  return provider.defaultRole === 'refuse' ? undefined : provider.defaultRole
}

function isAdmitted({ groups, email, emailVerified }: Visitor, { allowGroups, allowDomains, roles }: OidcProvider): boolean {
  if (allowDomains.includes('*')) return true
  if (groups.some((group) => allowGroups.includes(group) || Object.hasOwn(roles, group))) return true
  const domain = emailVerified ? email?.split('@').at(-1)?.toLowerCase() : undefined
  return domain !== undefined && allowDomains.includes(domain)
}

/** The first of them that a name can be made of. */
function nameOf(candidates: readonly (string | undefined)[]): string {
  for (const candidate of candidates) {
    const name = (candidate ?? '')
      .normalize('NFKD')
      .toLowerCase()
      .replace(/\s+/g, '.')
      .replace(/[^a-z0-9._@+-]/g, '')
      .slice(0, 120)
      .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    if (PersonName.safeParse(name).success) return name
  }
  return 'visitor'
}

/** A list, or one alone; what is neither text nor short is none of ours. */
function groupsOf(claim: unknown): readonly string[] {
  const all: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
  return all.slice(0, MOST_GROUPS).flatMap((one) => {
    const group = text(one)
    return group !== undefined && group.length <= GROUP_CHARACTERS ? [group] : []
  })
}

/** PostgreSQL holds no zero bytes; who sends them means no good. */
const text = (claim: unknown): string | undefined =>
  typeof claim === 'string' && claim !== '' && !claim.includes('\0') ? claim.slice(0, 1_000) : undefined
