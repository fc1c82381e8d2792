import type { OidcProviderView } from '@postern/protocol/api/oidc.ts'
import { OidcProvider } from '@postern/protocol/api/oidc.ts'
import { expect, test } from 'vitest'
import { CHECKS, formOf, NEW_PROVIDER, putOf, whoMayCome } from './provider-words.ts'

const filled = { ...NEW_PROVIDER, name: 'acme', issuer: ' https://login.example.com ', clientId: 'postern' }

test('what the form says by itself is what the service takes for left out', () => {
  const issuer = 'https://login.example.com'

  expect(OidcProvider.parse(putOf(filled))).toEqual(OidcProvider.parse({ issuer, clientId: 'postern' }))
})

test('a provider goes through the form unchanged', () => {
  const view: OidcProviderView = {
    ...OidcProvider.parse({ issuer: 'https://login.example.com', clientId: 'postern', roles: { dba: 'operator' }, allowDomains: ['example.com'] }),
    name: 'acme',
    redirectUri: 'https://postern.example.com/v1/oidc/acme/callback',
    createdAt: '2026-11-22T12:00:00.000Z',
  }

  expect(OidcProvider.parse(putOf(formOf(view)))).toEqual(OidcProvider.parse(putOf({ ...filled, roles: [{ group: 'dba', role: 'operator' }], allowDomains: ['example.com'] })))
})

test('a row without a group is left out', () => {
  expect(putOf({ ...filled, roles: [{ group: ' ', role: 'administrator' }] }).roles).toEqual({})
})

test('a secret itself is refused where its place is asked for', () => {
  expect([CHECKS.secret(''), CHECKS.secret('env:POSTERN_OIDC_ACME'), CHECKS.secret('file:acme')]).toEqual([null, null, null])
  expect(CHECKS.secret('hunter2hunter2')).toContain('never kept here')
})

test('who may come is said in words', () => {
  const nobody = { allowDomains: [], allowGroups: [], roles: {} }

  expect(whoMayCome(nobody)).toBe('nobody')
  expect(whoMayCome({ ...nobody, allowDomains: ['*'] })).toBe('everybody whom it knows')
  expect(whoMayCome({ allowDomains: ['example.com'], allowGroups: ['data'], roles: { dba: 'operator', data: 'user' } })).toBe(
    'addresses of example.com; members of data, dba',
  )
})
