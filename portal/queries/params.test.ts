import { expect, test } from 'vitest'
import { paramCount, paramProblem, paramsFor, paramValue } from './params.ts'

test.each([
  ['select 1', 0],
  ['select $1, $2', 2],
  ['select $3', 3],
  ['select \'$1\', "a$2" -- $3\n from t /* $4 */ where x = $1', 1],
  ['select $$a $1$$, $q$ $2 $q$, a$1', 0],
])('%s asks for %i values', (sql, count) => expect(paramCount(sql, 'postgres')).toBe(count))

test.each([
  ['select ?, ?', 2],
  [`select '?', "it\\"s ?", \`a?\`, ? -- ?\n# ?\nfrom t /* ? */`, 1],
  ['select $1', 0],
])('%s asks MySQL for %i values', (sql, count) => expect(paramCount(sql, 'mysql')).toBe(count))

test('what was typed stays when the statement changes', () => {
  expect(paramsFor(2, [{ kind: 'number', text: '1' }])).toEqual([
    { kind: 'number', text: '1' },
    { kind: 'text', text: '' },
  ])
})

test('values go as what they are; what a double does not hold goes as text', () => {
  expect(paramValue({ kind: 'number', text: ' 12.5 ' })).toBe(12.5)
  expect(paramValue({ kind: 'number', text: '9007199254740993' })).toBe('9007199254740993')
  expect(paramValue({ kind: 'flag', text: 'true' })).toBe(true)
  expect(paramValue({ kind: 'null', text: 'x' })).toBeNull()
  expect(paramProblem({ kind: 'number', text: 'twelve' })).toBe('Is no number')
  expect(paramProblem({ kind: 'text', text: '' })).toBeUndefined()
})
