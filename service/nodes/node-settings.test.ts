import { GatewaySettings, type SettingsChange } from '@postern/protocol/api/gateways.ts'
import { expect, test } from 'vitest'
import { settingsOf } from './node-settings.ts'

test('what is not set is at its default', () => {
  expect(settingsOf({ cpuPercent: 80 })).toEqual({ ...GatewaySettings.parse({}), cpuPercent: 80 })
})

test('settings and values of a newer version are as if nobody had set them, and the others hold', () => {
  const kept = { cpuPercent: 80, policy: 'nearest', madeUpLater: 7, toString: 1 } as unknown as SettingsChange

  expect(settingsOf(kept)).toEqual({ ...GatewaySettings.parse({}), cpuPercent: 80 })
})
