import type { StoreView } from '@postern/protocol/api/stores.ts'
import { expect, test } from 'vitest'
import { firstRowsSql, placeOf, storesMatching } from './store-words.ts'

test.each([
  [{ host: 'db', port: 5432, database: 'shop' }, 'db:5432/shop'],
  [{ host: 'db', database: 'shop' }, 'db/shop'],
  [{ path: '/srv/lake' }, '/srv/lake'],
  [{ bucket: 'lake', prefix: 'sales' }, 'lake/sales'],
  [{ account: 'acc', container: 'lake' }, 'acc/lake'],
])('%o is %s', (settings, place) => expect(placeOf(settings)).toBe(place))

test('stores are found by name or place, kind and gateway', () => {
  const store = (name: string, kind: string, host: string) => ({ name, kind, gateway: 'demo', settings: { host } }) as unknown as StoreView
  const stores = [store('shop', 'postgres', 'db1'), store('crm', 'mysql', 'db2')]

  expect(storesMatching(stores, { text: 'DB2' }).map(({ name }) => name)).toEqual(['crm'])
  expect(storesMatching(stores, { kind: 'postgres' }).map(({ name }) => name)).toEqual(['shop'])
  expect(storesMatching(stores, { gateway: 'other' })).toEqual([])
})

test('the first rows of tables are asked by name, those of files in quotes', () => {
  expect(firstRowsSql('postgres', 'public.orders')).toBe('select * from public.orders limit 100')
  expect(firstRowsSql('s3', "o'hara/")).toBe("select * from 'o''hara/' limit 100")
})
