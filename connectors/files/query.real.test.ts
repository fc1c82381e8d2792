import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { faultOf } from '@postern/testkit/fault-of.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Statement } from '../query-contract.ts'
import { column, shapeOf, soon, TestStore } from './testing/test-store.ts'

let store: TestStore

beforeAll(async () => {
  store = await TestStore.open({ memoryMb: 256, maxQueries: 3 })
  await store.put('people.csv', 'id,name,born\n1,Ann,1990-02-03\n2,"B ""o"", b",\n3,"",2001-01-01\n')
  await store.put('people.tsv', 'id\tname\n1\tAnn\n')
  await store.put('events.ndjson', '{"id":1,"tags":["a","b"],"at":"2024-01-02T03:04:05Z"}\n{"id":2,"tags":null,"at":null}\n')
  await store.put('sales/2023.csv', 'id,amount\n1,10.5\n')
  await store.put('sales/2024.csv', 'id,amount\n2,20\n3,30.25\n')
  await store.put('sales/.hidden.csv', 'id,amount\n4,99\n')
  await store.put('.secret.csv', 'a\n1\n')
  await store.put("o'dd [1].csv", 'a\n7\n')
  await store.fill(shapeOf([column('id', 'int32'), column('name', 'text')]), 'copied.parquet/', ['1,a\n2,b\n', '3,c\n'])
  await writeFile(join(store.path, '..', 'outside.csv'), 'a\nnot yours\n')
  await mkdir(join(store.path, '..', 'beside'))
  await writeFile(join(store.path, '..', 'beside', 'x.csv'), 'a\nnot yours\n')
  await symlink(join(store.path, '..', 'outside.csv'), join(store.path, 'link.csv'))
  await symlink(join(store.path, '..', 'beside'), join(store.path, 'linked'))
})

afterAll(() => store?.[Symbol.asyncDispose]())

const open = (sql: string, more: Partial<Statement> = {}, signal = soon()) =>
  store.session.query({ sql, params: [], mode: 'read', format: 'ndjson', ...more }, signal)

async function ask(sql: string, more: Partial<Statement> = {}): Promise<string> {
  return text((await open(sql, more)).bytes)
}

describe('files are named in FROM', () => {
  const wanted: readonly (readonly [string, string])[] = [
    [`select id, name from 'people.csv' where born is null`, '{"id":2,"name":"B \\"o\\", b"}\n'],
    [`from "people.tsv"`, '{"id":1,"name":"Ann"}\n'],
    [`select sum(amount) as s from 'sales/*.csv'`, '{"s":60.75}\n'],
    [`select count(*) as n from 'sales/'`, '{"n":3}\n'],
    [`select count(*) as n from sales`, '{"n":3}\n'],
    [`select count(*) as n, max(name) as m from 'copied.parquet/'`, '{"n":3,"m":"c"}\n'],
    [`select count(*) as n from read_parquet('copied.parquet/*.parquet')`, '{"n":3}\n'],
    [`select count(*) as n from read_csv('sales/*.csv', header = true)`, '{"n":3}\n'],
    [`select count(*) as n from read_csv(['sales/2023.csv', 'sales/2024.csv']) where amount > 15`, '{"n":2}\n'],
    [`select a from 'o''dd [1].csv'`, '{"a":7}\n'],
    [`select a from read_csv('o''dd [1].csv')`, '{"a":7}\n'],
    [`with sales as (select 1 as n) select n from sales`, '{"n":1}\n'],
    [
      `select p.name, s.amount from 'people.csv' p join 'sales/*.csv' s using (id) order by id limit 1; -- the first`,
      '{"name":"Ann","amount":10.5}\n',
    ],
    [`select column_name, column_type from (describe 'people.csv') limit 1`, '{"column_name":"id","column_type":"BIGINT"}\n'],
    [`select (select count(*) from 'sales/*.csv') as n`, '{"n":3}\n'],
  ]
  test.each(wanted)('%s', async (sql, answer) => {
    expect(await ask(sql)).toBe(answer)
  })

  test('describe, summarize and explain answer', async () => {
    expect(await ask(`describe 'people.csv'`)).toContain('"column_name":"born","column_type":"DATE"')
    expect((await ask(`summarize 'people.csv'`)).trim().split('\n')).toHaveLength(3)
    expect(await ask(`explain select * from 'people.csv'`, { format: 'csv' })).toMatch(/^plan\n[\s\S]*READ_CSV/)
  })
})

describe('nothing but the files of the store is read, and nothing is written', () => {
  const refused: readonly (readonly [string, string])[] = [
    [`select * from '/etc/passwd'`, 'PATH_OUTSIDE'],
    [`select * from '../outside.csv'`, 'PATH_OUTSIDE'],
    [`select * from 'sales/../../outside.csv'`, 'PATH_OUTSIDE'],
    [`select * from 'link.csv'`, 'PATH_OUTSIDE'],
    [`select * from 'linked/x.csv'`, 'PATH_OUTSIDE'],
    [`select * from 'linked/*.csv'`, 'PATH_OUTSIDE'],
    [`select * from 'linked/'`, 'PATH_OUTSIDE'],
    [`select * from link.csv`, 'PATH_OUTSIDE'],
    [`select * from read_csv('link.csv')`, 'PATH_OUTSIDE'],
    [`select * from read_csv('l*.csv')`, 'PATH_OUTSIDE'],
    [`select * from read_text(['people.csv', '/etc/passwd'])`, 'PATH_OUTSIDE'],
    [`select * from read_blob('../**')`, 'PATH_OUTSIDE'],
    [`select * from glob('/etc/*')`, 'PATH_OUTSIDE'],
    [`select * from 'https://example.org/a.csv'`, 'FILE_MISSING'],
    [`select * from 's3://bucket/a.parquet'`, 'FILE_MISSING'],
    [`select * from '.secret.csv'`, 'FILE_MISSING'],
    [`select * from read_csv('sales/.hidden.csv')`, 'FILE_MISSING'],
    [`select * from 'no.csv'`, 'FILE_MISSING'],
    [`select * from nowhere`, 'QUERY_FAILED'],
    [`select * from read_text('link' || '.csv')`, 'QUERY_FAILED'],
    [`with "link.csv" as (select 1) select * from (with x as (select 2) select * from x), "link.csv"`, 'QUERY_FAILED'],
    [`select * from query('select * from ''link.csv''')`, 'QUERY_FAILED'],
    [`select * from query_table('link.csv')`, 'QUERY_FAILED'],
    [`select json_serialize_plan('select * from ''link.csv''')`, 'QUERY_FAILED'],
    [`select * from json_execute_serialized_sql('x')`, 'QUERY_FAILED'],
    [`select getenv('HOME')`, 'QUERY_FAILED'],
    [`select * from duckdb_settings()`, 'QUERY_FAILED'],
    [`show tables`, 'QUERY_FAILED'],
    [`select 1; select 2`, 'QUERY_FAILED'],
    [`-- nothing`, 'QUERY_FAILED'],
    [`select 1) as t(a), (select 2`, 'QUERY_FAILED'],
    [`select 1; drop table x`, 'QUERY_READ_ONLY'],
    [`copy (select 1) to 'new.csv'`, 'QUERY_READ_ONLY'],
    [`copy (select 1) to '/tmp/new.csv'`, 'QUERY_READ_ONLY'],
    [`explain analyze copy (select 1) to 'new.csv'`, 'QUERY_READ_ONLY'],
    [`attach 'new.db'`, 'QUERY_READ_ONLY'],
    [`install httpfs`, 'QUERY_READ_ONLY'],
    [`load httpfs`, 'QUERY_READ_ONLY'],
    [`set memory_limit = '10GB'`, 'QUERY_READ_ONLY'],
    [`reset memory_limit`, 'QUERY_READ_ONLY'],
    [`pragma enable_profiling`, 'QUERY_READ_ONLY'],
    [`export database 'new'`, 'QUERY_READ_ONLY'],
    [`create table t as select 1`, 'QUERY_READ_ONLY'],
    [`create macro m() as table select * from 'link.csv'`, 'QUERY_READ_ONLY'],
    [`prepare p as select 1`, 'QUERY_READ_ONLY'],
    [`call pragma_version()`, 'QUERY_READ_ONLY'],
    [`insert into t values (1)`, 'QUERY_READ_ONLY'],
  ]
  test.each(refused)('%s', async (sql, code) => {
    const before = await store.names()

    const fault = await faultOf(open(sql))

    expect(fault.code).toBe(code)
    expect(fault.message).not.toMatch(/\n|not yours/)
    expect(await store.names()).toEqual(before)
  })

  test('neither is it in mode write', async () => {
    expect((await faultOf(open(`copy (select 1) to 'new.csv'`, { mode: 'write' }))).code).toBe('QUERY_READ_ONLY')
  })
})

test('values are bound, never spliced', async () => {
  const sql = 'select $1 as s, $2::int + 1 as n, $3::boolean as b, $4::text as nothing, $5::double as d'
  const answer = await ask(sql, { params: [`'; drop table t; --`, 41, true, null, 0.5] })

  expect(JSON.parse(answer)).toEqual({ s: `'; drop table t; --`, n: 42, b: true, nothing: null, d: 0.5 })
  expect(await ask(`select name from 'people.csv' where id = $1`, { params: [1] })).toBe('{"name":"Ann"}\n')
  expect(await ask(`select name from 'people.csv' where born = ?::date`, { params: ['1990-02-03'] })).toBe('{"name":"Ann"}\n')
  expect((await faultOf(open('select $1', {}))).message).toContain('1 parameters, 0 values')
})

const TYPES = `select true as b, -3::tinyint as i8, 300::smallint as i16, 70000 as i32, 12345678901::bigint as i64, 9007199254740993 as big,
  170141183460469231731687303715884105727::hugeint as huge, 1.50::decimal(6,2) as dec, 0.1::double as f, 1.5::float as f32, 'nan'::double as nan,
  'x"y' as t, '\\xAB'::blob as raw, date '2020-01-02' as d, date '0044-03-15 (BC)' as bc, time '01:02:03.5' as clock, timestamp '2020-01-02 03:04:05.6' as ts,
  timestamptz '2020-01-02 03:04:05+02' as tz, '{"a": 1}'::json as j, [1, null] as l, {'k': 'v'} as st, interval 1 day as iv,
  '5e0f0a0c-0000-4000-8000-000000000001'::uuid as u, null as nothing, 1 as "b"`

test('values look as those of PostgreSQL do', async () => {
  const [row] = JSON.parse(await ask(TYPES, { format: 'json' })) as Record<string, unknown>[]

  expect(row).toEqual({
    ...{ b: true, i8: -3, i16: 300, i32: 70_000, i64: 12_345_678_901, big: '9007199254740993' },
    ...{ huge: '170141183460469231731687303715884105727', dec: 1.5, f: 0.1, f32: 1.5, nan: 'NaN', t: 'x"y', raw: '\\xab' },
    ...{ d: '2020-01-02', bc: '0044-03-15 BC', clock: '01:02:03.5', ts: '2020-01-02T03:04:05.6', tz: '2020-01-02T01:04:05Z' },
    ...{ j: { a: 1 }, l: [1, null], st: { k: 'v' }, iv: '1 day', u: '5e0f0a0c-0000-4000-8000-000000000001', nothing: null, b_2: 1 },
  })
  expect(await ask(`select true as b, null as n, '' as e, timestamptz '2020-01-02 03:04:05+02' as tz, 'a,b' as c`, { format: 'csv' })).toBe(
    'b,n,e,tz,c\nt,,"",2020-01-02 01:04:05+00,"a,b"\n',
  )
})

test('an Arrow stream has the types of the columns', async () => {
  const chunks: Buffer[] = []
  for await (const chunk of (await open(TYPES, { format: 'arrow' })).bytes) chunks.push(chunk)
  const table = tableFromIPC(Buffer.concat(chunks))

  expect(table.numRows).toBe(1)
  expect(Object.fromEntries(table.schema.fields.map(({ name, type }) => [name, String(type)]))).toMatchObject({
    ...{ b: 'Bool', i8: 'Int16', i32: 'Int32', i64: 'Int64', huge: 'Utf8', dec: 'Utf8', f: 'Float64', f32: 'Float32' },
    ...{ raw: 'Binary', d: 'Date32<DAY>', ts: 'Timestamp<MICROSECOND>', tz: 'Timestamp<MICROSECOND, UTC>', j: 'Utf8', l: 'Utf8' },
  })
  expect(table.getChild('big')?.get(0)).toBe(9_007_199_254_740_993n)
})

test('no rows are still an answer of their format', async () => {
  const none = `select id, name from 'people.csv' where id < 0`

  expect(await ask(none, { format: 'json' })).toBe('[]\n')
  expect(await ask(none, { format: 'csv' })).toBe('id,name\n')
  expect(await ask(none)).toBe('')
})

test('rows keep the order that the statement asks for, over many batches', async () => {
  const rows = (await ask('select n from range(200000) t(n) order by n desc', { format: 'csv' })).trim().split('\n')

  expect(rows).toHaveLength(200_001)
  expect(rows.slice(1).every((row, i) => Number(row) === 199_999 - i)).toBe(true)
})

test('a result larger than memoryMb passes', async () => {
  const answer = await open(`select n, repeat('x', 1000) as filler from range(600000) t(n)`)
  let bytes = 0
  for await (const chunk of answer.bytes) bytes += chunk.length

  expect(answer.rows()).toBe(600_000)
  expect(bytes).toBeGreaterThan(600_000_000)
})

test('a fault after the first byte cuts the result and says why', async () => {
  await store.put('late.csv', `id,n\n${'1,2\n'.repeat(200_000)}x,secret\n`)
  const answer = await open(`select * from read_csv('late.csv', columns = {'id': 'INTEGER', 'n': 'INTEGER'}, parallel = false)`)

  const fault = await faultOf(text(answer.bytes))

  expect(fault.code).toBe('ROW_INVALID')
  expect(fault.message).toContain('file late.csv, line 200002')
  expect(fault.message).not.toMatch(/\n|secret/)
})

test('no error on the way is taken for the end', async () => {
  const answer = await open(`select case when n = 1500000 then error('boom') else n end as n from range(3000000) t(n)`)
  const fault = await faultOf(text(answer.bytes))

  expect(fault.code).toBe('QUERY_FAILED')
  expect(fault.message).toContain('boom')
  expect(answer.rows()).toBeGreaterThan(100_000)
})

test('a broken file is told as broken', async () => {
  await store.put('broken.parquet', 'PAR1 but not really, this is text')

  expect((await faultOf(open(`from 'broken.parquet'`))).code).toBe('ROW_INVALID')
})

test('more queries at a time than the limit are refused, and a slow one holds back no other', async () => {
  const slow = await Promise.all([1, 2].map(() => open(`select n, repeat('x', 1000) as filler from range(5000000) t(n)`)))
  await Promise.all(slow.map(({ bytes }) => new Promise((resolve) => bytes.once('readable', resolve))))

  expect(await ask('select 1 as n')).toBe('{"n":1}\n')
  slow.push(await open(`select n, repeat('x', 1000) as filler from range(5000000) t(n)`))
  expect((await faultOf(open('select 1'))).code).toBe('STORE_BUSY')

  for (const { bytes } of slow) bytes.destroy()
  await waitFor(
    'all have ended',
    () => store.session.running(),
    (running) => running.length === 0,
  )
  expect(await ask('select 2 as n')).toBe('{"n":2}\n')
})

test('a time limit ends a query', async () => {
  const sql = 'select sum(hash(a.range + b.range)) from range(1000000) a, range(1000000) b'

  expect((await faultOf(open(sql, {}, AbortSignal.timeout(300)))).code).toBe('TIMED_OUT')
})

test('one statement that takes more memory than there is fails alone', async () => {
  const fault = await faultOf(open(`select list(n || repeat('x', 100)) as all_of_it from range(20000000) t(n)`))

  expect(fault.code).toBe('QUERY_FAILED')
  expect(fault.remedy).toContain('memoryMb')
  expect(await ask('select 3 as n')).toBe('{"n":3}\n')
})
