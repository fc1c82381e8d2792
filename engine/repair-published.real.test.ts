/** Repair of what was published over, or into, a table of PostgreSQL that has been changed since. */
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { differing, makeOrders, type OpenedStore, openPostgres } from './testing/real-stores.ts'
import { repaired, repairOrder } from './testing/repairing.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

let database: TestDatabase
let shop: OpenedStore
let lake: OpenedStore

beforeAll(async () => {
  database = await testDatabase()
  await makeOrders(database, 4_000)
  shop = await openPostgres(database)
  lake = await openPostgres(database)
})

afterAll(async () => {
  for (const each of [shop, lake, database]) await each?.[Symbol.asyncDispose]()
})

beforeEach(() => database.query('drop schema copy cascade; create schema copy'))

const damage = `update copy.orders set name = 'changed' where id between 1990 and 2010; delete from copy.orders where id = 5`

/** What makes the server put rows into the table, and not a table into the place of another. */
const HELD = 'create view copy.seen as select id from copy.orders'

describe.each([
  ['overwritten by a swap', 'overwrite', ''],
  ['overwritten by new rows, since a view hangs on it', 'overwrite', HELD],
  ['upserted', 'upsert', ''],
] as const)('a table that was %s', (_, mode, also) => {
  test.each(['counts', 'checksum'] as const)('gets the parts again that differ, by %s, and no others', async (verify) => {
    await database.query(`create table copy.orders (like orders including all); insert into copy.orders select * from orders where id < 50;
      insert into copy.orders (id, name) values (-7, 'of others'); ${also}`)
    await using engine = engineOver({ shop, lake })
    const run = new Run({ from: 'orders', to: 'copy.orders', mode, key: ['id'], parts: 4, verify })
    const first = await runAll(engine, run)
    await database.query(damage)

    const { again, verification } = await repaired(run, engine)

    expect(first.finish.verification.status).toBe('passed')
    expect(again).toEqual(['id 1 to 1000 (again)', 'id 1001 to 2000 (again)', 'id 2001 to 3000 (again)'])
    expect(verification.status).toBe('passed')
    expect(await differing(database, 'orders', '(select * from copy.orders where id > 0)')).toBe(0)
    expect(await database.query('select name from copy.orders where id < 0')).toEqual(mode === 'upsert' ? [{ name: 'of others' }] : [])
  })

  test('can be repaired a second time, and what is right moves no row', async () => {
    await database.query(`create table copy.orders (like orders including all); ${also}`)
    await using engine = engineOver({ shop, lake })
    const run = new Run({ from: 'orders', to: 'copy.orders', mode, key: ['id'], parts: 4, verify: 'checksum' })
    await runAll(engine, run)
    await database.query(damage)
    await repaired(run, engine)
    await database.query('delete from copy.orders where id in (7, 3999)')

    const second = await repaired(run, engine, 2)
    const third = await repaired(run, engine, 3)

    expect(second.again).toEqual(['id 1 to 1000 (again)', 'id 3001 to 4000 (again)'])
    expect(third.again).toEqual([])
    expect(second.verification.status).toBe('passed')
    expect(await differing(database, 'orders', 'copy.orders')).toBe(0)
  })
})

test('rows that others have added to it since are nothing to the repair', async () => {
  await database.query(`create table copy.orders (like orders including all); ${HELD}`)
  await using engine = engineOver({ shop, lake })
  const run = new Run({ from: 'orders', to: 'copy.orders', mode: 'overwrite', parts: 4, verify: 'checksum' })
  await runAll(engine, run)
  await database.query(`insert into copy.orders (id, name) values (-1, 'new'), (99999, 'new'); delete from copy.orders where id = 5`)

  const { again, verification } = await repaired(run, engine)

  expect(again).toEqual(['id 1 to 1000 (again)'])
  expect(verification.status).toBe('passed')
  expect(await database.query(`select id::int from copy.orders where name = 'new' order by id`)).toEqual([{ id: -1 }, { id: 99999 }])
})

test('what an upsert took from a source that has lost rows since stays, and is no difference', async () => {
  await database.query(`create table copy.live as select * from orders; alter table copy.live add primary key (id); analyze copy.live;
    create table copy.orders (like orders including all)`)
  await using engine = engineOver({ shop, lake })
  const run = new Run({ from: 'copy.live', to: 'copy.orders', mode: 'upsert', key: ['id'], parts: 2, verify: 'checksum' })
  await runAll(engine, run)
  await database.query(`delete from copy.live where id = 6; delete from copy.orders where id = 5`)

  const { again, verification } = await repaired(run, engine)

  expect(again).toEqual(['id 1 to 2000 (again)'])
  expect(verification.status).toBe('passed')
  expect(await database.query('select id::int from copy.orders where id in (5, 6) order by id')).toEqual([{ id: 5 }, { id: 6 }])
})

test('a copy in one part is all of the table, whatever it was cut by', async () => {
  await database.query(`create table copy.plain as select * from orders; create table copy.orders (like orders including all); ${HELD}`)
  await using engine = engineOver({ shop, lake })
  const run = new Run({ from: 'copy.plain', to: 'copy.orders', mode: 'overwrite', parts: 1, verify: 'checksum' })
  await runAll(engine, run)
  await database.query(damage)

  const { again, verification } = await repaired(run, engine)

  expect(again).toHaveLength(1)
  expect(verification.status).toBe('passed')
  expect(await differing(database, 'orders', 'copy.orders')).toBe(0)
})

test('rows that may be left out are left out again', async () => {
  await database.query(`create table copy.raw as select i as id, case when i % 500 = 7 then 'many' else i::text end as amount from generate_series(1, 2000) i;
    alter table copy.raw add primary key (id); analyze copy.raw; create table copy.orders (id int primary key, amount int); ${HELD}`)
  await using engine = engineOver({ shop, lake })
  const skipIncompatibleRows = { limit: 10 }
  const run = new Run({ from: 'copy.raw', to: 'copy.orders', mode: 'overwrite', parts: 2, verify: 'checksum', skipIncompatibleRows })
  await runAll(engine, run)
  await database.query('update copy.orders set amount = 0 where id = 8; delete from copy.orders where id = 9')

  const { again, verification } = await repaired(run, engine)

  expect(again).toEqual(['id 1 to 1000 (again)'])
  expect(verification).toMatchObject({ status: 'passed', targetRows: 1_996 })
  expect(await database.query('select * from copy.orders where id in (8, 9) order by id')).toEqual([
    { id: 8, amount: 8 },
    { id: 9, amount: 9 },
  ])
})

describe('is refused, with the reason', () => {
  const refused = async (run: Run) => {
    await using engine = engineOver({ shop, lake })
    await runAll(engine, run)
    return expectOutcome(await engine.execute(repairOrder(run), ignore, never()), 'failed').fault
  }

  test('where parts are ranges of pages and one transaction has put all rows in', async () => {
    await database.query(
      `create table copy.heap as select * from orders; analyze copy.heap; create table copy.orders (like orders); ${HELD}`,
    )
    const run = new Run({ from: 'copy.heap', to: 'copy.orders', mode: 'overwrite', parts: 3, verify: 'checksum' })

    expect(await refused(run)).toMatchObject({ code: 'COPY_UNSUPPORTED', message: expect.stringContaining('no ranges of a column') })
  })

  test('where an upsert had nothing but its key', async () => {
    await database.query('create table copy.ids (id bigint primary key)')
    const run = new Run({ from: '(select id from orders)', to: 'copy.ids', mode: 'upsert', key: ['id'], verify: 'checksum' })

    expect(await refused(run)).toMatchObject({ code: 'COPY_UNSUPPORTED', message: expect.stringContaining('key columns only') })
  })
})
