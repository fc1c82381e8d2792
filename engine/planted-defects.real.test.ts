/** The check of the check, on real stores: each kind of damage must turn the verification red, wherever it is done. */
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DAMAGE, spoiling } from './testing/damage.ts'
import { differing, makeOrders, type OpenedStore, openPostgres, openStore, temporaryFolder } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

let database: TestDatabase
let shop: OpenedStore
let lake: OpenedStore

beforeAll(async () => {
  database = await testDatabase()
  await makeOrders(database, 3_000)
  shop = await openPostgres(database)
  lake = await openPostgres(database)
})

afterAll(async () => {
  await shop?.[Symbol.asyncDispose]()
  await lake?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

beforeEach(() => database.query('drop schema copy cascade; create schema copy'))

const FROM = `(select town, name, id, day, at, 'note ' || id as note from orders where id % 10 = 1)`
const kinds = Object.keys(DAMAGE)
const changesRows = ['drops the last row', 'writes a row twice']

describe.each(['append', 'overwrite', 'upsert'] as const)('a table that takes rows to %s and', (mode) => {
  const copied = async (kind: string, verify: 'counts' | 'checksum') => {
    await database.query(
      'create table copy.t (town text, name text, id text, day date, at timestamptz, note text); create unique index on copy.t (id)',
    )
    if (mode !== 'upsert') await database.query('drop index copy.t_id_idx')
    await using engine = engineOver({ shop, lake: spoiling(lake, DAMAGE[kind] ?? ((rows) => rows)) })
    const run = new Run({ from: FROM, to: 'copy.t', mode, key: ['id'], verify })
    return (await runAll(engine, run)).finish.verification
  }

  test.each(kinds)('%s is found by checksums', async (kind) => {
    const report = await copied(kind, 'checksum')

    expect(report.status).toBe('failed')
    expect(report.parts).toMatchObject([{ status: 'differs' }])
    if (mode !== 'append') expect(await database.query('select count(*)::int as n from copy.t')).toEqual([{ n: 0 }])
  })

  test.each(changesRows)('%s is found by counts', async (kind) => {
    expect((await copied(kind, 'counts')).status).toBe('failed')
  })

  test('does no wrong passes', async () => {
    expect((await copied('none', 'checksum')).status).toBe('passed')
  })
})

describe('a table cut into parts whose target', () => {
  const copied = async (kind: string) => {
    const spoil = DAMAGE[kind] ?? ((rows) => rows)
    // Of four parts the one that has the row of id 2101.
    await using engine = engineOver({
      shop,
      lake: spoiling(lake, (rows) => (rows.some((row) => row.startsWith('2101\t')) ? spoil(rows) : rows)),
    })
    const run = new Run({ from: 'orders', to: 'copy.orders', parts: 4, verify: 'checksum' })
    return (await runAll(engine, run)).finish.verification
  }

  test.each(['drops the last row', 'writes one row in place of another', 'shifts the time zone'])(
    '%s in one of them is named by it',
    async (kind) => {
      const report = await copied(kind)

      expect(report.status).toBe('failed')
      expect(report.parts?.filter(({ status }) => status === 'differs').map(({ name }) => name)).toEqual(['id 1501 to 2250'])
      expect(report.notes.join(' ')).toContain('Part "id 1501 to 2250"')
    },
  )
})

test('rows that are changed, deleted or added in the target after they were committed are found', async () => {
  const changes = [
    `update copy.orders set name = 'x' where id = 7`,
    'delete from copy.orders where id = 7',
    `update copy.orders set at = at at time zone 'Asia/Tokyo' at time zone 'UTC'`,
  ]
  for (const change of changes) {
    await database.query('drop schema copy cascade; create schema copy')
    await using engine = engineOver({ shop, lake })
    const run = new Run({ from: 'orders', to: 'copy.orders', parts: 2, verify: 'checksum' })
    run.planned(await engine.execute(run.order('plan'), ignore, never()))
    for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index), ignore, never()))
    await database.query(change)

    const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect(finish.verification.status, change).toBe('failed')
  }
})

test('rows of others in the target, there before and added meanwhile, are nothing to the copy', async () => {
  await database.query('create table copy.orders (like orders); insert into copy.orders select * from orders where id <= 10')
  await using engine = engineOver({ shop, lake })
  const run = new Run({ from: 'orders', to: 'copy.orders', parts: 2, verify: 'checksum' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index), ignore, never()))
  await database.query('insert into copy.orders select * from orders where id <= 5')

  const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

  expect(finish.verification.status).toBe('passed')
})

describe.each(['csv', 'csv.gz', 'parquet', 'ndjson'])('a .%s file whose writer', (ending) => {
  const copied = async (kind: string) => {
    await using folder = await temporaryFolder()
    await using files = await openStore('files', { path: folder.path })
    await using engine = engineOver({ shop, lake: spoiling(files, DAMAGE[kind] ?? ((rows) => rows)) })
    const run = new Run({ from: FROM, to: `orders.${ending}`, verify: 'checksum' })
    return (await runAll(engine, run)).finish.verification
  }

  test.each(kinds)('%s is found by checksums', async (kind) => {
    expect((await copied(kind)).status).toBe('failed')
  })

  test('does no wrong passes', async () => {
    expect((await copied('none')).status).toBe('passed')
  })
})

test('what was found in a table is also what SQL finds there', async () => {
  await using engine = engineOver({ shop, lake: spoiling(lake, DAMAGE['shifts the time zone'] ?? ((rows) => rows)) })
  await runAll(engine, new Run({ from: 'orders', to: 'copy.orders', parts: 2, verify: 'none' }))

  expect(await differing(database, 'orders', 'copy.orders')).toBeGreaterThan(0)
})
