import type { PersonView } from '@postern/protocol/api/people.ts'
import { expect, test } from 'vitest'
import { stateOf, wayOf } from './person-words.ts'

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
  expect(stateOf({ ...ann, password: 'once' })).toBe('first sign-in open')
  expect(stateOf({ ...ann, password: 'once', signedInAt: '2026-11-22T12:00:00.000Z' })).toBe('active')
  expect(stateOf({ ...ann, password: 'once', disabled: true })).toBe('disabled')
})

test('who comes from a provider is shown with its host', () => {
  expect([wayOf({ ...ann, issuer: 'https://login.example.com/realms/acme', password: 'none' }), wayOf(ann)]).toEqual([
    'login.example.com',
    'password',
  ])
})
