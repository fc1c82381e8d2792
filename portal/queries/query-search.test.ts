import { expect, test } from 'vitest'
import { logFilter, readLogSearch, readQuerySearch } from './query-search.ts'

test('what an address cannot mean is left out', () => {
  expect(readLogSearch({ outcome: 'lost', slower: '-1', within: '9y', store: ['shop'] })).toEqual({})
  expect(readQuerySearch({ store: 'shop', sql: '', more: 1 })).toEqual({ store: 'shop' })
})

test('a store whose name is a number is found', () => {
  expect(readQuerySearch({ store: 2026 })).toEqual({ store: '2026' })
})

test('a span becomes the whole minute that it began in', () => {
  const search = readLogSearch({ within: '1h', slower: '250', outcome: 'failed' })

  expect(logFilter(search, Date.UTC(2026, 0, 1, 12, 0, 31))).toEqual({
    outcome: 'failed',
    slowerThanMs: 250,
    since: '2026-01-01T11:00:00.000Z',
  })
})
