/** What a copy leaves out, goes on from, and puts in place, where one end is MySQL. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MysqlRig, mysqlRig } from './testing/mysql-rig.ts'
import { expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

const missing = mysqlMissing()

describe.skipIf(missing !== undefined)(`copies with MySQL${missing ? `: ${missing}` : ''}`, () => {
  let rig: MysqlRig
  beforeAll(async () => {
    rig = await mysqlRig()
  })
  afterAll(() => rig?.[Symbol.asyncDispose]())

  const into = (request: Partial<ConstructorParameters<typeof Run>[0]>) =>
    new Run({ source: 'shop', sink: 'crm', from: 'raw', to: 't', verify: 'checksum', ...request })
  const count = async (table: string) => Number((await rig.mysql.query<{ n: string }>(`select count(*) as n from ${table}`))[0]?.n)
  const planFault = async (run: Run) => {
    const outcome = await rig.engine.execute(run.order('plan'), ignore, never())
    return outcome.outcome === 'failed' ? outcome.fault : undefined
  }

  test('rows that MySQL does not take are left out, named by place and reason, and the others are there', async () => {
    await rig.database.query(`create table raw as select i as id, case when i % 1000 = 7 then 'many' else i::text end as amount, 'name ' || i as name
        from generate_series(1, 6000) i;
      insert into raw values (6001, null, 'nothing'), (6002, '1', repeat('x', 41)), (6003, '-1', 'check'), (1, '1', 'again'), (6004, '4', 'fine')`)
    await rig.mysql.query('create table t (id int primary key, amount int not null check (amount >= 0), name varchar(40))')
    const rejects = { store: 'lake', path: 'rejects' }
    const run = new Run({
      source: 'shop',
      sink: 'crm',
      from: 'raw',
      to: 't',
      parts: 1,
      skipIncompatibleRows: { limit: 10, rejects },
    })

    const { finish } = await runAll(rig.engine, run)

    expect(finish.verification.status).toBe('passed')
    expect(finish.notes.join(' ')).toContain('10 rows were left out')
    expect(await count('t')).toBe(6_005 - 10)
    const path = join(rig.folder.path, 'rejects', `${run.id}.csv`)
    const [name = ''] = (await readdir(path)).filter((each) => each.startsWith('part-'))
    const lines = (await readFile(join(path, name), 'utf8')).split('\n')
    expect(lines.find((line) => line.includes('1007'))).toMatch(/"1007","amount","1366"/)
  })

  test('only what is above the last watermark is copied out of MySQL', async () => {
    await rig.mysql.query(
      'create table live (id int primary key, at timestamp(6) not null); insert into live select seq, now(6) from seq_1_to_3000; analyze table live',
    )
    const copied = async (last: string | null) => {
      const run = new Run({ source: 'crm', sink: 'shop', from: 'live', to: 'live', verify: 'checksum', parts: 3, watermark: 'id' })
      run.planned(await rig.engine.execute(run.order('plan', { watermark: last }), ignore, never()))
      await rig.mysql.query('insert into live select max(id) + 1, now(6) from live')
      let rows = 0
      for (const index of run.tasks.keys())
        rows += run.moved(index, await rig.engine.execute(run.part(index), ignore, never())).counters.rowsWritten
      const { finish } = expectOutcome(await rig.engine.execute(run.finish(), ignore, never()), 'finished')
      expect(finish.verification.status).toBe('passed')
      return { rows, to: run.plan?.watermark ?? null }
    }
    const first = await copied(null)
    const second = await copied(first.to)

    expect([first, second]).toEqual([
      { rows: 3_000, to: '3000' },
      { rows: 1, to: '3001' },
    ])
  })

  test('a table is cut by the column that was named, largest part first, and parts are about equal where values are not', async () => {
    await rig.mysql.query(`create table skewed (id bigint primary key, day date null, key (day));
      insert into skewed select if(seq <= 9000, seq, seq * 1000000), if(seq % 10 = 0, null, '2020-01-01' + interval seq % 900 day) from seq_1_to_10000;
      analyze table skewed`)
    const byKey = new Run({ source: 'crm', sink: 'shop', from: 'skewed', to: 'skewed', parts: 4, verify: 'checksum' })
    const byDay = new Run({
      source: 'crm',
      sink: 'shop',
      from: 'skewed',
      to: 'skewed_by_day',
      parts: 4,
      verify: 'checksum',
      splitBy: 'day',
    })
    const done = [await runAll(rig.engine, byKey), await runAll(rig.engine, byDay)]

    expect(done.map(({ finish }) => finish.verification)).toMatchObject([
      { status: 'passed', targetRows: 10_000 },
      { status: 'passed', targetRows: 10_000 },
    ])
    expect(byDay.plan?.parts.map((part) => part.name).join()).toMatch(/day 2020-/)
    expect(byDay.plan?.parts.length).toBeGreaterThan(1)
  })

  test('an overwrite keeps the foreign keys and triggers of the table, and its readers always see rows', async () => {
    await rig.database.query('create table fresh as select i as id, i * 2 as n from generate_series(1, 500) i')
    await rig.mysql.query(`create table kept (id int primary key, n int) ; create table child (id int, foreign key (id) references kept (id) on delete cascade);
      create table plain (id int primary key, n int, key (n)); insert into plain values (1, 1); insert into kept values (9999, 1)`)
    const seen: number[] = []
    let watching = true
    const watch = (async () => {
      while (watching) seen.push(await count('plain'))
    })()

    for (const to of ['kept', 'plain']) await runAll(rig.engine, into({ from: 'fresh', to, mode: 'overwrite' }))
    watching = false
    await watch

    expect([await count('kept'), await count('plain')]).toEqual([500, 500])
    expect(new Set(seen)).toEqual(new Set([1, 500]))
    const keys = await rig.mysql.query(
      `select 1 from information_schema.key_column_usage where table_schema = database() and referenced_table_name = 'kept'`,
    )
    const indexes = await rig.mysql.query(`show index from plain where key_name = 'n'`)
    expect([keys.length, indexes.length]).toEqual([1, 1])
  })

  test('an upsert goes by its key, and never changes another row that shares another unique value', async () => {
    await rig.database.query(`create table people as select * from (values (1, 'a@x', 'new'), (2, 'b@x', 'added')) as t (id, mail, name)`)
    await rig.mysql.query(
      `create table people (id int primary key, mail varchar(20) unique, name text); insert into people values (1, 'a@x', 'old'), (3, 'c@x', 'left')`,
    )
    await runAll(rig.engine, into({ from: 'people', to: 'people', mode: 'upsert', key: ['id'], verify: 'counts' }))

    expect(await rig.mysql.query('select * from people order by id')).toEqual([
      { id: 1, mail: 'a@x', name: 'new' },
      { id: 2, mail: 'b@x', name: 'added' },
      { id: 3, mail: 'c@x', name: 'left' },
    ])
    await rig.database.query(`create table clash as select 4 as id, 'c@x' as mail, 'thief' as name`)
    const run = into({ from: 'clash', to: 'people', mode: 'upsert', key: ['id'], verify: 'none' })
    run.planned(await rig.engine.execute(run.order('plan'), ignore, never()))
    run.moved(0, await rig.engine.execute(run.part(0), ignore, never()))
    const finished = await rig.engine.execute(run.finish(), ignore, never())
    expect(finished).toMatchObject({ outcome: 'failed', fault: { code: 'ROW_INVALID' } })
    expect(await count('people')).toBe(3)
  })

  test('0 stays 0 in a column that counts for itself, and other columns get their defaults', async () => {
    await rig.database.query('create table zero as select 0 as id')
    await rig.mysql.query(
      `create table counted (id int auto_increment primary key, made varchar(9) default 'here', twice int as (7) stored)`,
    )
    const run = into({ from: 'zero', to: 'counted', verify: 'counts' })
    await runAll(rig.engine, run)

    expect(await rig.mysql.query('select * from counted')).toEqual([{ id: 0, made: 'here', twice: 7 }])
    expect(run.plan?.notes.join(' ')).toContain('defaults: made')
  })

  test('what the target generates is left out of a copy between two tables of MySQL', async () => {
    await rig.mysql.query(
      `create table made (id int primary key, twice int as (id * 2) stored); insert into made (id) values (1), (2); create table remade like made`,
    )
    const { finish } = await runAll(rig.engine, into({ source: 'crm', from: 'made', to: 'remade' }))

    expect(finish.verification).toMatchObject({ status: 'passed', targetRows: 2 })
    expect(await rig.mysql.query('select * from remade')).toEqual([
      { id: 1, twice: 2 },
      { id: 2, twice: 4 },
    ])
  })

  test.each([
    ['MyISAM cannot take back what was written', 'create table bad (id int) engine = MyISAM', 'GUARANTEE_IMPOSSIBLE', 'alter table'],
    ['a generated column', 'create table bad (id int as (1) stored)', 'COLUMN_MISMATCH', 'is generated'],
    ['a column that needs a value', 'create table bad (id int, other int not null)', 'COLUMN_MISMATCH', 'other'],
    ['a view', 'create view bad as select 1 as id', 'TABLE_EXISTS', 'not a table'],
  ])('%s: refused before a row moves', async (_, sql, code, word) => {
    await rig.database.query('create table if not exists one as select 1 as id')
    await rig.mysql.query(`drop table if exists bad; drop view if exists bad; ${sql}`)

    const fault = await planFault(into({ from: 'one', to: 'bad' }))

    expect(fault?.code).toBe(code)
    expect(`${fault?.message} ${fault?.remedy}`).toContain(word)
  })

  test('a server that takes no LOAD DATA LOCAL is told what to set', async () => {
    await rig.mysql.query('set global local_infile = off')
    const fault = await planFault(into({ from: 'one', to: 'one' }))
    await rig.mysql.query('set global local_infile = on')

    expect([fault?.code, fault?.remedy]).toMatchObject(['NOT_ALLOWED', expect.stringContaining('local_infile = on')])
  })
})
