import { Fault } from '@postern/protocol/fault.ts'
import { expect, test } from 'vitest'
import { parseTableName, quoteTable } from './names.ts'

test.each([
  ['orders', '"orders"'],
  ['Public.Orders', '"public"."orders"'],
  ['"Odd ""name"" . x".t', '"Odd ""name"" . x"."t"'],
  [' a . b ', '"a"."b"'],
  ['straße', '"straße"'],
])('%s names %s', (text, quoted) => {
  expect(quoteTable(parseTableName(text))).toBe(quoted)
})

test.each(['', 'a.b.c', 'a; drop table b', '"a', 'a b', "a'", '(select 1)', '1a'])('"%s" is not a name', (text) => {
  expect(() => parseTableName(text)).toThrow(Fault)
})
