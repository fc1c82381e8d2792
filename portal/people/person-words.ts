import type { PersonView } from '@postern/protocol/api/people.ts'

export function stateOf({ disabled, password, signedInAt }: PersonView): 'active' | 'disabled' | 'first sign-in open' {
  if (disabled) return 'disabled'
  return password === 'once' && signedInAt === null ? 'first sign-in open' : 'active'
}

/** How somebody comes in. */
export function wayOf({ issuer, password }: PersonView): string {
  if (issuer !== null) return URL.canParse(issuer) ? new URL(issuer).host : issuer
  return { none: 'no password', once: 'password, good for one sign-in', set: 'password' }[password]
}
