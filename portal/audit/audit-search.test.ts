import { expect, test } from 'vitest'
import { exportPath, fromLocal, isFiltered, readAuditSearch, toLocal, wantedOf } from './audit-search.ts'

test('what the service would refuse is not asked of it', () => {
  const search = readAuditSearch({ who: 'ann', outcome: 'maybe', since: 'yesterday', until: '2026-12-01', queries: 'yes', page: 3 })

  expect(wantedOf(search)).toEqual({ who: 'ann', until: '2026-12-01T00:00:00.000Z' })
})

test('an open record is no filter', () => {
  expect([isFiltered(readAuditSearch({ row: 12 })), isFiltered(readAuditSearch({ queries: true }))]).toEqual([false, true])
})

test('the export has the filters of the page', () => {
  const search = readAuditSearch({ target: 'store shop', outcome: 'refused', queries: true, row: '7' })

  expect(exportPath(search, 'csv')).toBe('/v1/audit/export?target=store+shop&outcome=refused&queries=true&format=csv')
})

test('a time goes through the field in the reader’s own zone', () => {
  const iso = fromLocal('2026-11-22T09:30')

  expect(toLocal(iso)).toBe('2026-11-22T09:30')
  expect([toLocal(undefined), fromLocal('')]).toEqual(['', undefined])
})
