import { faultOf } from '@postern/testkit/fault-of.ts'
import { limit, type TestSession, testSession } from '@postern/testkit/postgres-session.ts'
import { expect, test } from 'vitest'
import type { Part, Shape } from '../copy-contract.ts'

async function cut(
  on: TestSession,
  what: string,
  wanted: number | null,
): Promise<{ shape: Shape; parts: readonly Part[]; rows: number[] }> {
  const shape = await on.source.describe(what, {}, limit())
  const parts = await on.source.split(shape, { wanted, snapshot: null }, limit())
  const rows: number[] = []
  for (const part of parts) {
    const stream = await on.source.read({ shape, part, encoding: 'pg-text', snapshot: null }, limit())
    stream.bytes.resume()
    await new Promise((resolve, reject) => stream.bytes.once('end', resolve).once('error', reject))
    rows.push(stream.rows())
  }
  return { shape, parts, rows }
}

const sum = (rows: readonly number[]) => rows.reduce((a, b) => a + b, 0)

test.each([
  ['evenly spread numbers', 'select n as k from generate_series(1, 10000) n', 'bigint'],
  [
    'mostly small numbers and a few huge',
    'select case when n > 9990 then n * 1000000000000 else n end as k from generate_series(1, 10000) n',
    'bigint',
  ],
  [
    'the ends of bigint',
    'select n as k from generate_series(1, 9998) n union all select -9223372036854775808 union all select 9223372036854775807',
    'bigint',
  ],
  [
    'dates',
    `select date '2000-01-01' + n as k from generate_series(1, 9998) n union all select 'infinity' union all select '-infinity'`,
    'date',
  ],
])('a key of %s is cut into parts of like size', async (_, rows, type) => {
  await using on = await testSession()
  await on.db.query(`create table t (k ${type} primary key); insert into t ${rows}; analyze t`)
  const { parts, rows: read } = await cut(on, 't', 8)

  expect(parts).toHaveLength(8)
  expect(sum(read)).toBe(10_000)
  expect(Math.max(...read)).toBeLessThan(2_500)
  expect(parts[0]?.name).toMatch(/^k .* to /)
})

test('a skewed key that was never analyzed is cut by a sample', async () => {
  await using on = await testSession()
  await on.db.query(`create table t (k bigint primary key) with (autovacuum_enabled = off);
    insert into t select case when n > 9990 then n * 1000000000000 else n end from generate_series(1, 10000) n`)
  const { parts, rows } = await cut(on, 't', 4)

  expect(parts).toHaveLength(4)
  expect(sum(rows)).toBe(10_000)
  expect(Math.max(...rows)).toBeLessThan(4_000)
})

test('a table without a usable key is cut by pages', async () => {
  await using on = await testSession()
  await on.db.query(
    `create table t (a text, b text); insert into t select n::text, repeat('x', 100) from generate_series(1, 10000) n; analyze t`,
  )
  const { parts, rows } = await cut(on, 't', 4)

  expect(parts.map((part) => part.name)[0]).toMatch(/^pages 0 to /)
  expect(parts).toHaveLength(4)
  expect(sum(rows)).toBe(10_000)
})

test('a partitioned table, a view, a statement and an inheritance parent are read whole', async () => {
  await using on = await testSession()
  await on.db.query(`
    create table p (id int, name text, primary key (id)) partition by range (id);
    create table p1 partition of p for values from (0) to (500); create table p2 partition of p for values from (500) to (2000);
    insert into p select n, 'x' from generate_series(1, 1000) n; analyze p; analyze p1; analyze p2;
    create view v as select * from p; create materialized view m as select * from p;
    create table parent (id int); create table child () inherits (parent); insert into parent values (1); insert into child values (2)`)

  for (const what of ['p', 'v', 'm', '(select * from p -- all\n;)'])
    expect([what, sum((await cut(on, what, 4)).rows)]).toEqual([what, 1_000])
  expect((await cut(on, 'p', 4)).parts).toHaveLength(4)
  expect(sum((await cut(on, 'parent', 1)).rows)).toBe(2)
})

test('an empty table and a table of one row have one part', async () => {
  await using on = await testSession()
  await on.db.query(
    'create table e (id int primary key); create table o (id int primary key); insert into o values (5); create table n (t text)',
  )

  expect([(await cut(on, 'e', 4)).rows, (await cut(on, 'o', 4)).rows, (await cut(on, 'n', 4)).rows]).toEqual([[0], [1], [0]])
})

test('describe knows columns, key and size', async () => {
  await using on = await testSession()
  await on.db.query(`create domain positive as numeric(10,2) check (value > 0);
    create table "Odd Name" (b int not null, a bigint not null, d positive, g int generated always as (b * 2) stored, unique (a, b), t text unique);
    insert into "Odd Name" (a, b, d) select n, n, 1.5 from generate_series(1, 100) n; analyze "Odd Name"`)
  const shape = await on.source.describe('public."Odd Name"', {}, limit())

  expect(shape).toMatchObject({ title: 'public."Odd Name"', key: ['a', 'b'], estimatedRows: 100, kind: 'postgres' })
  expect(shape.columns).toEqual([
    { name: 'b', type: { is: 'int32' }, native: 'integer', nullable: false },
    { name: 'a', type: { is: 'int64' }, native: 'bigint', nullable: false },
    { name: 'd', type: { is: 'decimal', precision: 10, scale: 2 }, native: 'numeric(10,2)', nullable: true },
    { name: 'g', type: { is: 'int32' }, native: 'integer', nullable: true },
    { name: 't', type: { is: 'text' }, native: 'text', nullable: true },
  ])
  expect(sum((await cut(on, '"Odd Name"', 2)).rows)).toBe(100)
})

test('a statement that is not one SELECT in brackets is refused', async () => {
  await using on = await testSession()
  await on.db.query('create table t (id int)')
  const code = async (what: string) => (await faultOf(on.source.describe(what, {}, limit()))).code

  expect(await code('(select 1) union (select 2)')).not.toBe('')
  expect(await code('(delete from t)')).toBe('INPUT_INVALID')
  expect(await code('(select 1 as a, 2 as a)')).toBe('COLUMN_MISMATCH')
  expect(await code('(select 1); drop table t; (select 2)')).not.toBe('')
  expect(await code('(select * from nothing)')).toBe('TABLE_MISSING')
  expect(await on.db.query(`select to_regclass('t')::text as t`)).toEqual([{ t: 't' }])
})

test('more readers than half of the connections wait their turn', async () => {
  await using on = await testSession({ maxConnections: 3 })
  await on.db.query('create table t (id int primary key); insert into t select generate_series(1, 1000)')
  const shape = await on.source.describe('t', {}, limit())
  const parts = await on.source.split(shape, { wanted: 4, snapshot: null }, limit())
  const counts = await Promise.all(
    parts.map(async (part) => {
      const stream = await on.source.read({ shape, part, encoding: 'csv', snapshot: null }, limit())
      for await (const _ of stream.bytes);
      return stream.rows()
    }),
  )

  expect(sum(counts)).toBe(1_000)
})
