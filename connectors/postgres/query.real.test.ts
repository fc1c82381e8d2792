import { faultOf } from '@postern/testkit/fault-of.ts'
import { limit, testSession } from '@postern/testkit/postgres-session.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { expect, test } from 'vitest'

test('what a read does to its session is not there for the next one', async () => {
  await using on = await testSession({ maxConnections: 1 })
  const pid = await on.ask('select pg_backend_pid() as pid')

  await on.ask(`select set_config('search_path', 'evil', false), set_config('my.own', 'left', false), pg_advisory_lock(7), setseed(0.5)`)
  await on.ask('set role pg_monitor')
  await on.ask('prepare mine as select 1')
  await on.ask('listen something')
  await on.ask('begin')
  await on.ask('commit')
  const after = await on.ask(
    `select current_setting('search_path') as path, current_user = session_user as self, current_setting('my.own', true) as own,
            (select count(*) from pg_prepared_statements where from_sql) as prepared, (select count(*) from pg_listening_channels()) as channels,
            (select count(*) from pg_locks where locktype = 'advisory') as locks`,
  )

  expect(JSON.parse(after)).toEqual({
    path: '"$user", public',
    self: true,
    own: expect.toBeOneOf(['', null]),
    prepared: 0,
    channels: 0,
    locks: 0,
  })
  expect(await on.ask('select pg_backend_pid() as pid')).toBe(pid)
})

test('what a write leaves in its session is not there for the next one', async () => {
  await using on = await testSession({ maxConnections: 1 })

  await on.ask('create temporary table mine (n int)', { mode: 'write' })
  await on.ask(`set search_path = 'evil'`, { mode: 'write' })
  await faultOf(on.ask('select 1/0', { mode: 'write' }))
  const after = await on.ask(`select current_setting('search_path') as path, to_regclass('mine')::text as mine`)

  expect(JSON.parse(after)).toEqual({ path: '"$user", public', mine: null })
})

test('no way of asking makes a read change data', async () => {
  await using on = await testSession()
  await on.db.query(
    `create table t (n int); create function f() returns int language sql volatile as 'insert into t values (1) returning n'`,
  )
  const tries = [
    'select f()',
    'with x as (insert into t values (1) returning n) select * from x',
    `select set_config('transaction_read_only', 'off', true), f()`,
    `do $$ begin perform set_config('transaction_read_only', 'off', false); insert into t values (1); end $$`,
    `select 1; insert into t values (1)`,
    `select 1) to program 'true' --`,
    `select 1) to stdout; insert into t values (1); --`,
    `commit; insert into t values (1)`,
  ]
  for (const sql of tries) for (const format of ['csv', 'json'] as const) await faultOf(on.ask(sql, { format }))
  await on.ask('set session characteristics as transaction read write')
  await on.ask('commit')

  expect(await on.db.query('select count(*)::int as n from t')).toEqual([{ n: 0 }])
})

test('a write is committed, and an error rolls it back', async () => {
  await using on = await testSession()
  await on.ask('create table t (n int primary key)', { mode: 'write' })

  expect(await on.ask('insert into t values (1), (2) returning n', { mode: 'write', format: 'csv' })).toBe('n\n1\n2\n')
  expect((await faultOf(on.ask('insert into t values (3), (1)', { mode: 'write' }))).code).toBe('QUERY_FAILED')
  expect(await on.ask('select count(*) as n from t')).toBe('{"n":2}\n')
})

test('values are bound, never spliced', async () => {
  await using on = await testSession()

  const answer = await on.ask('select $1 as s, $2::int + 1 as n, $3::boolean as b, $4::text as nothing', {
    params: [`'; drop table t; --`, 41, true, null],
  })

  expect(JSON.parse(answer)).toEqual({ s: `'; drop table t; --`, n: 42, b: true, nothing: null })
})

test('CSV is the same whether COPY or rows made it', async () => {
  await using on = await testSession()
  const sql = `select 1 as "a,b", null::text as c, '' as "c", 'x"y' as d, E'l1\\nl2' as e, true as f, '\\.' as g, ' s ' as h, '2020-01-02 03:04:05+00'::timestamptz as i`

  const copied = await on.ask(sql, { format: 'csv' })
  const rows = await on.ask(sql, { format: 'csv', maxRows: 10 })

  expect(rows).toBe(copied)
  expect(await on.ask(`select '\\.' as g`, { format: 'csv' })).toBe(await on.ask(`select '\\.' as g`, { format: 'csv', maxRows: 10 }))
  expect(await on.ask('select 1 as n;  ', { format: 'csv' })).toBe('n\n1\n')
  expect(await on.ask('select 1 as n -- end', { format: 'csv' })).toBe('n\n1\n')
  expect(await on.ask('explain select 1', { format: 'csv' })).toMatch(/^QUERY PLAN\n/)
})

test('a fault after the first byte cuts the result and says why', async () => {
  await using on = await testSession()
  const sql = `select n, repeat('x', 1000) as s, 1 / (50000 - n) as d from generate_series(1, 100000) n`
  const answer = await on.session.query?.({ sql, params: [], mode: 'read', format: 'ndjson' }, limit())
  const fault = await faultOf(
    (async () => {
      for await (const _ of answer?.bytes ?? []) {
        /* read on */
      }
    })(),
  )

  expect(fault.code).toBe('QUERY_FAILED')
  expect(fault.message).toContain('division by zero')
  expect(answer?.rows()).toBeGreaterThan(1_000)
})

test('a query that finds no free connection waits, and its wait can be cut short', async () => {
  await using on = await testSession({ maxConnections: 1 })
  const slow = new AbortController()
  const first = faultOf(
    on.session.query?.({ sql: 'select pg_sleep(60)', params: [], mode: 'read', format: 'json' }, slow.signal) ?? Promise.resolve(),
  )
  await waitFor(
    'it sleeps',
    () => on.db.query(`select 1 from pg_stat_activity where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()`),
    (rows) => rows.length === 1,
  )
  const cut = faultOf(
    on.session.query?.({ sql: 'select 1', params: [], mode: 'read', format: 'json' }, AbortSignal.timeout(50)) ?? Promise.resolve(),
  )
  const waits = on.ask('select 1 as n')

  expect((await cut).code).toBe('TIMED_OUT')
  slow.abort()
  expect((await first).code).toBe('CANCELLED')
  expect(await waits).toBe('{"n":1}\n')
})

test('a server that ends the connection is told as lost, and the next query gets a new one', async () => {
  await using on = await testSession({ maxConnections: 1 })
  const lost = faultOf(on.ask('select pg_sleep(60) as dying'))
  const sql = `select pg_terminate_backend(pid) from pg_stat_activity where query like '%dying%' and state = 'active' and pid <> pg_backend_pid()`
  await waitFor(
    'it is terminated',
    () => on.db.query(sql),
    (rows) => rows.length === 1,
  )

  expect((await lost).code).toBe('STORE_LOST')
  expect(await on.ask('select 1 as n')).toBe('{"n":1}\n')
})

test('an idle connection that the server has closed is not used again', async () => {
  await using on = await testSession({ maxConnections: 1 })
  await on.ask('select 1')
  await on.db.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'postern' and datname = current_database()`,
  )
  await waitFor(
    'it is gone',
    () => on.db.query(`select 1 from pg_stat_activity where application_name = 'postern' and datname = current_database()`),
    (rows) => rows.length === 0,
  )

  expect(await on.ask('select 2 as n')).toBe('{"n":2}\n')
})

test('COPY with STDIN or STDOUT is refused, and the session goes on', async () => {
  await using on = await testSession({ maxConnections: 1 })
  await on.db.query('create table t (n int)')

  expect((await faultOf(on.ask('copy t from stdin', { mode: 'write' }))).code).toBe('QUERY_FAILED')
  expect((await faultOf(on.ask('copy t to stdout'))).code).toBe('QUERY_FAILED')
  expect(await on.ask('select 3 as n')).toBe('{"n":3}\n')
})

test('a statement with a time-out is ended by the database itself, and the next one has none', async () => {
  await using on = await testSession({ maxConnections: 1 })

  const fault = await faultOf(on.ask('select pg_sleep(60)', { timeoutMs: 100 }))
  const inWrite = await faultOf(on.ask('select pg_sleep(60)', { timeoutMs: 100, mode: 'write' }))

  expect([fault.code, inWrite.code]).toEqual(['TIMED_OUT', 'TIMED_OUT'])
  expect(await on.ask(`select current_setting('statement_timeout') as ms`, { timeoutMs: 90_000 })).toBe('{"ms":"90s"}\n')
  expect(await on.ask(`select current_setting('statement_timeout') as ms`)).toBe('{"ms":"0"}\n')
})

test('parameters that are too few or too many are a fault of the statement: the connection stands, and nobody asks again elsewhere', async () => {
  await using on = await testSession({ maxConnections: 1 })
  const pid = await on.ask('select pg_backend_pid() as pid')

  const few = await faultOf(on.ask('select $1::int'))
  const many = await faultOf(on.ask('select 1', { params: [1, 2] }))
  const raised = await faultOf(on.ask(`do $$ begin raise 'the other server is away' using errcode = '08001'; end $$`))

  expect([few.code, many.code, raised.code]).toEqual(['QUERY_FAILED', 'QUERY_FAILED', 'QUERY_FAILED'])
  expect(few.message).toContain('supplies 0 parameters')
  expect(await on.ask('select pg_backend_pid() as pid')).toBe(pid)
})
