import type { Sink } from '@postern/connectors/copy-contract.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { differing, makeOrders, type OpenedStore, openPostgres } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'
import { DEFECTS, SpoiledSink } from './testing/spoiled-sink.ts'

const ROWS = 6_000
let database: TestDatabase
let shop: OpenedStore
let lake: OpenedStore
let engine: Engine

beforeAll(async () => {
  database = await testDatabase()
  await makeOrders(database, ROWS)
  // Two stores on one database: so that SQL can compare both ends.
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

beforeEach(() => database.query('drop schema copy cascade; create schema copy'))

const left = () => differing(database, 'orders', 'copy.orders')

describe.each([1, 5])('from PostgreSQL to PostgreSQL in %i parts', (parts) => {
  test('appending makes the table and every row', async () => {
    const run = new Run({ from: 'orders', to: 'copy.orders', parts, verify: 'checksum' })

    const { finish } = await runAll(engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: ROWS, targetRows: ROWS })
    expect(run.plan).toMatchObject({ lane: 'binary', guarantee: 'exactly-once', parts: { length: parts } })
    expect(await left()).toBe(0)
    expect(engine.snapshots()).toEqual([])
  })

  test('appending keeps what was there', async () => {
    await database.query('create table copy.orders (like orders); insert into copy.orders select * from orders where id <= 10')

    const { finish } = await runAll(
      engine,
      new Run({ from: '(select * from orders where id > 10)', to: 'copy.orders', parts, verify: 'checksum' }),
    )

    expect(finish.verification.status).toBe('passed')
    expect(await left()).toBe(0)
  })

  test('overwriting replaces the rows, and nobody sees it before it is whole', async () => {
    await database.query('create table copy.orders (like orders); insert into copy.orders select * from orders where id <= 10')
    const run = new Run({ from: 'orders', to: 'copy.orders', mode: 'overwrite', parts, verify: 'checksum' })
    run.planned(await engine.execute(run.order('plan'), ignore, never()))
    for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index), ignore, never()))
    const [before] = await database.query<{ count: string }>('select count(*) from copy.orders')

    const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect(before?.count).toBe('10')
    expect(finish.verification.status).toBe('passed')
    expect(await left()).toBe(0)
  })

  test('upserting changes what is there and adds what is not', async () => {
    await database.query(`create table copy.orders (like orders including all);
      insert into copy.orders select * from orders where id <= 10; update copy.orders set name = 'old'`)

    const { finish } = await runAll(
      engine,
      new Run({ from: 'orders', to: 'copy.orders', mode: 'upsert', key: ['id'], parts, verify: 'checksum' }),
    )

    expect(finish.verification.status).toBe('passed')
    expect(await left()).toBe(0)
  })
})

describe.each(['append', 'overwrite'] as const)('whatever happens to a run that is to %s', (mode) => {
  const planned = async (parts = 3) => {
    const run = new Run({ from: 'orders', to: 'copy.orders', mode, parts, verify: 'checksum' })
    run.planned(await engine.execute(run.order('plan'), ignore, never()))
    return run
  }
  const finished = async (run: Run) => {
    for (const [index, task] of run.tasks.entries()) {
      if (task.result === undefined) run.moved(index, await engine.execute(run.part(index), ignore, never()))
    }
    return expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')
  }

  test('a part done twice in a row is there once', async () => {
    const run = await planned()
    const outcomes = [await engine.execute(run.part(0, 1), ignore, never()), await engine.execute(run.part(0, 2), ignore, never())]

    const results = outcomes.map((outcome) => run.moved(0, outcome).result)

    expect(results).toMatchObject([{ already: false }, { already: true }])
    expect((await finished(run)).finish.verification.status).toBe('passed')
    expect(await left()).toBe(0)
  })

  test('parts done twice at once are there once', async () => {
    const run = await planned()
    const both = await Promise.all(
      [...run.tasks.keys()].flatMap((index) =>
        [1, 2].map(async (attempt) => ({ index, outcome: await engine.execute(run.part(index, attempt), ignore, never()) })),
      ),
    )

    for (const { index, outcome } of both) run.moved(index, outcome)

    expect((await finished(run)).finish.verification.status).toBe('passed')
    expect(await left()).toBe(0)
  })

  test('planning twice, also at once, does no harm', async () => {
    const run = new Run({ from: 'orders', to: 'copy.orders', mode, parts: 3, verify: 'checksum' })
    const plans = await Promise.all([1, 2].map((attempt) => engine.execute(run.order('plan', { attempt }), ignore, never())))
    for (const plan of plans) run.planned(plan)

    expect((await finished(run)).finish.verification.status).toBe('passed')
    expect(await left()).toBe(0)
    expect(engine.snapshots()).toEqual([])
  })

  test('a lost snapshot is said, a new one goes on with the parts left', async () => {
    const run = await planned()
    run.moved(0, await engine.execute(run.part(0), ignore, never()))
    await engine.keepSnapshots([], engine.snapshots())
    const lost = expectOutcome(await engine.execute(run.part(1), ignore, never()), 'failed')

    run.context = expectOutcome(await engine.execute(run.order('snapshot'), ignore, never()), 'resnapshot').snapshot.context

    expect(lost.fault.code).toBe('SNAPSHOT_LOST')
    expect((await finished(run)).finish.verification.status).toBe('passed')
    expect(await left()).toBe(0)
  })

  test('finishing twice publishes once', async () => {
    const run = await planned()
    await finished(run)

    const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect(finish.verification.status).toBe('passed')
    expect(await left()).toBe(0)
  })

  test('a source that changes meanwhile is copied as it was', async () => {
    await database.query('create table copy.live as select * from orders')
    const run = new Run({ from: 'copy.live', to: 'copy.orders', mode, parts: 3, verify: 'checksum' })
    run.planned(await engine.execute(run.order('plan'), ignore, never()))
    await database.query(
      `delete from copy.live where id % 2 = 0; update copy.live set name = 'new'; insert into copy.live select * from orders`,
    )

    expect((await finished(run)).finish.verification.status).toBe('passed')
    expect(await left()).toBe(0)
  })

  test('cleaning up leaves no table of ours', async () => {
    const run = await planned()
    run.moved(0, await engine.execute(run.part(0), ignore, never()))

    expectOutcome(await engine.execute(run.order('cleanup'), ignore, never()), 'cleaned')

    const tables = await database.query<{ name: string }>(
      `select table_schema || '.' || table_name as name from information_schema.tables where table_name like '%' || $1 || '%'`,
      [run.id.slice(4)],
    )
    expect(tables).toEqual([])
    expect(engine.snapshots()).toEqual([])
  })
})

describe('a target with a planted defect', () => {
  const spoiled = async (defect: keyof typeof DEFECTS, verify: 'counts' | 'checksum') => {
    const inner = lake.session.sink as Sink
    const sink = new SpoiledSink({ inner, spoil: DEFECTS[defect], lies: true })
    const session = { ...unspoiled(lake), sink }
    const bad = engineOver({ shop, lake: { connector: lake.connector, session } })
    const from = '(select town, name, id, day from orders where id % 10 = 1)'
    return (await runAll(bad, new Run({ from, to: 'copy.orders', mode: 'overwrite', verify }))).finish.verification
  }
  const unspoiled = ({ session }: OpenedStore) => ({
    check: session.check.bind(session),
    browse: session.browse.bind(session),
    [Symbol.asyncDispose]: async () => {},
  })

  test.each(['drops the last row', 'writes a row twice', 'swaps two columns', 'writes one row in place of another'] as const)(
    'that %s is found by checksums, and nothing is published',
    async (defect) => {
      expect((await spoiled(defect, 'checksum')).status).toBe('failed')
      expect(await database.query(`select to_regclass('copy.orders') as name`)).toEqual([{ name: null }])
    },
  )

  test.each(['drops the last row', 'writes a row twice'] as const)('that %s is found by counts', async (defect) => {
    expect((await spoiled(defect, 'counts')).status).toBe('failed')
  })
})

describe('planning says what cannot be', () => {
  const refused = async (copy: ConstructorParameters<typeof Run>[0]) =>
    expectOutcome(await engine.execute(new Run(copy).order('plan'), ignore, never()), 'failed').fault

  test('a table that is not there', async () => {
    expect(await refused({ from: 'nothing', to: 'copy.orders' })).toMatchObject({
      code: 'TABLE_MISSING',
      message: expect.stringContaining('nothing'),
    })
  })

  test('a table onto itself', async () => {
    expect(await refused({ from: 'orders', to: 'public.orders', sink: 'shop' })).toMatchObject({ code: 'INPUT_INVALID' })
  })

  test('an existing table that has other columns', async () => {
    await database.query('create table copy.orders (x int)')

    expect((await refused({ from: 'orders', to: 'copy.orders' })).code).toMatch(/COLUMN_MISMATCH|TABLE_EXISTS/)
  })
})
