/** Repair of what was published over, or into, a table of MariaDB that has been changed since. */
import { type MysqlDatabase, MysqlServer, mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type OpenedStore, openPostgres, openStore } from './testing/real-stores.ts'
import { ordered, repaired, repairOrder } from './testing/repairing.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

const missing = mysqlMissing()
const ROWS = 4_000
const COLUMNS = 'town varchar(40), name varchar(40), n int'
const KEYED = `create table t (id bigint primary key, ${COLUMNS}, unique (n))`
/** What makes the server put rows into the table, and not a table into the place of another. */
const HELD = 'create trigger held before insert on t for each row set new.town = new.town'
const CHILD = 'create table child (p bigint, foreign key (p) references t (id))'
const DAMAGE = `update t set name = 'changed' where id between 1990 and 2010; delete from t where id = 5`

describe.skipIf(missing !== undefined)(`repair of what is published in MariaDB${missing ? `: ${missing}` : ''}`, () => {
  let server: MysqlServer
  let mysql: MysqlDatabase
  let database: TestDatabase
  let stores: { readonly shop: OpenedStore; readonly lake: OpenedStore }

  beforeAll(async () => {
    server = await MysqlServer.start()
    mysql = await server.database()
    database = await testDatabase()
    await database.query(`create table people as
      select i::bigint as id, 'town ' || i % 50 as town, 'name ' || i as name, i as n from generate_series(1, ${ROWS}) i;
      alter table people add primary key (id); analyze people; create table plain as select * from people; analyze plain`)
    const { host, port, name, user, password } = mysql
    stores = {
      shop: await openPostgres(database),
      lake: await openStore('mysql', { host, port, database: name, user }, { password }),
    }
  })

  afterAll(async () => {
    for (const each of [...Object.values(stores ?? {}), database, mysql, server]) await each?.[Symbol.asyncDispose]()
  })

  beforeEach(() => mysql.query('drop table if exists child; drop table if exists t'))

  const copy = (more: Partial<ConstructorParameters<typeof Run>[0]> = {}) =>
    new Run({ from: 'people', to: 't', mode: 'overwrite', key: ['id'], parts: 4, verify: 'checksum', ...more })
  const same = async (where = 'true') => {
    const rows = (await mysql.query(`select id, town, name, n from t where ${where} order by id`)).map((row) => ({
      ...row,
      id: Number(row['id']),
    }))
    expect(rows).toEqual(await database.query('select id::int, town, name, n from people order by people.id'))
  }
  /** Tables of ours but the records. */
  const leftovers = async () =>
    (
      await mysql.query(
        `select table_name as name from information_schema.tables where table_schema = database() and table_name like '\\_postern\\_%'`,
      )
    )
      .map((row) => String(row['name'] ?? row['NAME']))
      .filter((name) => !['_postern_commits', '_postern_runs'].includes(name))

  describe.each([
    ['made by an overwrite, and has the key of the source only', 'overwrite', ''],
    ['overwritten by a swap', 'overwrite', `${KEYED}; insert into t (id, name) values (-7, 'old'), (3, 'old')`],
    ['overwritten by new rows, since a trigger hangs on it', 'overwrite', `${KEYED}; ${HELD}`],
    ['overwritten by new rows, since rows of others refer to it', 'overwrite', `${KEYED}; ${CHILD}`],
    ['made by an upsert', 'upsert', ''],
    ['upserted and had no row', 'upsert', KEYED],
  ] as const)('a table that was %s', (_, mode, tables) => {
    test('gets the parts again that differ, and no others', async () => {
      if (tables !== '') await mysql.query(tables)
      await using engine = engineOver(stores)
      const run = copy({ mode })
      const first = await runAll(engine, run)
      await mysql.query(DAMAGE)

      const { again, verification } = await repaired(run, engine)

      expect(first.finish.verification.status).toBe('passed')
      expect(again).toEqual(['id 1 to 1000 (again)', 'id 1001 to 2000 (again)', 'id 2001 to 3000 (again)'])
      expect(verification.status).toBe('passed')
      await same()
      expect(await leftovers()).toEqual([])
    })

    test('can be repaired a second time, what is right moves no row, and rows of others stay', async () => {
      if (tables !== '') await mysql.query(tables)
      await using engine = engineOver(stores)
      const run = copy({ mode })
      await runAll(engine, run)
      await mysql.query(DAMAGE)
      await repaired(run, engine)
      await mysql.query(`delete from t where id in (7, 3999); insert into t (id, name) values (99999, 'of others')`)

      const second = await repaired(run, engine, 2)
      await mysql.query('delete from t where id = 99999')
      const third = await repaired(run, engine, 3)

      // The last part has no upper bound: the row of others is a difference that no repair takes away.
      expect(second.again).toEqual(['id 1 to 1000 (again)', 'id 3001 to 4000 (again)'])
      expect(second.verification.status).toBe('failed')
      expect(third.again).toEqual([])
      expect(third.verification.status).toBe('passed')
      await same()
    })
  })

  test('with counts only, parts that have lost rows come again', async () => {
    await using engine = engineOver(stores)
    const run = copy({ verify: 'counts' })
    await runAll(engine, run)
    await mysql.query('delete from t where id in (5, 1501)')

    const { again, verification } = await repaired(run, engine)

    expect([again, verification.status]).toEqual([['id 1 to 1000 (again)', 'id 1001 to 2000 (again)'], 'passed'])
    await same()
  })

  test('a row that is there twice, in a table without a key, is there once', async () => {
    await using engine = engineOver(stores)
    const run = copy()
    await runAll(engine, run)
    await mysql.query('insert into t select * from t where id = 1201')

    const { again, verification } = await repaired(run, engine)

    expect([again, verification.status]).toEqual([['id 1001 to 2000 (again)'], 'passed'])
    await same()
  })

  test.each(['timestamp', 'timestamptz'])('a table that is cut by %s is repaired part by part', async (type) => {
    await database.query(`drop table if exists visits; create table visits as
      select (timestamp '2026-01-01 00:00:00.25' + i * interval '1 minute')::${type} as at, i as n from generate_series(1, 3000) i;
      alter table visits add primary key (at); analyze visits`)
    await using engine = engineOver(stores)
    const run = copy({ from: 'visits', parts: 3 })
    await runAll(engine, run)
    await mysql.query('delete from t where n = 1500')

    const { again, verification } = await repaired(run, engine)

    expect([run.tasks.length, again.length, verification.status]).toEqual([3, 1, 'passed'])
    expect(await mysql.query('select count(*) as n, sum(n) as sum from t')).toEqual([{ n: '3000', sum: String((3_000 * 3_001) / 2) }])
  })

  test('rows that may be left out are left out again', async () => {
    await database.query(`drop table if exists raw; create table raw as
      select i as id, case when i % 500 = 7 then 'many' else i::text end as amount from generate_series(1, 2000) i;
      alter table raw add primary key (id); analyze raw`)
    await mysql.query('create table t (id int primary key, amount int)')
    await using engine = engineOver(stores)
    const run = copy({ from: 'raw', parts: 2, skipIncompatibleRows: { limit: 10 } })
    await runAll(engine, run)
    await mysql.query('update t set amount = 0 where id = 8; delete from t where id = 9')

    const { again, verification } = await repaired(run, engine)

    expect(again).toEqual(['id 1 to 1000 (again)'])
    expect(verification).toMatchObject({ status: 'passed', targetRows: 1_996 })
    expect(await mysql.query('select id, amount from t where id in (7, 8, 9) order by id')).toEqual([
      { id: 8, amount: 8 },
      { id: 9, amount: 9 },
    ])
  })

  test('a part that is repaired twice at once is there once', async () => {
    await mysql.query(KEYED)
    await using engine = engineOver(stores)
    const run = copy()
    await runAll(engine, run)
    await mysql.query('delete from t where id between 1200 and 1300')
    const [index = 0] = ordered(run, expectOutcome(await engine.execute(repairOrder(run), ignore, never()), 'repaired'))
    run.context = expectOutcome(await engine.execute(run.order('snapshot'), ignore, never()), 'resnapshot').snapshot.context

    const both = await Promise.all([1, 2].map((attempt) => engine.execute(run.part(index, attempt), ignore, never())))
    run.moved(index, await engine.execute(run.part(index, 3), ignore, never()))
    const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect(both.some(({ outcome }) => outcome === 'moved')).toBe(true)
    expect(finish.verification.status).toBe('passed')
    await same()
  })

  test.each([
    ['overwritten', 'overwrite', `${KEYED}; insert into t (id, name) values (-7, 'old')`],
    ['upserted', 'upsert', KEYED],
  ] as const)('a finish that was lost when the table was %s takes away what that left', async (_, mode, tables) => {
    await mysql.query(tables)
    await using engine = engineOver(stores)
    const run = copy({ mode })
    await runAll(engine, run)
    await mysql.query(`create table _postern_old_${run.id} (id int); create table _postern_${run.id} (id int);
      update _postern_runs set published = 1 where run_id = '${run.id}'`)

    const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect(finish.verification.status).toBe('passed')
    expect(await leftovers()).toEqual([])
    await same()
  })

  describe('is refused, with the reason, and nothing is changed', () => {
    test.each([
      [
        'where an upsert found rows',
        { mode: 'upsert' },
        `${KEYED}; insert into t (id, name) values (-7, 'of others')`,
        'had rows before the upsert',
      ],
      ['where neither end has a key', { from: 'plain', parts: 1 }, '', 'has one of copied columns'],
      ['where parts are no ranges that are told by values', { from: 'plain', parts: 3 }, '', 'nothing tells the rows of one part'],
      [
        'where the table is partitioned',
        {},
        `create table t (id bigint primary key, ${COLUMNS}) partition by hash (id) partitions 3`,
        'partitioned',
      ],
    ] as const)('%s', async (_, more, tables, why) => {
      if (tables !== '') await mysql.query(tables)
      await using engine = engineOver(stores)
      const run = copy(more)
      expect((await runAll(engine, run)).finish.verification.status).toBe('passed')
      await mysql.query('delete from t where id = 5')

      const { fault } = expectOutcome(await engine.execute(repairOrder(run), ignore, never()), 'failed')

      expect(fault).toMatchObject({ code: 'COPY_UNSUPPORTED', message: expect.stringContaining(why), remedy: 'Start the copy again.' })
      const next = copy(more)
      expect((await runAll(engine, next)).finish.verification.status).toBe('passed')
      await same('id > 0')
    })
  })
})
