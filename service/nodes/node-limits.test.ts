import { expect, test } from 'vitest'
import { jobLimit, percentLimit, queryLimit } from './node-limits.ts'

const GIB = 1 << 30

test.each([
  [2, 24 * GIB, 4, 'auto: 2 cores → 4'],
  [8, 2 * GIB, 4, 'auto: 2.0 GiB memory → 4'],
  [0.5, 256 << 20, 2, 'auto: 0.3 GiB memory → 2'],
  [1, 8 * GIB, 2, 'auto: 1 core → 2'],
  [64, 512 * GIB, 128, 'auto: 64 cores → 128'],
])('%d cores and %d bytes run so many jobs', (cores, totalMemoryBytes, limit, reason) => {
  expect(jobLimit('auto', { cores, totalMemoryBytes }, 'by default')).toEqual({ limit, reason })
})

test('a setting wins over the formula', () => {
  expect(jobLimit(7, { cores: 1, totalMemoryBytes: GIB }, 'for this node')).toEqual({ limit: 7, reason: 'set for this node to 7' })
  expect(queryLimit(3, null, 'for the gateway')).toEqual({ limit: 3, reason: 'set for the gateway to 3' })
})

test('queries are 32 a core, and never fewer than 32', () => {
  expect(queryLimit('auto', { cores: 4, totalMemoryBytes: GIB }, 'by default').limit).toBe(128)
  expect(queryLimit('auto', { cores: 0.25, totalMemoryBytes: GIB }, 'by default').limit).toBe(32)
  expect(queryLimit('auto', null, 'by default').limit).toBe(32)
})

test('CPU and memory are limited where somebody says so', () => {
  expect(percentLimit(0, 'by default', 5)).toEqual({ limit: 0, reason: 'off by default' })
  expect(percentLimit(80, 'for this node', 2)).toEqual({ limit: 80, reason: 'set for this node to 80 %, of the average over 2 min' })
})
