import { expect, test } from 'vitest'
import { parseTableName, quoteTable } from './names.ts'

test.each([
  ['orders', '`orders`'],
  ['shop.Orders', '`shop`.`Orders`'],
  ['`my ``odd` . "sp ace"', '`my ``odd`.`sp ace`'],
  ['`a.b`', '`a.b`'],
])('%s is %s', (text, sql) => expect(quoteTable(parseTableName(text))).toBe(sql))

test.each(['', 'a b', 'a.b.c', '`open', 'a;drop table b'])('"%s" names no table', (text) =>
  expect(() => parseTableName(text)).toThrow('does not name a table'),
)
