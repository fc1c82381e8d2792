import { Fault } from '@postern/protocol/fault.ts'
import { expect, test } from 'vitest'
import { placeOfFault } from './fault-place.ts'

const POSTGRES = ['host', 'port', 'database', 'user', 'password', 'sslmode']

test.each([
  ['STORE_SETTINGS_INVALID', 'port: expected number.', 'port'],
  ['STORE_SETTINGS_INVALID', 'password', 'password'],
  ['INPUT_INVALID', 'body settings/host: too long.', 'host'],
  ['STORE_EXISTS', 'shop', 'name'],
  ['STORE_UNREACHABLE', 'db:5432', 'host'],
  ['STORE_DENIED', 'password authentication failed', 'password'],
  ['REFERENCE_MISSING', 'file:shop', 'password'],
] as const)('%s (%s) stands at %s', (code, at, field) => expect(placeOfFault(new Fault(code, { at }), POSTGRES)).toBe(field))

test.each([
  ['STORE_SETTINGS_INVALID', 'Where the credential goes has changed: set the credential too.'],
  ['NO_NODE_AVAILABLE', 'The gateway has no nodes.'],
] as const)('%s (%s) is about no field', (code, at) => expect(placeOfFault(new Fault(code, { at }), POSTGRES)).toBeUndefined())

test('each kind has its own place for the same fault', () => {
  const denied = new Fault('STORE_DENIED')

  expect(placeOfFault(denied, ['bucket', 'accessKeyId', 'secretAccessKey'])).toBe('secretAccessKey')
  expect(placeOfFault(new Fault('FILE_MISSING'), ['container', 'account'])).toBe('container')
  expect(placeOfFault(denied, ['path'])).toBeUndefined()
})
