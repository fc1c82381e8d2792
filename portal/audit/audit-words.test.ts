import { expect, test } from 'vitest'
import { detailsOf, pageOf } from './audit-words.ts'

test('a record leads to what it is about, where that has a page and may be seen', () => {
  expect([pageOf('store shop', false), pageOf('gateway/demo', false), pageOf('person ann@example.com', true)]).toEqual([
    '/stores/shop',
    '/gateways/demo',
    '/people/ann%40example.com',
  ])
  expect([pageOf('person ann', false), pageOf('sign-ins', true), pageOf('token ci', true), pageOf('store shop, store lake', true)]).toEqual(
    [undefined, undefined, undefined, undefined],
  )
})

test('details are texts with readable names', () => {
  expect(detailsOf({ details: { expiresAt: null, role: 'reader', times: 3 } })).toEqual([
    ['Expires at', 'none'],
    ['Role', 'reader'],
    ['Times', '3'],
  ])
})
