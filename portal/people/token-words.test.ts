import type { TokenView } from '@postern/protocol/api/tokens.ts'
import { expect, test } from 'vitest'
import { allows, bodyOf, isOver, lacking, NEW_TOKEN } from './token-words.ts'

const NOW = Date.parse('2026-11-22T12:00:00.000Z')
const token = {
  id: 'tok_00000000000000000000',
  name: 'ci',
  role: 'none',
  roles: [],
  owner: null,
  limits: {},
  createdAt: '2026-11-22T12:00:00.000Z',
  createdBy: 'ann',
  expiresAt: null,
} as unknown as TokenView

test('a token of one’s own needs only a name, and says nothing of roles', () => {
  const form = { ...NEW_TOKEN, name: ' laptop ' }

  expect(lacking(form)).toBeUndefined()
  expect(bodyOf(form, NOW)).toEqual({ name: 'laptop', forMe: true, limits: {}, expiresAt: '2027-02-20T12:00:00.000Z' })
})

test('a token of a program says what it is for', () => {
  const form = { ...NEW_TOKEN, name: 'nightly', forMe: false }

  expect(lacking(form)).toContain('Say what it is for')
  expect(lacking({ ...form, roles: [{ role: '', on: 'store/shop' }] })).toBe('Say for each role which and where')
  expect(lacking({ ...form, roles: [{ role: 'store-user', on: 'store/shop' }] })).toBeUndefined()
  expect(lacking({ ...form, role: 'reader' })).toBeUndefined()
})

test('limits that are not said are not sent, and one that never ends has no time', () => {
  const form = {
    ...NEW_TOKEN,
    name: 'nightly',
    forMe: false,
    days: '',
    roles: [{ role: 'store-user', on: 'store/shop' }],
    limits: { ...NEW_TOKEN.limits, maxRows: 1_000, connections: 0 },
  } as const

  expect(bodyOf({ ...form, roles: [...form.roles] }, NOW)).toEqual({
    name: 'nightly',
    forMe: false,
    limits: { maxRows: 1_000, connections: 0 },
    role: 'none',
    roles: [{ role: 'store-user', on: 'store/shop' }],
  })
})

test('what it may is said in words', () => {
  expect(allows({ ...token, role: 'owner', owner: 'person/ann' })).toBe('all that ann may')
  expect(allows({ ...token, role: 'reader', roles: [{ role: 'store-user', on: 'store/shop' }] })).toBe(
    'reader on the service, store-user on store shop',
  )
  expect(allows(token)).toBe('nothing by itself')
})

test('one that has ended is told from one that never does', () => {
  expect([isOver(token, NOW), isOver({ expiresAt: '2026-11-22T11:59:59.000Z' }, NOW)]).toEqual([false, true])
})
