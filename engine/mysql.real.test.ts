import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { COMMON_COLUMNS, nastyMysqlTable } from '@postern/testkit/nasty-mysql.ts'
import { NASTY_COLUMNS } from '@postern/testkit/nasty-rows.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MysqlRig, mysqlRig } from './testing/mysql-rig.ts'
import { differing, makeOrders } from './testing/real-stores.ts'
import { ignore, never, Run, runAll } from './testing/rig.ts'

const ROWS = 4_000
const missing = mysqlMissing()

describe.skipIf(missing !== undefined)(`MySQL and other stores${missing ? `: ${missing}` : ''}`, () => {
  let rig: MysqlRig
  beforeAll(async () => {
    rig = await mysqlRig()
    await makeOrders(rig.database, ROWS)
  })
  afterAll(() => rig?.[Symbol.asyncDispose]())

  const copy = (request: ConstructorParameters<typeof Run>[0]) => runAll(rig.engine, new Run({ verify: 'checksum', ...request }))
  /** What a copy fails with, planning or moving. */
  const failure = async (request: ConstructorParameters<typeof Run>[0]) => {
    // Without verification no snapshot is held, which nobody would let go of here.
    const run = new Run({ verify: 'none', ...request })
    const planned = await rig.engine.execute(run.order('plan'), ignore, never())
    if (planned.outcome === 'failed') return planned.fault
    run.planned(planned)
    const moved = await rig.engine.execute(run.part(0), ignore, never())
    return moved.outcome === 'failed' ? moved.fault : undefined
  }

  test('a table of PostgreSQL goes to MySQL in parts and comes back as it was', async () => {
    await rig.database.query('create table copy.orders (like orders)')

    const out = await copy({ source: 'shop', sink: 'crm', from: 'orders', to: 'orders', parts: 4 })
    const home = await copy({ source: 'crm', sink: 'shop', from: 'orders', to: 'copy.orders', verify: 'counts', parts: 3 })

    expect(out.finish.verification).toMatchObject({ status: 'passed', sourceRows: ROWS, targetRows: ROWS })
    expect(home.finish.verification).toMatchObject({ status: 'passed', sourceRows: ROWS })
    expect(await differing(rig.database, 'orders', 'copy.orders')).toBe(0)
  })

  test('the nastiest values of MySQL arrive in PostgreSQL as they were, by checksum of every column', async () => {
    await nastyMysqlTable(rig.mysql, 'nasty', COMMON_COLUMNS)

    for (const [i, [column]] of COMMON_COLUMNS.entries()) {
      const name = `\`${column.replaceAll('`', '``')}\``
      const done = await copy({
        source: 'crm',
        sink: 'shop',
        from: `(select id, ${name} from nasty)`,
        to: `nasty_${i}`,
      })
      expect(done.finish.verification, column).toMatchObject({ status: 'passed', notes: [] })
    }
    const done = await copy({ source: 'crm', sink: 'shop', from: 'nasty', to: 'from_mysql' })

    expect(done.finish.verification).toMatchObject({ status: 'passed', notes: [] })
    const [row] = await rig.database.query(
      `select string_agg(f8::text, ' ' order by id) as f8, string_agg(u8::text, ' ' order by id) as u8, max(n)::text as n, min(ts)::text as ts from from_mysql where id < 6`,
    )
    expect(row).toMatchObject({
      f8: '0 5e-324 1.7976931348623157e+308 0.1 0.30000000000000004 2.2250738585072014e-308',
      u8: '0 18446744073709551615 9223372036854775808 0 18446744073709551615',
      n: '1.500000000000000000000000000000',
      ts: '1970-01-01 00:00:01+00',
    })
  })

  test('the nastiest values of PostgreSQL that MySQL has come back from it as they were', async () => {
    const fits = (column: string, value: string) => !/NaN|nfinity|BC'/.test(value) && !(column.startsWith('f') && value === `'-0'`)
    const columns = NASTY_COLUMNS.map(([name, type, values]) => [name, type, values.filter((value) => fits(name, value))] as const)
    const rows = Math.max(...columns.map(([, , values]) => values.length))
    const lines = Array.from({ length: rows }, (_, i) => `(${i}, ${columns.map(([, , values]) => values[i % values.length]).join(', ')})`)
    await rig.database.query(`create table pg_nasty (id int primary key, ${columns.map(([name, type]) => `${name} ${type}`).join(', ')});
      insert into pg_nasty values ${lines.join(', ')}; create table pg_nasty_back (like pg_nasty)`)

    for (const [name] of columns) {
      const one = await copy({ source: 'shop', sink: 'crm', from: `(select id, ${name} from pg_nasty)`, to: `pg_nasty_${name}` })
      expect(one.finish.verification, name).toMatchObject({ status: 'passed', notes: [] })
    }
    const out = await copy({ source: 'shop', sink: 'crm', from: 'pg_nasty', to: 'pg_nasty' })
    const home = await copy({ source: 'crm', sink: 'shop', from: 'pg_nasty', to: 'pg_nasty_back', verify: 'counts' })

    expect(out.finish.verification).toMatchObject({ status: 'passed', notes: [] })
    expect(home.finish.verification.status).toBe('passed')
    const list = columns.map(([name, type]) => (type === 'json' ? `${name}::text` : name)).join(', ')
    expect(await differing(rig.database, 'pg_nasty', 'pg_nasty_back', list)).toBe(0)
  })

  test.each(['csv', 'csv.gz', 'ndjson', 'parquet'])('through a %s file every value comes back as it was', async (ending) => {
    const path = `orders.${ending}`
    const to = `from_${ending.replace('.', '_')}`
    await rig.database.query(`create table copy.${to} (like orders)`)
    await rig.mysql.query(`create table ${to} like orders`)

    const out = await copy({ source: 'crm', sink: 'lake', from: 'orders', to: path })
    const back = await copy({ source: 'lake', sink: 'crm', from: path, to, verify: 'counts' })
    await copy({ source: 'crm', sink: 'shop', from: to, to: `copy.${to}`, verify: 'counts' })

    expect(out.finish.verification).toMatchObject({ status: 'passed', sourceRows: ROWS, targetRows: ROWS })
    expect(back.finish.verification).toMatchObject({ status: 'passed', sourceRows: ROWS })
    expect(await differing(rig.database, 'orders', `copy.${to}`)).toBe(0)
    expect(await readdir(join(rig.folder.path))).toContain(path)
  })

  test.each([
    ['a date of zeros', 'create table t (v date); insert into t values (0)', 'date'],
    ['a time of more than a day', `create table t (v time); insert into t values ('30:00:00')`, 'time'],
    ['a time before 0', `create table t (v time); insert into t values ('-01:00:00')`, 'time'],
    ['a truth value of 5', 'create table t (v tinyint(1)); insert into t values (5)', 'boolean'],
    ['a character of code 0', `create table t (v varchar(5)); insert into t values ('a\\0b')`, 'text'],
  ])('%s is a row that PostgreSQL cannot take, and no row of the part goes in', async (_, sql, type) => {
    await rig.mysql.query(`drop table if exists t; ${sql}`)
    await rig.database.query(`drop table if exists bad; create table bad (v ${type})`)

    const fault = await failure({ source: 'crm', sink: 'shop', from: 't', to: 'bad' })

    expect(fault?.code).toBe('ROW_INVALID')
    expect(await rig.database.query('select * from bad')).toEqual([])
  })

  test.each([
    ['NaN', `'NaN'::float8`, 'double'],
    ['the negative zero', `'-0'::float8`, 'double'],
    ['the negative zero of a float', `'-0'::float4`, 'float'],
    ['infinity', `'-infinity'::timestamp`, 'datetime(6)'],
    ['a date before Christ', `date '0044-03-15 BC'`, 'date'],
    ['a year of five digits', `timestamp '12024-01-01 00:00:00'`, 'datetime(6)'],
    ['a number out of range', '40000', 'smallint'],
    ['a decimal with more digits than the column', `1.005::numeric`, 'decimal(10,2)'],
    ['a fraction of a second that the column cannot hold', `timestamp '2024-01-01 00:00:00.5'`, 'datetime'],
    ['text longer than the column', `'four'::text`, 'varchar(3)'],
    ['a character that the column does not have', `'漢'::text`, 'varchar(3) character set latin1'],
    ['nothing where something must be', 'null::int', 'int not null'],
    ['text that is no number', `'12x'::text`, 'int'],
    ['text that is no json', `'{'::text`, 'json'],
    ['a key that is there', '1', 'int primary key'],
  ])(
    '%s is a row that MySQL cannot take: its table and column are named, its value is not, and nothing goes in',
    async (_, value, type) => {
      await rig.mysql.query(`drop table if exists bad; create table bad (v ${type})`)
      if (type.includes('primary')) await rig.mysql.query('insert into bad values (1)')
      const before = await rig.mysql.query('select * from bad')

      const fault = await failure({ source: 'shop', sink: 'crm', from: `(select ${value} as v)`, to: 'bad' })

      expect(fault?.code).toBe('ROW_INVALID')
      expect(fault?.message).toContain('bad')
      expect(await rig.mysql.query('select * from bad')).toEqual(before)
    },
  )

  test('zero dates become NULL where the copy says so', async () => {
    await rig.mysql.query(
      `drop table if exists zeros; create table zeros (id int, v date); insert into zeros values (1, 0), (2, '2024-01-02')`,
    )

    const done = await copy({ source: 'crm', sink: 'shop', from: 'zeros', to: 'zeros', read: { zeroDates: 'null' } })

    expect(done.finish.verification.status).toBe('passed')
    expect(await rig.database.query('select id, v::text from zeros order by id')).toEqual([
      { id: 1, v: null },
      { id: 2, v: '2024-01-02' },
    ])
  })
})
