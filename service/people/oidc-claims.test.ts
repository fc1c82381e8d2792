import { OidcProvider, type OidcProviderPut } from '@postern/protocol/api/oidc.ts'
import { PersonName } from '@postern/protocol/api/people.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { roleFor, visitorOf } from './oidc-claims.ts'

const provider = (more: Partial<OidcProviderPut> = {}) =>
  OidcProvider.parse({ issuer: 'https://login.example.com', clientId: 'postern', ...more })
const ann = { sub: '1', preferred_username: 'Ann.Other', email: 'ann@Example.com', email_verified: true, groups: ['dba', 'staff'] }

test.each([
  ['nothing says who may come', {}, undefined],
  ['everybody there may come', { allowDomains: ['*'] }, 'none'],
  ['the domain may come', { allowDomains: ['example.com'], defaultRole: 'reader' }, 'reader'],
  ['a domain that ends alike may come', { allowDomains: ['ample.com'] }, undefined],
  ['a group may come', { allowGroups: ['staff'] }, 'none'],
  ['a group has a role', { roles: { dba: 'operator' } }, 'operator'],
  ['the highest role counts', { roles: { dba: 'user', staff: 'administrator' } }, 'administrator'],
  [
    'no group has a role, and nobody without may come',
    { allowDomains: ['*'], roles: { others: 'user' }, defaultRole: 'refuse' },
    undefined,
  ],
  ['a group is called as what every object has', { allowGroups: [], roles: { constructor: 'administrator' } }, undefined],
] as const)('when %s', (_, more, role) => {
  const rules = provider(more as Partial<OidcProviderPut>)

  expect(roleFor(visitorOf(ann, rules), rules, undefined)).toBe(role)
})

test('an address that is not verified opens nothing', () => {
  const rules = provider({ allowDomains: ['example.com'] })

  for (const email_verified of [false, undefined, 'false', 1, 'yes'])
    expect(roleFor(visitorOf({ ...ann, email_verified }, rules), rules, undefined)).toBeUndefined()
})

test("an administrator's choice holds where no groups are mapped, and is replaced where they are", () => {
  const [free, mapped] = [provider({ allowDomains: ['*'] }), provider({ allowDomains: ['*'], roles: { others: 'user' } })]

  expect(roleFor(visitorOf(ann, free), free, 'operator')).toBe('operator')
  expect(roleFor(visitorOf(ann, mapped), mapped, 'operator')).toBe('none')
})

test('whatever a provider says, there is a name, and groups that are text', { timeout: 60_000 }, () => {
  const rules = provider()
  const claim = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary', maxLength: 100 }), fc.array(fc.jsonValue(), { maxLength: 5 }))

  fc.assert(
    fc.property(claim, claim, claim, claim, (name, email, groups, sub) => {
      const visitor = visitorOf({ sub, preferred_username: name, name, email, groups }, rules)
      expect(PersonName.safeParse(visitor.name).success).toBe(true)
      expect(JSON.stringify(visitor)).not.toContain('\\u0000')
      expect(visitor.displayName.length).toBeLessThanOrEqual(127)
      for (const group of visitor.groups) expect(typeof group).toBe('string')
    }),
    { numRuns: 200 },
  )
})
