import type { OwnRights } from '@postern/protocol/api/rights.ts'
import { expect, test } from 'vitest'
import { may, mayAnywhere, NO_RIGHTS } from './rights.ts'

const rights: OwnRights = {
  service: ['gateways:read'],
  places: [
    { on: 'gateway/demo', permissions: ['gateways:read', 'nodes:write'] },
    { on: 'store/shop', permissions: ['stores:read'] },
  ],
}

test('what is allowed on the service is allowed everywhere', () => {
  expect([may(rights, 'gateways:read'), may(rights, 'gateways:read', 'gateway/other')]).toEqual([true, true])
})

test('what is allowed at one place says nothing of others', () => {
  expect([may(rights, 'nodes:write', 'gateway/demo'), may(rights, 'nodes:write', 'gateway/other'), may(rights, 'nodes:write')]).toEqual([
    true,
    false,
    false,
  ])
})

test('a store is asked for with its gateway', () => {
  expect([may(rights, 'nodes:write', 'store/lake', 'gateway/demo'), may(rights, 'stores:read', 'store/lake', 'gateway/demo')]).toEqual([
    true,
    false,
  ])
})

test('something that is allowed anywhere has a page', () => {
  expect([mayAnywhere(rights, 'stores:read'), mayAnywhere(rights, 'audit:read'), mayAnywhere(NO_RIGHTS, 'gateways:read')]).toEqual([
    true,
    false,
    false,
  ])
})
