import { expect, test } from 'vitest'
import { askedOf, askHindrance, copyHindrance, type Draft, planOf } from './draft.ts'

const draft: Draft = { store: 'shop', sql: 'select 1', params: [], as: 'table', mode: 'write', maxRows: 10, timeoutSeconds: 1.5 }

test('what is typed is asked, in the units of the service', () => {
  expect(askedOf(draft)).toEqual({ store: 'shop', sql: 'select 1', params: [], mode: 'write', as: 'table', maxRows: 10, timeoutMs: 1_500 })
  expect(askedOf({ ...draft, as: 'csv', maxRows: '', timeoutSeconds: '' })).not.toHaveProperty('maxRows')
  expect(askedOf({ ...draft, store: undefined })).toBeUndefined()
})

test('what is missing is said', () => {
  const name = (at: number) => `$${at + 1}`

  expect(askHindrance(draft, name)).toBeUndefined()
  expect(askHindrance({ ...draft, store: undefined }, name)).toBe('Choose a store')
  expect(askHindrance({ ...draft, sql: '' }, name)).toBe('Type a statement')
  expect(
    askHindrance(
      {
        ...draft,
        params: [
          { kind: 'text', text: '' },
          { kind: 'number', text: '' },
        ],
      },
      name,
    ),
  ).toBe('Give $2 a number')
})

test('a table has an end, whatever is typed', () => {
  expect(askedOf({ ...draft, maxRows: '' })?.maxRows).toBe(1_000)
  expect(askedOf({ ...draft, maxRows: 1e9 })?.maxRows).toBe(100_000)
})

test('a plan is asked for once, changes nothing and is not cut with the rows', () => {
  const asked = { store: 'shop', sql: 'select 1', params: [], mode: 'write', as: 'csv', maxRows: 1 } as const

  expect(planOf(asked)).toMatchObject({ sql: 'explain select 1', mode: 'read', as: 'table', isPlan: true, maxRows: 10_000 })
  expect(planOf({ ...asked, sql: ' EXPLAIN analyze select 1' }).sql).toBe(' EXPLAIN analyze select 1')
})

test('a result is copied where the statement is all that the copy needs', () => {
  expect(copyHindrance(draft)).toBeUndefined()
  expect(copyHindrance({ ...draft, sql: ' ' })).toMatch(/type a statement/)
  expect(copyHindrance({ ...draft, params: [{ kind: 'text', text: '' }] })).toMatch(/write them into the statement/)
  expect(copyHindrance({ ...draft, sql: 'x'.repeat(8_001) })).toMatch(/too long/)
})
