import { faultOf } from '@postern/testkit/fault-of.ts'
import { limit, type TestSession, testSession } from '@postern/testkit/postgres-session.ts'
import { tableFromIPC } from 'apache-arrow'
import { expect, test } from 'vitest'
import type { Statement } from '../query-contract.ts'

const NASTY = `select yes::bool, small::int2, whole::int4, big::int8, short::float4, long::float8, day::date, clock::time, at::timestamp,
  moment::timestamptz, bytes::bytea, id::oid, words, number::numeric, doc::jsonb from (values
  ('t', '1', '-2147483648', '9223372036854775807', '1.5', 'NaN', 'infinity', '24:00:00',
   '0044-03-15 12:00:00 BC', '2024-02-29 23:59:59.999999+05:30', '\\x00ff10', '26', 'ä€', '1e30', '{"a":1}'),
  ('f', '-32768', '2147483647', '-9223372036854775808', '-Infinity', '-0', '-infinity', '00:00:00.000001',
   'infinity', '-infinity', '', '4294967295', '', 'NaN', 'null'),
  (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
  ('t', '0', '0', '4294967296', '3.4028235e38', '5e-324', '0001-01-01 BC', '12:34:56.789', '294276-12-31 23:59:59.999999',
   '4713-01-01 00:00:00+00 BC', '\\x${'ab'.repeat(100)}', '0', '${'x'.repeat(1_000)}', '0.1', '[]'),
  ('f', '7', '7', '7', '7', '7', '5874897-12-31', '00:00', '1969-12-31 23:59:59.999999', '2255-06-06', '\\x07', '7', '7', '7', '7')
) as nasty (yes, small, whole, big, short, long, day, clock, at, moment, bytes, id, words, number, doc)`

async function arrow(on: TestSession, sql: string, more: Partial<Statement> = {}): Promise<Buffer> {
  const answer = await on.session.query?.({ sql, params: [], mode: 'read', format: 'arrow', ...more }, limit())
  if (!answer) throw new Error('postgres answers queries')
  return Buffer.concat(await answer.bytes.toArray())
}

test("a read takes PostgreSQL's binary form, and gives the same Arrow bytes as a write, which takes text", async () => {
  await using on = await testSession({ maxConnections: 1 })

  const binary = await arrow(on, NASTY)
  const text = await arrow(on, NASTY, { mode: 'write' })

  expect(tableFromIPC(binary).numRows).toBe(5)
  expect(binary.equals(text)).toBe(true)
})

test('batches that share their memory hold their own rows', async () => {
  await using on = await testSession({ maxConnections: 1 })
  const sql = `select n, n % 3 = 0 as third, case when n % 7 <> 0 then 'row ' || n end as name, case when n % 2 = 0 then n::float8 end as half
    from generate_series(1, $1::int) n`

  const table = tableFromIPC(await arrow(on, sql, { params: [30_000] }))

  expect(table.batches.length).toBeGreaterThan(2)
  let n = 0
  for (const row of table) {
    n += 1
    if (row['n'] !== n || row['third'] !== (n % 3 === 0)) throw new Error(`row ${n}: ${row}`)
    if (row['name'] !== (n % 7 === 0 ? null : `row ${n}`) || row['half'] !== (n % 2 === 0 ? n : null)) throw new Error(`row ${n}: ${row}`)
  }
  expect(n).toBe(30_000)
})

test('an Arrow answer of nothing, of few rows, and of a failure', async () => {
  await using on = await testSession({ maxConnections: 1 })

  expect(tableFromIPC(await arrow(on, 'select 1 as n where false')).numRows).toBe(0)
  expect(tableFromIPC(await arrow(on, 'select n from generate_series(1, 100) n', { maxRows: 3, timeoutMs: 5_000 })).numRows).toBe(3)
  expect((await faultOf(arrow(on, 'selec 1'))).code).toBe('QUERY_FAILED')
  expect((await faultOf(arrow(on, 'select 1 / 0 as n'))).message).toContain('division by zero')
  expect((await faultOf(arrow(on, 'select 1; select 2'))).code).toBe('QUERY_FAILED')
  expect(tableFromIPC(await arrow(on, 'set search_path to evil')).numRows).toBe(0)
  expect(await on.ask('select 1 as n')).toBe('{"n":1}\n')
})
