import type { OwnRights, Roles } from '@postern/protocol/api/rights.ts'
import { expect, test } from 'vitest'
import { rolesFor, SERVICE, whyNot, whyNotTouch } from './giving.ts'

const roles: Roles = {
  items: [
    { name: 'administrator', on: ['service'], says: '', permissions: ['people:write', 'grants:write', 'stores:query'] },
    { name: 'user', on: ['service'], says: '', permissions: ['stores:query'] },
    { name: 'gateway-admin', on: ['gateway'], says: '', permissions: ['gateways:write', 'grants:write', 'stores:query'] },
    { name: 'store-owner', on: ['store'], says: '', permissions: ['grants:write', 'stores:query'] },
    { name: 'reader', on: ['service', 'gateway', 'store'], says: '', permissions: ['gateways:read', 'stores:read'] },
  ],
  permissions: [
    { name: 'people:write', on: 'service', says: '' },
    { name: 'gateways:write', on: 'gateway', says: '' },
    { name: 'gateways:read', on: 'gateway', says: '' },
    { name: 'grants:write', on: 'store', says: '' },
    { name: 'stores:query', on: 'store', says: '' },
    { name: 'stores:read', on: 'store', says: '' },
  ],
}
const everything: OwnRights = {
  service: ['people:write', 'gateways:write', 'gateways:read', 'grants:write', 'stores:query', 'stores:read'],
  places: [],
}
const owner: OwnRights = { service: [], places: [{ on: 'store/shop', permissions: ['grants:write', 'stores:query', 'stores:read'] }] }
const shop = { on: 'store/shop', gateway: 'demo' }

test('who may everything gives every role', () => {
  expect(whyNot(everything, roles, 'administrator', SERVICE)).toBeUndefined()
  expect(whyNotTouch(everything, roles, 'administrator')).toBeUndefined()
})

test('the owner of a store gives its roles, and none elsewhere', () => {
  expect([whyNot(owner, roles, 'store-owner', shop), whyNot(owner, roles, 'reader', shop)]).toEqual([undefined, undefined])
  expect(whyNot(owner, roles, 'reader', { on: 'store/lake', gateway: 'demo' })).toBe('You may not give roles on store lake')
  expect(whyNot(owner, roles, 'user', SERVICE)).toBe('You may not give roles on the whole service')
})

test('what is had on a gateway is had on its stores', () => {
  const admin: OwnRights = { service: [], places: [{ on: 'gateway/demo', permissions: ['grants:write', 'stores:query'] }] }

  expect(whyNot(admin, roles, 'store-owner', shop)).toBeUndefined()
  expect(whyNot(admin, roles, 'gateway-admin', { on: 'gateway/demo' })).toBe(
    'It allows gateways:write on gateway demo, which you have not got',
  )
})

test('an account with more than one has is not touched; one without a role needs people:write only', () => {
  const some: OwnRights = { service: ['people:write', 'grants:write'], places: [] }

  expect(whyNotTouch(some, roles, 'administrator')).toBe('It allows stores:query on the whole service, which you have not got')
  expect(whyNotTouch(some, roles, 'none')).toBeUndefined()
  expect(whyNotTouch(owner, roles, 'none')).toContain('people:write')
})

test('roles are offered where they can be given', () => {
  expect(rolesFor(roles, 'store/shop').map(({ name }) => name)).toEqual(['store-owner', 'reader'])
  expect(rolesFor(roles, 'service').map(({ name }) => name)).toEqual(['administrator', 'user', 'reader'])
})
