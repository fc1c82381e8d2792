/** Copies that go on where the last one has ended. */
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { differing, type OpenedStore, openPostgres } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run } from './testing/rig.ts'

let database: TestDatabase
let shop: OpenedStore
let lake: OpenedStore
let engine: Engine

beforeAll(async () => {
  database = await testDatabase()
  shop = await openPostgres(database)
  lake = await openPostgres(database)
  engine = engineOver({ shop, lake })
})

afterAll(async () => {
  for (const each of [engine, shop, lake, database]) await each?.[Symbol.asyncDispose]()
})

beforeEach(() =>
  database.query(`drop schema if exists copy cascade; create schema copy; create table copy.live (id int primary key, at timestamptz not null, name text);
    insert into copy.live select n, timestamptz '2026-01-01' + n * interval '1 minute', 'name ' || n from generate_series(1, 3000) n; analyze copy.live`),
)

/** As the service does it: where one has ended the next begins. */
async function copied(last: string | null, copy: Partial<ConstructorParameters<typeof Run>[0]>, meanwhile = '') {
  const run = new Run({ from: 'copy.live', to: 'copy.t', verify: 'checksum', parts: 3, ...copy })
  run.planned(await engine.execute(run.order('plan', { watermark: last }), ignore, never()))
  if (meanwhile) await database.query(meanwhile)
  let rows = 0
  for (const index of run.tasks.keys())
    rows += run.moved(index, await engine.execute(run.part(index), ignore, never())).counters.rowsWritten
  const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')
  expect(finish.verification.status).toBe('passed')
  return { rows, to: run.plan?.watermark ?? null, notes: run.plan?.notes.join(' ') }
}

const left = () => differing(database, 'copy.live', 'copy.t')

test('appends only what is new, also what comes while it copies comes with the next', async () => {
  const grow = (from: number, to: number) =>
    `insert into copy.live select n, timestamptz '2026-01-01' + n * interval '1 minute', 'name ' || n from generate_series(${from}, ${to}) n`
  const first = await copied(null, { watermark: 'id' }, grow(3_001, 3_500))
  const second = await copied(first.to, { watermark: 'id' })
  await database.query(grow(3_501, 3_510))
  const third = await copied(second.to, { watermark: 'id' })
  const fourth = await copied(third.to, { watermark: 'id' })

  expect([first, second, third, fourth]).toMatchObject([
    { rows: 3_000, to: '3000' },
    { rows: 500, to: '3500' },
    { rows: 10, to: '3510' },
    { rows: 0, to: null },
  ])
  expect(second.notes).toContain('rows above 3000, up to 3500')
  expect(await left()).toBe(0)
})

test('upserts what has changed since, by the time of the change', async () => {
  await database.query('create table copy.t (like copy.live including all)')
  const how = { watermark: 'at', mode: 'upsert' as const, key: ['id'] }
  const first = await copied(null, how)
  await database.query(`update copy.live set name = 'changed', at = timestamptz '2026-02-01' + id * interval '1 second' where id % 100 = 0`)
  const second = await copied(first.to, how)

  expect([first.rows, second.rows]).toEqual([3_000, 30])
  expect(await left()).toBe(0)
})
