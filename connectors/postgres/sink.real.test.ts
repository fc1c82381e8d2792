import { faultOf } from '@postern/testkit/fault-of.ts'
import { copied, limit, sessionOf, testSession } from '@postern/testkit/postgres-session.ts'
import { expect, test } from 'vitest'

const NUMBERS = "(select n as id, 'name ' || n as name from generate_series(1, 100) n)"

test('an overwrite swaps the tables and keeps grants, comment and the names of indexes', async () => {
  await using on = await testSession()
  await on.db.query(`create table t (id int primary key, name text default 'x', check (id > 0)); create index by_name on t (lower(name));
    insert into t values (1, 'old'); comment on table t is 'it''s mine'; grant select on t to pg_monitor with grant option; grant insert on t to public`)
  const [before] = await on.db.query<{ oid: string }>(`select 't'::regclass::oid as oid`)

  await (await copied(on, { what: NUMBERS, where: 't', mode: 'overwrite' })).publish()

  const [after] = await on.db.query<{ oid: string }>(`select 't'::regclass::oid as oid`)
  expect(after?.oid).not.toBe(before?.oid)
  expect(await on.db.query(`select count(*)::int as n, obj_description('t'::regclass) as comment from t`)).toEqual([
    { n: 100, comment: `it's mine` },
  ])
  expect(
    await on.db.query(
      `select relacl::text like '%pg_monitor=r*/%' and relacl::text like '%=a/%' as kept from pg_class where oid = 't'::regclass`,
    ),
  ).toEqual([{ kept: true }])
  expect(await on.db.query(`select indexrelid::regclass::text as name from pg_index where indrelid = 't'::regclass order by 1`)).toEqual([
    { name: 'by_name' },
    { name: 't_pkey' },
  ])
})

test.each([
  ['a view', 'create view v as select id from t'],
  ['a foreign key', 'create table child (id int references t); insert into child values (1)'],
  ['a serial column', `alter table t add extra serial`],
  [
    'a trigger',
    `create function tf() returns trigger language plpgsql as 'begin return new; end'; create trigger tr before insert on t for each row execute function tf()`,
  ],
])('an overwrite of a table with %s replaces its rows and keeps the table', async (_, hanging) => {
  await using on = await testSession()
  await on.db.query(
    `create table t (id int primary key, name text); insert into t values (1, 'old'); ${hanging.replace('references t', 'references t deferrable initially deferred')}`,
  )
  const [before] = await on.db.query<{ oid: string }>(`select 't'::regclass::oid as oid`)

  await (await copied(on, { what: NUMBERS, where: 't', mode: 'overwrite' })).publish()

  expect(await on.db.query(`select count(*)::int as n, 't'::regclass::oid as oid from t`)).toEqual([{ n: 100, oid: before?.oid }])
})

test('a row that does not fit is told by table, line and column, without its value', async () => {
  await using on = await testSession()
  await on.db.query('create table t (id int)')
  const fault = await faultOf(
    copied(on, { what: `(select case when n = 7 then 'secret-value' else n::text end as id from generate_series(1, 10) n)`, where: 't' }),
  )

  expect(fault.code).toBe('ROW_INVALID')
  expect(fault.message).toContain('public.t')
  expect(fault.message).toContain('line 7, column id')
  expect(`${JSON.stringify(fault)} ${String(fault.cause)}`).not.toContain('secret-value')
})

test('a table that does not fit is refused before a row is read, and the fault names the columns', async () => {
  await using on = await testSession()
  await on.db.query('create table a (id int, other text); create table b (id int, name text, needed int not null)')
  const refused = async (where: string) => (await faultOf(copied(on, { what: NUMBERS, where }))).message

  expect(await refused('a')).toContain('public.a has no column name')
  expect(await refused('b')).toContain('needs a value for needed')
  expect((await faultOf(copied(on, { what: NUMBERS, where: 'nowhere.t' }))).code).toBe('TABLE_MISSING')
})

test('an upsert needs a unique index on the key', async () => {
  await using on = await testSession()
  await on.db.query('create table t (id int, name text)')
  const fault = await faultOf(copied(on, { what: NUMBERS, where: 't', mode: 'upsert', key: ['id'] }))

  expect(fault.code).toBe('COPY_UNSUPPORTED')
  expect(fault.remedy).toContain('create unique index')
})

test('an upsert from a source with one key twice changes nothing', async () => {
  await using on = await testSession()
  await on.db.query(`create table t (id int primary key, name text); insert into t values (1, 'old')`)
  const copy = await copied(on, { what: `(select 1 as id, 'x' as name union all select 1, 'y')`, where: 't', mode: 'upsert', key: ['id'] })
  const fault = await faultOf(copy.publish())

  expect(fault.code).toBe('ROW_INVALID')
  expect(fault.message).toContain('same key (id)')
  expect(await on.db.query('select name from t')).toEqual([{ name: 'old' }])
})

test('what was appended to a table with rows is digested without those', async () => {
  await using on = await testSession()
  await on.db.query(`create table t (id int, name text); insert into t values (1, 'there before')`)
  const shape = await on.source.describe(NUMBERS, {}, limit())
  const copy = await copied(on, { what: NUMBERS, where: 't' })
  const from = await on.source.digest({ shape, part: null, snapshot: null, columns: shape.columns, checksum: true }, limit())

  expect(await on.sink.digest({ target: copy.target, run: copy.run, columns: copy.target.columns, checksum: true }, limit())).toEqual(from)
})

test('a user who may not create the commit records is told what to grant', async () => {
  await using on = await testSession()
  await on.db.query(
    `create role writer_${process.pid} login password 'writer-1'; create table t (id int, name text); grant select, insert, delete on t to writer_${process.pid}`,
  )
  try {
    const session = await sessionOf({ ...on.db, user: `writer_${process.pid}`, password: 'writer-1' })
    const shape = await on.source.describe(NUMBERS, {}, limit())
    const fault = await faultOf(
      session.sink?.prepare(
        { run: 'run_x', shape, where: 'public.t', mode: 'append', key: [], encodings: ['pg-text'], verify: 'counts' },
        limit(),
      ) ?? Promise.resolve(),
    )
    await session[Symbol.asyncDispose]()

    expect(fault.code).toBe('NOT_ALLOWED')
    expect(fault.remedy).toContain('create schema postern')
  } finally {
    await on.db.query(`drop owned by writer_${process.pid}; drop role writer_${process.pid}`)
  }
})

test('of binary and text it takes binary between the same types only', async () => {
  await using on = await testSession()
  await on.db.query('create table t (id bigint, name text)')

  const shape = await on.source.describe(NUMBERS, {}, limit())
  const encodings = ['pg-binary', 'pg-text'] as const
  const chosen = (where: string, run: string) =>
    on.sink.prepare({ run, shape, where, mode: 'append', key: [], encodings, verify: 'none' }, limit())

  expect([(await chosen('t', 'run_t')).encoding, (await chosen('new_table', 'run_n')).encoding]).toEqual(['pg-text', 'pg-binary'])
  expect((await faultOf(copied(on, { what: NUMBERS, where: 't', encoding: 'pg-binary' }))).code).toBe('COPY_UNSUPPORTED')
  await copied(on, { what: NUMBERS, where: 't', encoding: 'pg-text' })
  expect(await on.db.query('select count(*)::int as n from t')).toEqual([{ n: 100 }])
})

test('a type that the target does not know becomes text', async () => {
  await using on = await testSession()
  await using into = await testSession()
  await on.db.query(`create type mood as enum ('good', 'bad'); create table t (id int, m mood); insert into t values (1, 'good')`)
  const shape = await on.source.describe('t', {}, limit())
  const target = await into.sink.prepare(
    { run: 'run_m', shape, where: 't', mode: 'append', key: [], encodings: ['pg-text'], verify: 'counts' },
    limit(),
  )

  expect(target.columns.map((column) => column.native)).toEqual(['integer', 'text'])
  expect(target.notes.join(' ')).toContain('mood')
})

test('what the target generates itself is left out of the copy', async () => {
  await using on = await testSession()
  await on.db.query('create table c (id int, name text generated always as (id::text) stored)')
  const shape = await on.source.describe(NUMBERS, {}, limit())
  const target = await on.sink.prepare(
    { run: 'run_g', shape, where: 'c', mode: 'append', key: [], encodings: ['pg-text'], verify: 'counts' },
    limit(),
  )

  expect(target).toMatchObject({ omits: ['name'], columns: [{ name: 'id' }] })
  expect(target.notes.join(' ')).toContain('public.c generates them: name')
})
