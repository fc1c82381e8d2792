import { expect, test } from 'vitest'
import { gatewayStatus, majorityVersion } from './gateway-status.ts'

test.each([
  [[], 'needs-registration'],
  [['online', 'online'], 'online'],
  [['online', 'offline'], 'limited'],
  [['limited'], 'limited'],
  [['online', 'draining'], 'limited'],
  [['offline', 'offline'], 'offline'],
  [['inactive', 'disabled'], 'offline'],
] as const)('nodes %j make it %s', (nodes, status) => {
  expect(gatewayStatus(nodes)).toBe(status)
})

test('its version is that of most nodes, of equally many the newest', () => {
  expect(majorityVersion([])).toBe('')
  expect(majorityVersion(['1.0.0', '1.1.0', '1.0.0'])).toBe('1.0.0')
  expect(majorityVersion(['1.9.0', '1.10.0'])).toBe('1.10.0')
})
