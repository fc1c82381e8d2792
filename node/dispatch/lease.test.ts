import { LIMITS } from '@postern/protocol/limits.ts'
import { expect, test } from 'vitest'
import { leaseOf } from './lease.ts'

test('a lease counts from when the beat was sent, and ends before another can get it', () => {
  const lease = leaseOf({ node: null, epoch: 7, mine: true, leaseMs: 6_000 }, 1_000)

  expect(lease).toEqual({ epoch: 7, until: 1_000 + 6_000 - LIMITS.leaseMarginMs })
})

test('a lease of another is none', () => {
  expect(leaseOf({ node: null, epoch: 7, mine: false, leaseMs: 6_000 }, 1_000)).toBeUndefined()
})
