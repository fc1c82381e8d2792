import type { PersonView } from '@postern/protocol/api/people.ts'

export function stateOf({ disabled, password, signedInAt }: PersonView): 'active' | 'disabled' | 'new' {
  if (disabled) return 'disabled'
  return password === 'once' && signedInAt === null ? 'new' : 'active'
}

/** Why it is so, where that is not plain. */
export function reasonsOf(person: PersonView): readonly string[] {
  if (stateOf(person) === 'new') return ['The password was given out and is good for one sign-in, which has not been yet']
  return person.disabled ? ['Nobody comes in with this account until it is enabled'] : []
}

/** How somebody comes in. */
export function wayOf({ issuer, password }: PersonView): string {
  if (issuer !== null) return URL.canParse(issuer) ? new URL(issuer).host : issuer
  return { none: 'no password', once: 'password, good for one sign-in', set: 'password' }[password]
}
