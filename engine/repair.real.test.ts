/** After a verification that failed: only what differs is copied again, and then it is right. */
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DAMAGE, spoiling } from './testing/damage.ts'
import { differing, makeOrders, type OpenedStore, openPostgres } from './testing/real-stores.ts'
import { ordered, repaired, repairOrder } from './testing/repairing.ts'
import { engineOver, expectOutcome, ignore, never, Run } from './testing/rig.ts'

const ROWS = 4_000
let database: TestDatabase
let shop: OpenedStore
let lake: OpenedStore

beforeAll(async () => {
  database = await testDatabase()
  await makeOrders(database, ROWS)
  shop = await openPostgres(database)
  lake = await openPostgres(database)
})

afterAll(async () => {
  await shop?.[Symbol.asyncDispose]()
  await lake?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

beforeEach(() => database.query('drop schema copy cascade; create schema copy'))

async function failed(run: Run, engine: ReturnType<typeof engineOver>) {
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index), ignore, never()))
  return expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished').finish.verification
}

describe.each(['append', 'overwrite', 'upsert'] as const)('a copy that is to %s', (mode) => {
  test.each(['drops the last row', 'writes a row twice', 'shifts the time zone'])(
    'into a target that %s in one part is repaired by that part alone',
    async (kind) => {
      await database.query(`create table copy.orders (like orders${mode === 'upsert' ? ' including all' : ''})`)
      let spoils = true
      const spoil = DAMAGE[kind] ?? ((rows: readonly string[]) => rows)
      const bad = (rows: readonly string[]) => (rows.some((row) => row.startsWith('1201\t')) ? spoil(rows) : rows)
      await using engine = engineOver({ shop, lake: spoiling(lake, bad, () => spoils) })
      const run = new Run({ from: 'orders', to: 'copy.orders', mode, key: ['id'], parts: 4, verify: 'checksum' })
      const before = await failed(run, engine)
      spoils = false

      const { again, verification } = await repaired(run, engine)

      expect(before.status).toBe('failed')
      expect(again).toEqual(['id 1001 to 2000 (again)'])
      expect(verification.status).toBe('passed')
      expect(await differing(database, 'orders', 'copy.orders')).toBe(0)
    },
  )
})

test.each(['', ' including all'])('rows that somebody has changed, deleted or added since are put right (like orders%s)', async (like) => {
  await database.query(`create table copy.orders (like orders${like})`)
  await using engine = engineOver({ shop, lake })
  const run = new Run({ from: 'orders', to: 'copy.orders', parts: 4, verify: 'checksum' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index), ignore, never()))
  // Without a key a changed row is nobody's: then only deleted ones can be put right.
  if (like !== '') await database.query(`update copy.orders set name = 'changed' where id between 2990 and 3010`)
  await database.query('delete from copy.orders where id = 5')
  expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

  const { again, verification } = await repaired(run, engine)

  expect(again).toHaveLength(like === '' ? 1 : 3)
  expect(verification.status).toBe('passed')
  expect(await differing(database, 'orders', 'copy.orders')).toBe(0)
})

test('rows of others stay, and a part that is repaired twice at once is there once', async () => {
  await database.query('create table copy.orders (like orders); insert into copy.orders select * from orders where id <= 10')
  let spoils = true
  await using engine = engineOver({
    shop,
    lake: spoiling(
      lake,
      (rows) => (rows.length > 0 ? rows.slice(1) : rows),
      () => spoils,
    ),
  })
  const run = new Run({ from: '(select * from orders where id > 10)', to: 'copy.orders', verify: 'checksum' })
  await failed(run, engine)
  spoils = false
  const again = ordered(run, expectOutcome(await engine.execute(repairOrder(run), ignore, never()), 'repaired'))

  const both = await Promise.all([1, 2].map((attempt) => engine.execute(run.part(0, attempt), ignore, never())))
  for (const outcome of both) run.moved(0, outcome)
  const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

  expect(again).toEqual([0])
  expect(finish.verification.status).toBe('passed')
  expect(await differing(database, 'orders', 'copy.orders')).toBe(0)
})

test('after the snapshot has gone a new one shows the parts that are repaired', async () => {
  await database.query('create table copy.live as select * from orders; alter table copy.live add primary key (id); analyze copy.live')
  await using engine = engineOver({ shop, lake })
  const run = new Run({ from: 'copy.live', to: 'copy.orders', parts: 4, verify: 'checksum' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index), ignore, never()))
  await database.query('delete from copy.orders where id = 5')
  expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')
  await engine.keepSnapshots([], engine.snapshots())
  await database.query(`update copy.live set name = 'new' where id = 6`)
  run.context = expectOutcome(await engine.execute(run.order('snapshot'), ignore, never()), 'resnapshot').snapshot.context

  const { again, verification } = await repaired(run, engine)

  expect(again).toHaveLength(1)
  expect(verification).toMatchObject({ status: 'passed' })
  expect(await differing(database, 'copy.live', 'copy.orders')).toBe(0)
})
