import { expect, test } from 'vitest'
import { ago, limitsOf } from './node-facts.ts'

const limits = {
  jobLimit: 4,
  jobLimitReason: 'auto: 2 cores → 4',
  queryLimit: 64,
  queryLimitReason: 'auto: 2 cores → 64',
  cpuLimitPercent: 0,
  cpuLimitReason: '',
  memoryLimitPercent: 90,
  memoryLimitReason: 'of the gateway',
  averages: { cpuPercent: 12, memoryPercent: 55, overSeconds: 300 },
} as Parameters<typeof limitsOf>[0]

test('each limit says how it came about and what it is held against', () => {
  expect(limitsOf(limits)).toEqual([
    ['Copy tasks at a time', '4 (auto: 2 cores → 4)'],
    ['Queries at a time', '64 (auto: 2 cores → 64)'],
    ['CPU', 'off; now 12 % on average over 5 min'],
    ['Memory', '90 % (of the gateway); now 55 % on average over 5 min'],
  ])
  expect(limitsOf({ ...limits, averages: null })[2]).toEqual(['CPU', 'off'])
})

test.each([
  [-5, '0 s ago'],
  [59_000, '59 s ago'],
  [61_000, '1 min ago'],
  [7_200_000, '2 h ago'],
  [200_000_000, '2 d ago'],
])('%i ms are %s', (ms, text) => expect(ago(ms)).toBe(text))
