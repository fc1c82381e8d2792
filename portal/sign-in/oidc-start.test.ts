import { expect, test } from 'vitest'
import { startOf } from './oidc-start.ts'

test('a sign-in through a provider comes back to the page that was asked for', () => {
  expect(startOf('acme', { pathname: '/audit', search: '?who=ann&outcome=refused', hash: '' })).toBe(
    '/v1/oidc/acme/start?back=%2Faudit%3Fwho%3Dann%26outcome%3Drefused',
  )
})

test('the first page, and an address that is too long, are no way back', () => {
  expect(startOf('acme', { pathname: '/', search: '', hash: '' })).toBe('/v1/oidc/acme/start')
  expect(startOf('acme', { pathname: '/audit', search: `?who=${'a'.repeat(1_000)}`, hash: '' })).toBe('/v1/oidc/acme/start')
})
