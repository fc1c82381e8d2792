import { expect, test } from 'vitest'
import { LONGEST_QUERY, readCopySearch } from './copy-search.ts'

test('what an address says is taken, and what it cannot mean is left out', () => {
  expect(readCopySearch({ source: 'shop', from: 'public.orders', to: 2026, sink: '', more: 1 })).toEqual({
    ...{ source: 'shop', from: ['public.orders'], to: '2026' },
  })
})

test('a statement is taken whole or not: half of one would copy something else', () => {
  const whole = 'select 1 '.padEnd(LONGEST_QUERY, 'x')

  expect(readCopySearch({ source: 'shop', query: whole })).toEqual({ source: 'shop', query: whole })
  expect(readCopySearch({ source: 'shop', query: `${whole}y` })).toEqual({ source: 'shop' })
})
