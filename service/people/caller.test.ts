import type { GatewayId, PersonId, StoreId, TokenId } from '@postern/protocol/ids.ts'
import { expect, test } from 'vitest'
import { Caller, type Principal } from './caller.ts'
import { PERMISSIONS, ROLES, rolesOn, SCOPES } from './permissions.ts'

const [demo, other] = ['gw_demo', 'gw_other'] as [GatewayId, GatewayId]
const [shop, lake] = ['sto_shop', 'sto_lake'] as [StoreId, StoreId]
const onShop = { gateway: demo, store: shop }
const onLake = { gateway: demo, store: lake }
const ann = { id: 'per_ann' as PersonId, kind: 'person', name: 'ann', role: 'none' } as const
const token = (parts: Partial<Principal>) =>
  new Caller({ id: 'tok_1' as TokenId, kind: 'token', name: 'ann/ci', role: 'none', owner: { ...ann, role: 'user' }, ...parts })

test('a role on a gateway holds on its stores and nowhere else', () => {
  const caller = new Caller({ ...ann, grants: [{ role: 'store-user', gateway: demo }] })

  expect(caller.may('stores:query', onShop)).toBe(true)
  expect(caller.may('stores:query', { gateway: other, store: shop })).toBe(false)
  expect(caller.may('stores:query')).toBe(false)
  expect(caller.may('gateways:write', { gateway: demo })).toBe(false)
})

test('a role on a store says nothing of its neighbours; its owner sees the gateway, whose key it needs', () => {
  const caller = new Caller({ ...ann, grants: [{ role: 'store-owner', ...onShop }] })

  expect(caller.may('stores:write', onShop)).toBe(true)
  expect(caller.may('stores:read', onLake)).toBe(false)
  expect([caller.may('gateways:read', { gateway: demo }), caller.may('gateways:write', { gateway: demo })]).toEqual([true, false])
})

test('nobody gives a role with more in it than he has', () => {
  const owner = new Caller({ ...ann, grants: [{ role: 'store-owner', ...onShop }] })
  const admin = new Caller({ ...ann, grants: [{ role: 'gateway-admin', gateway: demo }] })
  const operator = new Caller({ ...ann, role: 'operator' })

  expect([owner.mayGrant('store-user', onShop), owner.mayGrant('store-owner', onShop)]).toEqual([true, true])
  expect([owner.mayGrant('store-user', onLake), owner.mayGrant('store-user', { gateway: demo })]).toEqual([false, false])
  expect([admin.mayGrant('gateway-admin', { gateway: demo }), admin.mayGrant('store-owner', onShop)]).toEqual([true, true])
  expect([admin.mayGrant('reader'), admin.mayGrant('administrator'), admin.mayGrant('gateway-admin', { gateway: other })]).toEqual([
    false,
    false,
    false,
  ])
  expect(operator.mayGrant('reader')).toBe(false)
})

test("a person's own token is kept to what it was made for, and to what the person may", () => {
  const bound = { role: 'none', roles: [{ role: 'store-owner', ...onShop }] } as const

  expect(token({}).may('stores:query', onLake)).toBe(true)
  expect(token({ keptTo: bound }).may('stores:query', onShop)).toBe(true)
  expect(token({ keptTo: bound }).may('stores:query', onLake)).toBe(false)
  // The person is no owner of it.
  expect(token({ keptTo: bound }).may('stores:write', onShop)).toBe(false)
  expect(token({ keptTo: { role: 'administrator', roles: [] } }).may('tokens:write')).toBe(false)
})

test('lists are cut by both: what the person may, and what the token is kept to', () => {
  const owner = { ...ann, grants: [{ role: 'store-user', gateway: demo }] } as const
  const kept = token({ owner, keptTo: { role: 'none', roles: [{ role: 'reader', ...onShop }] } })

  expect(new Caller({ ...ann, role: 'reader' }).sees('stores:read')).toEqual([])
  expect(kept.sees('stores:read')).toEqual([
    { gateways: [demo], stores: [] },
    { gateways: [], stores: [shop] },
  ])
})

test("what is the person's is that of a token of hers too, unless it is kept to less", () => {
  expect(token({}).owns(ann.id)).toBe(true)
  expect(token({ keptTo: { role: 'user', roles: [] } }).owns(ann.id)).toBe(false)
  expect(token({}).owns(null)).toBe(false)
})

test('each role can be given somewhere, and allows there nothing that is wider than the place', () => {
  for (const [name, { on, may }] of Object.entries(ROLES)) {
    expect(on.length, name).toBeGreaterThan(0)
    const widest = Math.min(...on.map((scope) => SCOPES.indexOf(scope)))
    for (const permission of may) expect(SCOPES.indexOf(PERMISSIONS[permission].on), `${name} ${permission}`).toBeGreaterThanOrEqual(widest)
  }
  expect(rolesOn('store')).toEqual(['store-owner', 'store-user', 'reader'])
})
