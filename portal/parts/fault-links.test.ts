import { FAULTS } from '@postern/protocol/fault.ts'
import { expect, test } from 'vitest'
import { linksOf } from './fault-links.ts'

const place = { gateway: 'demo', stores: ['shop', 'lake'], run: 'run_1' }

test.each([
  [
    'STORE_DENIED',
    [
      { to: 'store-settings', store: 'shop' },
      { to: 'store-settings', store: 'lake' },
    ],
  ],
  [
    'TABLE_MISSING',
    [
      { to: 'store-tables', store: 'shop' },
      { to: 'store-tables', store: 'lake' },
    ],
  ],
  ['TABLE_EXISTS', [{ to: 'copy-anew', run: 'run_1' }]],
  ['VERIFICATION_FAILED', [{ to: 'verification', run: 'run_1' }]],
  ['GATEWAY_AT_CPU_LIMIT', [{ to: 'gateway-setting', gateway: 'demo', setting: 'cpuPercent' }]],
  ['NO_NODE_AVAILABLE', [{ to: 'gateway', gateway: 'demo' }]],
])('%s leads to where it is mended', (code, links) => {
  expect(linksOf(code, place)).toEqual(links)
})

test('what the page does not know it does not link to, and what no page mends neither', () => {
  for (const code of Object.keys(FAULTS)) expect(linksOf(code, {})).toEqual([])
  expect(linksOf('INTERNAL', place)).toEqual([])
  expect(linksOf('constructor', place)).toEqual([])
})
