import { expect, test } from 'vitest'
import { startsAsRead, writesFile } from './read-only.ts'

test.each([
  'select 1',
  ' (select 1)',
  '/* a */ with t as (select 1) select 1',
  '-- a\nSELECT 1',
  '# a\nshow tables',
  'explain select 1',
  'table t',
])('%s may run as a read', (sql) => expect(startsAsRead(sql)).toBe(true))

test.each(['call p()', '/*! select */ 1', '/*M!100000 call p() */', 'set @a = 1', 'begin', 'commit', '', '--', 'selection', 'do sleep(1)'])(
  '%s may not',
  (sql) => expect(startsAsRead(sql)).toBe(false),
)

test('a file that is written is seen behind comments', () => {
  expect(writesFile(`select 1 into /* x */ outfile '/tmp/x'`)).toBe(true)
  expect(writesFile(`select 1 INTO\nDUMPFILE '/tmp/x'`)).toBe(true)
  expect(writesFile('select a_into outfile from t')).toBe(false)
})
