import { faultOf } from '@postern/testkit/fault-of.ts'
import { testSession } from '@postern/testkit/postgres-session.ts'
import { expect, test } from 'vitest'

/** More than often enough for a name. */
const TIMES = 8
const PREPARED = `select count(*) as n from pg_prepared_statements where name like 'postern%' and statement like '%t where n = %'`

test('a text that comes often is prepared once, and answers as before', async () => {
  await using on = await testSession({ maxConnections: 1 })
  await on.db.query('create table t as select n, n * 2 as twice from generate_series(1, 10) n')

  const answers: string[] = []
  for (let n = 1; n <= TIMES; n += 1) answers.push(await on.ask('select twice from t where n = $1', { params: [n] }))

  expect(answers).toEqual(Array.from({ length: TIMES }, (_, i) => `{"twice":${2 * (i + 1)}}\n`))
  expect(await on.ask(PREPARED)).toBe('{"n":1}\n')
  expect(await on.ask('select twice from t where n = $1', { params: [2], maxRows: 1, timeoutMs: 5_000 })).toBe('{"twice":4}\n')
})

test('a prepared text whose columns have changed answers as the table is now', async () => {
  await using on = await testSession({ maxConnections: 1 })
  await on.db.query('create table t as select 1 as n')
  for (let i = 0; i < TIMES; i += 1) await on.ask('select * from t where n = 1')

  await on.db.query(`alter table t add column more text default 'x'`)
  const after = await on.ask('select * from t where n = 1')

  expect(after).toBe('{"n":1,"more":"x"}\n')
  expect(await on.ask('select * from t where n = 1')).toBe('{"n":1,"more":"x"}\n')
})

test('a prepared text that fails says why, and answers again afterwards', async () => {
  await using on = await testSession({ maxConnections: 1 })
  const sql = 'select 1 / $1::int as n'
  for (let i = 0; i < TIMES; i += 1) await on.ask(sql, { params: [1] })

  const fault = await faultOf(on.ask(sql, { params: [0] }))

  expect(fault.code).toBe('QUERY_FAILED')
  expect(fault.message).toContain('division by zero')
  expect(await on.ask(sql, { params: [1] })).toBe('{"n":1}\n')
})

test('what functions prepare, drop and lock behind a read is not there for the next one', async () => {
  await using on = await testSession({ maxConnections: 1 })
  await on.db.query(`create table t as select 1 as n;
    create function f(what text) returns int language plpgsql as $$ begin execute what; return 1; end $$`)
  const sql = 'select n from t where n = 1'
  const pid = await on.ask('select pg_backend_pid() as pid')
  for (let i = 0; i < TIMES; i += 1) await on.ask(sql)

  for (const what of ['deallocate postern_check', 'deallocate all', 'prepare mine as select 1', 'select pg_advisory_lock(7)', 'listen x']) {
    await on.ask('select f($1)', { params: [what] })
    expect(await on.ask(sql)).toBe('{"n":1}\n')
    const left = await on.ask(`select (select count(*) from pg_prepared_statements where from_sql) as prepared,
      (select count(*) from pg_locks where locktype = 'advisory') as locks, (select count(*) from pg_listening_channels()) as channels`)
    expect(JSON.parse(left)).toEqual({ prepared: 0, locks: 0, channels: 0 })
  }
  expect(await on.ask('select pg_backend_pid() as pid')).toBe(pid)
})

test('a read after a write on the same connection finds its names again', async () => {
  await using on = await testSession({ maxConnections: 1 })
  await on.db.query('create table t as select 1 as n')

  for (let i = 0; i < TIMES; i += 1) {
    await on.ask('select n from t where n = 1')
    await on.ask('insert into t values (2)', { mode: 'write' })
    expect(await on.ask('select n from t where n = 1', { format: 'csv' })).toBe('n\n1\n')
  }

  expect(await on.ask('select n from t where n = 1')).toBe('{"n":1}\n')
})
