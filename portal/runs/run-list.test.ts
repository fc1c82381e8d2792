import type { RunSummary } from '@postern/protocol/api/runs.ts'
import { expect, test } from 'vitest'
import { hasGap, mergeRuns, pagesToReread, type RunPage } from './run-list.ts'

/** The larger the number, the newer. */
const run = (number: number, status: RunSummary['status'] = 'succeeded') =>
  ({ id: `run_${number}`, createdAt: new Date(number * 1_000).toISOString(), status }) as RunSummary
const page = (numbers: readonly number[], nextCursor: string | null = 'more'): RunPage => ({
  items: numbers.map((one) => run(one)),
  nextCursor,
})
const ids = (runs: readonly RunSummary[]) => runs.map(({ id }) => Number(id.slice(4)))

test('new runs come on top, and none is shown twice', () => {
  expect(ids(mergeRuns({ pages: [page([5, 4]), page([3, 2])], newest: page([7, 6, 5]), reread: [] }))).toEqual([7, 6, 5, 4, 3, 2])
})

test('a run is shown as it was seen last', () => {
  const pages = [page([5]), { items: [run(3, 'running')], nextCursor: null }]

  const merged = mergeRuns({ pages, newest: page([5]), reread: [page([3], null)] })

  expect(merged.map(({ status }) => status)).toEqual(['succeeded', 'succeeded'])
})

test('a run that is no longer of the list goes', () => {
  expect(ids(mergeRuns({ pages: [page([5, 4, 3])], newest: page([5, 3]), reread: [] }))).toEqual([5, 3])
  expect(ids(mergeRuns({ pages: [page([5, 4], null)], newest: page([4], null), reread: [] }))).toEqual([4])
})

test('before the first page was read again, what was read is shown', () => {
  expect(ids(mergeRuns({ pages: [page([2, 1])], newest: undefined, reread: [] }))).toEqual([2, 1])
})

test('there is a gap when the newest runs no longer cover the first page that was read', () => {
  expect(hasGap({ pages: [page([5, 4])], newest: page([7, 6, 5]) })).toBe(true)
  expect(hasGap({ pages: [page([5, 4])], newest: page([6, 5, 4]) })).toBe(false)
  expect(hasGap({ pages: [page([5, 4])], newest: page([9], null) })).toBe(false)
  expect(hasGap({ pages: [], newest: page([9]) })).toBe(false)
})

test('older pages are read again only where a run in view goes on', () => {
  const pages = [page([9]), { items: [run(8, 'running')], nextCursor: 'a' }, { items: [run(7, 'queued')], nextCursor: 'b' }, page([6])]

  expect(pagesToReread(pages, new Set(['run_9', 'run_8', 'run_6']))).toEqual([1])
})
