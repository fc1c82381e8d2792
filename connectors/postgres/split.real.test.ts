/** Where tables, views and statements are cut: every row in one part, and no part much larger than it must be. */
import { faultOf } from '@postern/testkit/fault-of.ts'
import { limit, type TestSession, testSession } from '@postern/testkit/postgres-session.ts'
import { describe, expect, test } from 'vitest'
import type { Part, Shape } from '../copy-contract.ts'

interface CutIn {
  readonly parts: readonly Part[]
  readonly rows: readonly number[]
}

async function cut(on: TestSession, what: string, wanted: number, splitBy?: string): Promise<CutIn> {
  await using snapshot = await on.source.snapshot?.(limit())
  const shape = await on.source.describe(what, {}, limit())
  const how = { wanted, snapshot: snapshot?.id ?? null, ...(splitBy !== undefined && { splitBy }) }
  const parts = await on.source.split(shape, how, limit())
  return { parts, rows: await read(on, shape, parts, snapshot?.id ?? null) }
}

async function read(on: TestSession, shape: Shape, parts: readonly Part[], snapshot: string | null): Promise<number[]> {
  const rows: number[] = []
  for (const part of parts) {
    const stream = await on.source.read({ shape, part, encoding: 'pg-text', snapshot }, limit())
    for await (const _ of stream.bytes);
    const digest = await on.source.digest({ shape, part, snapshot, columns: [], checksum: false }, limit())
    expect(digest.rows).toBe(stream.rows())
    rows.push(stream.rows())
  }
  return rows
}

const sum = (rows: readonly number[]) => rows.reduce((a, b) => a + b, 0)
const estimates = (parts: readonly Part[]) => parts.map(({ estimatedRows }) => estimatedRows ?? -1)

describe('a column that is named to split by', () => {
  test.each([
    ['text', `'name ' || md5(n::text)`],
    ['text', `case n % 4 when 0 then E'back\\\\slash ''' || n when 1 then E'line\\n' || n when 2 then 'é😀' || n else '"q", ' || n end`],
    ['uuid', 'md5(n::text)::uuid'],
    ['numeric', 'n * 1.000000000000000000001'],
    ['double precision', `case when n % 50 = 0 then 'NaN' when n % 51 = 0 then '-Infinity' else n / 3.0 end`],
    ['timestamp', `case when n % 100 = 0 then 'infinity' else timestamp '0044-01-01 BC' + n * interval '1 year 1 microsecond' end`],
    ['timestamptz', `timestamptz '2020-01-01 00:00:00+02' + n * interval '1 second 1 microsecond'`],
    ['date', `date '0001-01-01 BC' + n`],
    ['bytea', `decode(md5(n::text), 'hex')`],
    ['bigint', 'n'],
    ['time', `time '00:00' + n * interval '1 second'`],
    ['interval', `n * interval '1 hour'`],
    ['boolean', 'n % 2 = 0'],
    ['smallint', 'n % 7'],
  ])('of type %s (%s) cuts the rows, those without a value too', async (type, value) => {
    await using on = await testSession()
    await on.db.query(
      `create table t (k ${type}, n int primary key); insert into t select case when n % 40 <> 7 then (${value})::${type} end, n from generate_series(1, 4000) n; analyze t`,
    )

    const { parts, rows } = await cut(on, 't', 4, 'k')

    expect(sum(rows)).toBe(4_000)
    expect(parts.length).toBeGreaterThan(1)
    if (!['boolean', 'smallint'].includes(type)) expect(Math.max(...rows)).toBeLessThan(1_500)
  })

  test('of which most rows have the same value cuts the others, and the parts say how large they are', async () => {
    await using on = await testSession()
    await on.db.query(
      `create table t (k int, n int primary key); insert into t select case when n <= 8000 then 5 else n end, n from generate_series(1, 10000) n; analyze t`,
    )

    const { parts, rows } = await cut(on, 't', 8, 'k')

    expect(sum(rows)).toBe(10_000)
    expect(rows.filter((each) => each >= 8_000)).toHaveLength(1)
    expect(parts.length).toBeGreaterThan(1)
    for (const [i, estimate] of estimates(parts).entries()) expect(Math.abs(estimate - (rows[i] ?? 0))).toBeLessThan(600)
  })

  test('also cuts views, statements, partitioned tables and foreign shapes of any kind', async () => {
    await using on = await testSession()
    await on.db.query(`
      create table p (id int, name text) partition by hash (id);
      create table p1 partition of p for values with (modulus 2, remainder 0); create table p2 partition of p for values with (modulus 2, remainder 1);
      insert into p select n, 'name ' || n from generate_series(1, 2000) n; analyze p; create view v as select * from p`)

    for (const what of ['p', 'v', '(select * from p)']) {
      const { parts, rows } = await cut(on, what, 4, 'name')
      expect([what, parts.length, sum(rows)]).toEqual([what, 4, 2_000])
      expect(Math.max(...rows)).toBeLessThan(700)
    }
  })

  test('that is not there, or has no order, is refused by name', async () => {
    await using on = await testSession()
    await on.db.query(`create table t (k json, n int primary key); insert into t select '{}', n from generate_series(1, 10) n`)

    expect((await faultOf(cut(on, 't', 4, 'x'))).message).toContain('public.t has no column x; it has k, n')
    expect((await faultOf(cut(on, 't', 4, 'k'))).message).toContain('values of k (json) have no order')
  })
})

test('a key of which the first column repeats is cut by what is there, not between its ends', async () => {
  await using on = await testSession()
  await on.db.query(`create table t (tenant int, id int, primary key (tenant, id));
    insert into t select case when n <= 9000 then 1 + n % 3 else n - 8990 end, n from generate_series(1, 10000) n; analyze t`)

  const { rows } = await cut(on, 't', 4)

  expect(sum(rows)).toBe(10_000)
  expect(Math.max(...rows)).toBeLessThan(5_000)
})

test('a key whose table has grown a hundredfold since it was analyzed is still cut into like parts', async () => {
  await using on = await testSession()
  await on.db.query(`create table t (id bigint primary key, x text) with (autovacuum_enabled = off); insert into t select n, 'x' from generate_series(1, 100) n; analyze t;
    insert into t select n * 1000, 'x' from generate_series(101, 10000) n`)

  const { parts, rows } = await cut(on, 't', 4)

  expect(parts).toHaveLength(4)
  expect(Math.max(...rows)).toBeLessThan(3_500)
})

test('a partitioned table without a key is read partition by partition, the large ones in pieces', async () => {
  await using on = await testSession()
  await on.db.query(`
    create table p (at date, "Odd ""col" text) partition by range (at);
    create table p_a partition of p for values from ('2020-01-01') to ('2021-01-01');
    create table "P b" partition of p for values from ('2021-01-01') to ('2022-01-01') partition by list ("Odd ""col");
    create table p_b1 partition of "P b" for values in ('x'); create table p_rest partition of p default;
    insert into p select date '2020-01-01' + n % 360, 'x' from generate_series(1, 20000) n; insert into p select '2021-05-05', 'x' from generate_series(1, 500); analyze p`)

  const { parts, rows } = await cut(on, 'p', 6)

  expect(sum(rows)).toBe(20_500)
  expect(parts.map(({ name }) => name)).toEqual([
    expect.stringMatching(/^public\.p_a pages 0 to /),
    ...Array.from({ length: parts.length - 3 }, () => expect.stringMatching(/^public\.p_a pages/)),
    'public.p_b1',
    'public.p_rest',
  ])
  expect(parts.length).toBeGreaterThan(4)
})

test('rows that come while a table is cut and read are not of the snapshot, and none of the old ones is lost', async () => {
  await using on = await testSession()
  await on.db.query(`create table k (id int primary key, x text); insert into k select n, 'x' from generate_series(1, 3000) n; analyze k;
    create table h (x text); insert into h select repeat('x', 100) from generate_series(1, 3000); analyze h`)
  for (const what of ['k', 'h']) {
    await using snapshot = await on.source.snapshot?.(limit())
    const id = snapshot?.id ?? null
    const shape = await on.source.describe(what, {}, limit())
    await on.db.query(
      what === 'k'
        ? `insert into k select n, 'y' from generate_series(-1000, 0) n; delete from k where id % 2 = 0; insert into k select n, 'y' from generate_series(5000, 9000) n`
        : `insert into h select 'y' from generate_series(1, 9000)`,
    )
    const parts = await on.source.split(shape, { wanted: 4, snapshot: id }, limit())

    expect([what, sum(await read(on, shape, parts, id))]).toEqual([what, 3_000])
  }
})

describe('rows above a watermark', () => {
  const above = async (on: TestSession, what: string, column: string, from: string | null) => {
    const shape = await on.source.describe(what, {}, limit())
    const found = await on.source.above?.({ shape, column, from, snapshot: null }, limit())
    if (!found) throw new Error('no watermarks')
    const parts = await on.source.split(found.shape, { wanted: 3, snapshot: null }, limit())
    return { to: found.to, parts, rows: sum(await read(on, found.shape, parts, null)), shape: found.shape }
  }

  test.each([
    ['bigint', 'n', '2000', '3000'],
    ['date', `date '2020-01-01' + n`, '2025-06-23', '2028-03-19'],
    ['timestamp', `timestamp '2020-01-01' + n * interval '1 microsecond'`, '2020-01-01 00:00:00.002', '2020-01-01 00:00:00.003'],
    ['timestamptz', `timestamptz '2020-01-01 00:00:00+02' + n * interval '1 minute'`, '2020-01-02 07:20:00+00', '2020-01-03 00:00:00+00'],
  ])('of type %s: from the beginning, then only what is new, in parts', async (type, value, middle, last) => {
    await using on = await testSession()
    await on.db.query(
      `create table t (id int primary key, at ${type} not null); insert into t select n, ${value} from generate_series(1, 3000) n; analyze t`,
    )

    for (const what of ['t', '(select * from t)']) {
      expect(await above(on, what, 'at', null)).toMatchObject({ to: last, rows: 3_000 })
      const some = await above(on, what, 'at', middle)
      expect(some).toMatchObject({ to: last, rows: 1_000 })
      if (what === 't') expect(some.parts).toHaveLength(3)
      expect(await above(on, what, 'at', last)).toMatchObject({ to: null, rows: 0 })
    }
  })

  test('refuses columns that cannot be one, and rows that would never be copied', async () => {
    await using on = await testSession()
    await on.db.query(
      `create table t (id int primary key, at timestamptz, name text); insert into t values (1, now(), 'x'), (2, null, 'y')`,
    )

    expect((await faultOf(above(on, 't', 'name', null))).message).toContain('name is text')
    expect((await faultOf(above(on, 't', 'nothing', null))).code).toBe('COLUMN_MISMATCH')
    expect((await faultOf(above(on, 't', 'at', null))).message).toContain('public.t has rows without a value in "at"')
    await on.db.query(`update t set at = 'infinity' where id = 2`)
    expect((await faultOf(above(on, 't', 'at', null))).message).toContain('infinite')
  })
})
