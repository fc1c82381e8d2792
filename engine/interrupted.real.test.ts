/** What an interrupted part leaves: nothing. The source is made slow, so that the interruption surely comes on the way. */
import { readdir } from 'node:fs/promises'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { differing, makeOrders, type OpenedStore, openPostgres, openStore, temporaryFolder } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run } from './testing/rig.ts'

let database: TestDatabase
let shop: OpenedStore
let lake: OpenedStore
let engine: Engine

beforeAll(async () => {
  database = await testDatabase()
  await makeOrders(database, 400)
  // Slow only while the switch is on: the next attempt is quick.
  await database.query(`
    create table switch (slow boolean); insert into switch values (true);
    create function drip(bigint) returns bigint language sql volatile as $$ select $1 from pg_sleep((select 0.01 * slow::int from switch)) $$;
    create view slow_orders as select drip(id) as id, repeat(coalesce(name, ''), 200) as name from orders;
    create view quick_orders as select id, repeat(coalesce(name, ''), 200) as name from orders`)
  shop = await openPostgres(database)
  lake = await openPostgres(database)
  engine = engineOver({ shop, lake })
})

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]()
  await shop?.[Symbol.asyncDispose]()
  await lake?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

beforeEach(() =>
  database.query(
    'drop schema copy cascade; create schema copy; update switch set slow = true; create table copy.orders (like quick_orders)',
  ),
)

const copying = (what: 'to stdout' | 'from stdin') =>
  database.query<{ pid: number }>(
    `select pid from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and state = 'active' and query ilike 'copy%' || $1 || '%'`,
    [what],
  )
const started = () =>
  waitFor(
    'both ends copy',
    async () => [await copying('to stdout'), await copying('from stdin')],
    (ends) => ends.every(({ length }) => length === 1),
  )
const stopped = () =>
  waitFor(
    'neither end copies',
    async () => [...(await copying('to stdout')), ...(await copying('from stdin'))],
    ({ length }) => length === 0,
  )

async function planned(mode: 'append' | 'overwrite') {
  const run = new Run({ from: 'slow_orders', to: 'copy.orders', mode, verify: 'none' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  return run
}

/** The next attempt, undisturbed, and what is in the table in the end. */
async function goOn(run: Run): Promise<number> {
  await database.query('update switch set slow = false')
  run.moved(0, await engine.execute(run.part(0, 2), ignore, never()))
  expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')
  return differing(database, 'quick_orders', 'copy.orders')
}

test.each(['append', 'overwrite'] as const)('%s: an aborted attempt stops both ends and leaves no row', async (mode) => {
  const run = await planned(mode)
  const controller = new AbortController()
  const execution = engine.execute(run.part(0), ignore, controller.signal)
  await started()

  controller.abort()
  const { fault } = expectOutcome(await execution, 'failed')
  await stopped()

  expect(fault.code).toBe('CANCELLED')
  expect((await database.query<{ count: string }>('select count(*) from copy.orders'))[0]?.count).toBe('0')
  expect(await goOn(run)).toBe(0)
})

test.each([
  ['source', 'to stdout'],
  ['target', 'from stdin'],
] as const)(
  'an attempt whose connection to the %s dies fails with a fault that can pass, and the next one moves all',
  async (_end, what) => {
    const run = await planned('append')
    const execution = engine.execute(run.part(0), ignore, never())
    await started()

    await database.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [(await copying(what)).map(({ pid }) => pid)])
    const { fault } = expectOutcome(await execution, 'failed')
    await stopped()

    expect(fault.code).toMatch(/^STORE_(?:LOST|UNREACHABLE)$/)
    expect(await goOn(run)).toBe(0)
  },
)

test.each(['csv.gz', 'parquet'])('an aborted attempt to write a .%s file leaves no file, and the next one writes it', async (ending) => {
  await using folder = await temporaryFolder()
  await using files = await openStore('files', { path: folder.path })
  const engine = engineOver({ shop, lake: files })
  const run = new Run({ from: 'slow_orders', to: `orders.${ending}`, verify: 'none' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  const controller = new AbortController()
  const execution = engine.execute(run.part(0), ignore, controller.signal)
  await waitFor(
    'the source is read',
    () => copying('to stdout'),
    ({ length }) => length === 1,
  )

  controller.abort()
  const { fault } = expectOutcome(await execution, 'failed')
  await stopped()
  const left = await readdir(folder.path, { recursive: true })
  await database.query('update switch set slow = false')
  run.moved(0, await engine.execute(run.part(0, 2), ignore, never()))
  expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

  expect(fault.code).toBe('CANCELLED')
  expect(left.filter((name) => name.includes(ending))).toEqual([expect.stringMatching(/^\.[^/]*$/)])
  expect(await readdir(folder.path)).toEqual([`orders.${ending}`])
})

test('a time limit stops an attempt as TIMED_OUT', async () => {
  const run = await planned('append')

  const { fault } = expectOutcome(await engine.execute(run.part(0), ignore, AbortSignal.timeout(200)), 'failed')
  await stopped()

  expect(fault.code).toBe('TIMED_OUT')
})

test('of two attempts at once, one of them paused for long, the later to commit loses and the rows are there once', async () => {
  const run = await planned('append')
  const paused = engine.execute(run.part(0, 1), ignore, never())
  await started()
  await database.query('update switch set slow = false')
  // The first goes on with its old view of the switch: still slow while this one commits.
  const quick = run.moved(0, await engine.execute(run.part(0, 2), ignore, never()))

  const late = expectOutcome(await paused, 'moved')

  expect([quick.result, late.result]).toMatchObject([
    { already: false, commit: { attempt: 2 } },
    { already: true, commit: { attempt: 2 } },
  ])
  expect(await differing(database, 'quick_orders', 'copy.orders')).toBe(0)
})

test('when the connection that holds the snapshot dies, parts say so and a new snapshot goes on', async () => {
  const run = new Run({ from: 'orders', to: 'copy.all_orders', parts: 2, verify: 'checksum' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query ilike '%pg_export_snapshot%'`,
  )

  const lost = await waitFor(
    'the snapshot is lost',
    async () => engine.execute(run.part(0), ignore, never()),
    ({ outcome }) => outcome === 'failed',
  )
  run.context = expectOutcome(await engine.execute(run.order('snapshot'), ignore, never()), 'resnapshot').snapshot.context
  for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index, 2), ignore, never()))
  const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

  expect(expectOutcome(lost, 'failed').fault.code).toBe('SNAPSHOT_LOST')
  expect(finish.verification.status).toBe('passed')
  expect(await differing(database, 'orders', 'copy.all_orders')).toBe(0)
})
