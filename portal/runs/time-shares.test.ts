import { expect, test } from 'vitest'
import { timeShares } from './time-shares.ts'

test('shares of the time are of a hundred', () => {
  const shares = timeShares({ queueMs: 100, firstByteMs: 0, readMs: 200, writeMs: 50, commitMs: 50 })

  expect(shares.map(({ name, percent }) => [name, percent])).toEqual([
    ['Queue', 25],
    ['First byte', 0],
    ['Read', 50],
    ['Write', 12.5],
    ['Commit', 12.5],
  ])
})

test('of no time there are no shares', () => {
  expect(timeShares({ queueMs: 0, firstByteMs: 0, readMs: 0, writeMs: 0, commitMs: 0 })).toEqual([])
})
