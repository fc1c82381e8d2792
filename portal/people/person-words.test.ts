import type { PersonView } from '@postern/protocol/api/people.ts'
import { expect, test } from 'vitest'
import { reasonsOf, stateOf, wayOf } from './person-words.ts'

const ann = {
  id: 'per_00000000000000000000',
  name: 'ann',
  displayName: '',
  email: null,
  role: 'user',
  disabled: false,
  password: 'set',
  issuer: null,
  createdAt: '2026-11-22T12:00:00.000Z',
  createdBy: 'bob',
  signedInAt: null,
} as PersonView

test('an account that nobody has used yet is told from one with a reset password', () => {
  expect(stateOf({ ...ann, password: 'once' })).toBe('new')
  expect(stateOf({ ...ann, password: 'once', signedInAt: '2026-11-22T12:00:00.000Z' })).toBe('active')
  expect(stateOf({ ...ann, password: 'once', disabled: true })).toBe('disabled')
})

test('what is not plain has a reason', () => {
  expect([reasonsOf(ann), reasonsOf({ ...ann, disabled: true }).length, reasonsOf({ ...ann, password: 'once' }).length]).toEqual([[], 1, 1])
})

test('who comes from a provider is shown with its host', () => {
  expect([wayOf({ ...ann, issuer: 'https://login.example.com/realms/acme', password: 'none' }), wayOf(ann)]).toEqual([
    'login.example.com',
    'password',
  ])
})
