import type { Connector } from '@postern/connectors/contract.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { expect, test } from 'vitest'
import { checkSettings, connectorOf } from './store-settings.ts'

const postgres = CONNECTORS.get('postgres') as Connector
const good = { host: 'db', database: 'shop', user: 'reader' }

function faultOf(work: () => unknown): [string, string] {
  try {
    work()
  } catch (cause) {
    if (cause instanceof Fault) return [cause.code, cause.message]
    throw cause
  }
  return ['none', '']
}

test('settings are kept as given, converted, without defaults', () => {
  expect(checkSettings(postgres, { ...good, port: '6543' }, ['password'])).toEqual({ ...good, port: 6543 })
})

test.each([
  ['an unknown setting', { ...good, hots: 'x' }, [], 'SETTING_UNKNOWN', /"hots" is none of host, port/],
  ['an unknown secret', good, ['pasword'], 'SETTING_UNKNOWN', /"pasword"/],
  ['a secret in clear', { ...good, password: 'hunter2' }, [], 'STORE_SECRET_IN_CLEAR', /It is password/],
  ['a setting that is no secret', good, ['host'], 'STORE_SETTINGS_INVALID', /host: is no secret/],
  ['a missing setting', { host: 'db', user: 'x' }, [], 'STORE_SETTINGS_INVALID', /database: is missing/],
  ['a wrong value', { ...good, port: 'many' }, [], 'STORE_SETTINGS_INVALID', /port: /],
] as const)('%s is refused by name', (_what, settings, secrets, code, says) => {
  const [found, message] = faultOf(() => checkSettings(postgres, settings, secrets))

  expect(found).toBe(code)
  expect(message).toMatch(says)
  expect(message).not.toContain('hunter2')
})

test('an unknown kind lists the kinds there are', () => {
  expect(faultOf(() => connectorOf(CONNECTORS, 'oracle'))[1]).toMatch(/"oracle" is none of .*postgres/)
})
