import { expect, test } from 'vitest'
import { chaosPlan, VICTIMS } from './chaos-plan.ts'
import { CELL, compareRows, NOTHING_WRONG } from './row-checker.ts'

const rows = ['1', '2', '3'].map((key) => [key, `name ${key}`, '2026-01-01'].join(CELL))

test('the checker passes the same rows in any order', () => {
  expect(compareRows(rows, rows.toReversed())).toEqual(NOTHING_WRONG)
})

const defects: Readonly<Record<string, { readonly found: readonly string[]; readonly says: object }>> = {
  'a lost row': { found: rows.slice(0, 2), says: { lost: ['3'] } },
  'all rows lost': { found: [], says: { lost: ['1', '2', '3'] } },
  'a doubled row': { found: [...rows, ...rows.slice(1, 2)], says: { doubled: ['2'] } },
  'a row lost and another doubled': { found: [...rows.slice(0, 2), ...rows.slice(0, 1)], says: { lost: ['3'], doubled: ['1'] } },
  'a changed cell': { found: rows.map((row) => row.replace('name 2', 'name')), says: { changed: ['2'] } },
  'a row of somebody else': { found: [...rows, ['9', 'x', 'y'].join(CELL)], says: { foreign: ['9'] } },
}
test.each(Object.entries(defects))('the checker finds %s', (_, { found, says }) => {
  expect(compareRows(rows, found)).toEqual({ ...NOTHING_WRONG, ...says })
})

test('a seed is the same plan each time, and many seeds see every pair and every victim', () => {
  const pairs = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const
  const plans = Array.from({ length: 50 }, (_, seed) => chaosPlan(seed, pairs))

  expect(chaosPlan(7, pairs)).toEqual(plans[7])
  expect(new Set(plans.flatMap(({ copies }) => copies.map(({ pair }) => pair)))).toEqual(new Set(pairs))
  expect(new Set(plans.flatMap(({ strikes }) => strikes.map(({ victim }) => victim)))).toEqual(new Set(VICTIMS))
})
