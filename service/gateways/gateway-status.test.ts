import { expect, test } from 'vitest'
import { gatewayStatus, majorityVersion } from './gateway-status.ts'

test.each([
  [[], 'needs-registration'],
  [['online', 'online'], 'online'],
  [['online', 'offline'], 'limited'],
  [['limited'], 'limited'],
  [['online', 'draining'], 'limited'],
  [['offline', 'offline'], 'offline'],
  [['inactive', 'disabled'], 'limited'],
  [['offline', 'disabled'], 'offline'],
  [['disabled'], 'offline'],
  [['online', 'disabled'], 'online'],
  [['limited', 'disabled'], 'limited'],
  [['upgrading'], 'offline'],
  [['online', 'upgrading'], 'limited'],
  [['draining', 'offline'], 'offline'],
] as const)('nodes %j make it %s', (nodes, status) => {
  const members = nodes.map((one, index) => ({ name: `n${index}`, status: one, statusReasons: ['because'] }))

  const found = gatewayStatus(members)

  expect(found.status).toBe(status)
  // Reasons whenever something is not as it should be.
  expect(found.reasons.length > 0).toBe(status !== 'online')
})

test('its reasons name the nodes that are in trouble, and not for ever', () => {
  const member = (name: string, status: 'online' | 'offline' | 'disabled') => ({ name, status, statusReasons: ['silent for 2 h'] })

  expect(gatewayStatus([member('a', 'online'), member('b', 'offline'), member('c', 'disabled')])).toEqual({
    status: 'limited',
    reasons: ['b is offline: silent for 2 h'],
  })
  const many = gatewayStatus(Array.from({ length: 50 }, (_, n) => member(`n${n}`, 'offline')))
  expect(many.reasons).toHaveLength(21)
  expect(many.reasons.at(-1)).toBe('and 30 more')
})

test('its version is that of most nodes, of equally many the newest', () => {
  expect(majorityVersion([])).toBe('')
  expect(majorityVersion(['1.0.0', '1.1.0', '1.0.0'])).toBe('1.0.0')
  expect(majorityVersion(['1.9.0', '1.10.0'])).toBe('1.10.0')
})
