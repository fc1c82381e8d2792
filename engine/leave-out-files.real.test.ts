/** Rows that files and objects cannot hold: left out one by one, in the right place, and nothing else is. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { azurite, s3Server } from '@postern/testkit/object-store.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FilesRig, filesRig } from './testing/files-rig.ts'
import { leavingOut, rejected } from './testing/left-out.ts'
import { openStore } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

let rig: FilesRig

beforeAll(async () => {
  rig = await filesRig()
  // Two dates that no other store has, three decimals and one moment that Parquet has no form for.
  await rig.database.query(`
    create table sales as
      select i as id, 'name, "' || i || E'"\\nof two lines' as name,
             (case when i % 2000 = 7 then 'NaN' else i::numeric end)::numeric(12, 2) as price,
             case when i = 4321 then '294276-12-31 23:59:59'::timestamp else timestamp '2024-01-01' + i * interval '1 minute' end as at,
             date '0044-03-15 BC' + i as day
        from generate_series(1, 6000) i;
    alter table sales add primary key (id); analyze sales`)
})

afterAll(() => rig?.[Symbol.asyncDispose]())

describe.each(['sales.parquet/', 'one.parquet'])('what Parquet cannot hold is left out of %s', (to) => {
  test.each(['counts', 'checksum'] as const)('the rest is there and verified by %s', async (verify) => {
    const run = leavingOut({ from: 'sales', to, mode: 'overwrite', parts: to.endsWith('/') ? 2 : 1, verify })

    const { finish } = await runAll(rig.engine, run)
    const left = await rejected(rig.folder.path, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 6_000, targetRows: 5_996 })
    expect(finish.verification.notes).toEqual([])
    expect(finish.notes.join(' ')).toContain('4 rows were left out')
    expect(left.map(({ column }) => column).toSorted()).toEqual(['at', 'price', 'price', 'price'])
    expect(left.map(({ data }) => Number(data.split(',')[0])).toSorted((a, b) => a - b)).toEqual([7, 2007, 4007, 4321])
    if (!to.endsWith('/')) expect(left.map(({ row }) => row)).toEqual([7, 2007, 4007, 4321])
  })
})

test('the values that are left are those of the source', async () => {
  await runAll(rig.engine, leavingOut({ from: 'sales', to: 'back.parquet/', verify: 'checksum' }))
  await rig.database.query('drop table if exists back; create table back (like sales)')
  await runAll(rig.engine, new Run({ source: 'lake', sink: 'shop', from: 'back.parquet/', to: 'back', verify: 'checksum' }))

  const [row] = await rig.database.query(`
    select (select count(*) from (table sales except table back) as gone)::int as gone, (select count(*) from (table back except table sales) as new)::int as new`)
  expect(row).toEqual({ gone: 4, new: 0 })
})

test.each(['counts', 'checksum'] as const)('CSV holds any text, so nothing is left out of it (%s)', async (verify) => {
  const run = leavingOut({ from: '(select id, price from sales)', to: `text-${verify}.csv/`, verify: 'counts' })

  const { finish } = await runAll(rig.engine, run)

  expect(finish.verification).toMatchObject({ status: 'passed', targetRows: 6_000 })
})

test('the JSON value null is left out of JSON files, and no other', async () => {
  const run = leavingOut({
    from: `(select i as id, case i when 3 then 'null' when 4 then null else '{"a": 1}' end::jsonb as j from generate_series(1, 9) i)`,
    to: 'no.json',
  })

  const { finish } = await runAll(rig.engine, run)

  expect(finish.verification).toMatchObject({ status: 'passed', targetRows: 8 })
  expect(await rejected(rig.folder.path, run)).toMatchObject([{ row: 3, column: 'j' }])
  expect(JSON.parse(await readFile(join(rig.folder.path, 'no.json'), 'utf8'))).toHaveLength(8)
})

test('of two attempts at once one counts, with the rows that it left out', async () => {
  const run = leavingOut({ from: 'sales', to: 'twice.parquet/', parts: 1, verify: 'checksum' })
  run.planned(await rig.engine.execute(run.order('plan'), ignore, never()))

  const outcomes = await Promise.all([1, 2].map((attempt) => rig.engine.execute(run.part(0, attempt), ignore, never())))
  for (const outcome of outcomes) run.moved(0, outcome)
  const { finish } = expectOutcome(await rig.engine.execute(run.finish(), ignore, never()), 'finished')

  expect(outcomes.map((outcome) => expectOutcome(outcome, 'moved').counters.rowsSkipped)).toEqual([4, 4])
  expect(finish.verification).toMatchObject({ status: 'passed', targetRows: 5_996 })
  expect(await rejected(rig.folder.path, run)).toHaveLength(4)
})

test('one more than allowed fails the part, and nothing is published', async () => {
  const run = leavingOut({ from: 'sales', to: 'few.parquet', parts: 1 }, 3)
  run.planned(await rig.engine.execute(run.order('plan'), ignore, never()))

  const { fault } = expectOutcome(await rig.engine.execute(run.part(0), ignore, never()), 'failed')

  expect(fault).toMatchObject({ code: 'ROW_INVALID', message: expect.stringContaining('row 4321, column at') })
  expect(await readdir(rig.folder.path)).not.toContain('few.parquet')
})

test('without leave to skip, the fault names target, row and column, also where DuckDB does not', async () => {
  for (const [column, row] of [
    ['price', 7],
    ['at', 4_321],
  ] as const) {
    const run = new Run({ from: `(select id, name, ${column} from sales order by id)`, to: `no-${column}.parquet`, parts: 1 })
    run.planned(await rig.engine.execute(run.order('plan'), ignore, never()))

    const { fault } = expectOutcome(await rig.engine.execute(run.part(0), ignore, never()), 'failed')

    expect(fault).toMatchObject({ code: 'ROW_INVALID', details: { line: row, column } })
    expect(fault.message).toContain(`no-${column}.parquet: row ${row}, column ${column}`)
    expect(fault.message).not.toContain('294276')
  }
})

test.each([
  ['s3', s3Server],
  ['azure-blob', azurite],
] as const)('what Parquet cannot hold is left out of objects of %s, in parts', async (kind, start) => {
  await using server = await start()
  await using bucket = await openStore(kind, server.access.settings, server.access.secrets)
  await using objects = engineOver({ ...rig.stores, bucket })
  const run = leavingOut({ sink: 'bucket', from: 'sales', to: 'sales.parquet/', parts: 2, verify: 'checksum' })

  const { finish } = await runAll(objects, run)

  expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 6_000, targetRows: 5_996, notes: [] })
  expect(await rejected(rig.folder.path, run)).toHaveLength(4)
})
