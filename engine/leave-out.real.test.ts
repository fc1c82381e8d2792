/** Rows that the target does not take: left out, counted, told, and never more of them than allowed. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sink } from '@postern/connectors/copy-contract.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { type OpenedStore, openPostgres, openStore, type TemporaryFolder, temporaryFolder } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'
import { type Spoil, SpoiledSink } from './testing/spoiled-sink.ts'

let database: TestDatabase
let shop: OpenedStore
let lake: OpenedStore
let files: OpenedStore
let folder: TemporaryFolder
let engine: Engine

beforeAll(async () => {
  database = await testDatabase()
  await database.query(`
    create table raw as
      select i as id, case when i % 1000 = 7 then 'many' else i::text end as amount, 'name ' || i as name from generate_series(1, 6000) i;
    alter table raw add primary key (id); analyze raw`)
  shop = await openPostgres(database)
  lake = await openPostgres(database)
  folder = await temporaryFolder()
  files = await openStore('files', { path: folder.path })
  engine = engineOver({ shop, lake, files })
})

afterAll(async () => {
  for (const each of [engine, shop, lake, files, folder, database]) await each?.[Symbol.asyncDispose]()
})

beforeEach(() =>
  database.query('drop schema if exists copy cascade; create schema copy; create table copy.t (id int, amount int, name text)'),
)

const skipping = (limit: number, more: Partial<ConstructorParameters<typeof Run>[0]> = {}) =>
  new Run({ from: 'raw', to: 'copy.t', skipIncompatibleRows: { limit, rejects: { store: 'files', path: 'rejects' } }, ...more })
const count = async () => (await database.query<{ n: number }>('select count(*)::int as n from copy.t'))[0]?.n

async function rejected(run: Run): Promise<string[]> {
  const path = join(folder.path, 'rejects', `${run.id}.csv`)
  const names = (await readdir(path)).filter((name) => name.startsWith('part-'))
  const texts = await Promise.all(names.map((name) => readFile(join(path, name), 'utf8')))
  return texts.flatMap((text) => text.trimEnd().split('\n').slice(1)).toSorted()
}

describe.each([1, 3])('in %i parts', (parts) => {
  test.each(['counts', 'checksum'] as const)('bad rows are left out, the others are there and verified by %s', async (verify) => {
    const run = skipping(10, { parts, verify })

    const { finish } = await runAll(engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 6_000, targetRows: 5_994 })
    expect(finish.verification.notes.join(' ')).not.toContain('Only the number')
    expect(finish.notes.join(' ')).toContain('6 rows were left out: they are in files:rejects/')
    expect(await count()).toBe(5_994)
    const lines = await rejected(run)
    expect(lines).toHaveLength(6)
    expect(lines.join('\n')).toContain('"22P02","invalid input syntax for type integer: ""many""","7\tmany\tname 7"')
    if (parts === 1) expect(lines[0]).toMatch(/^"public.raw","1007","amount","22P02"/)
  })
})

test('each sort of bad row is left out: conversion, null, too long, check, unique, foreign key, what a trigger refuses', async () => {
  await database.query(`
    create table copy.parent (id int primary key); insert into copy.parent select generate_series(1, 100);
    drop table copy.t;
    create table copy.t (id int primary key, amount int not null check (amount >= 0), name varchar(8), parent int references copy.parent deferrable initially deferred);
    create function copy.refuse() returns trigger language plpgsql as $$ begin if new.name = 'refuse' then raise 'not this one'; end if; return new; end $$;
    create trigger refuse before insert on copy.t for each row execute function copy.refuse();
    create table copy.bad (id text, amount text, name text, parent text);
    insert into copy.bad select i, i, 'n' || i, i from generate_series(1, 100) i;
    insert into copy.bad values ('x', '1', 'a', '1'), ('101', null, 'a', '1'), ('102', '1', 'much too long', '1'), ('103', '-1', 'a', '1'),
      ('1', '1', 'again', '1'), ('104', '1', 'a', '4711'), ('105', '1', 'refuse', '1'), ('99999999999', '1', 'a', '1'), ('106', '1', 'good', '1')`)
  const run = skipping(8, { from: 'copy.bad', verify: 'checksum', parts: 1 })

  const { finish } = await runAll(engine, run)

  expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 109, targetRows: 101 })
  const codes = (await rejected(run)).map((line) => /"(\w{5})"/.exec(line)?.[1])
  expect(codes.toSorted()).toEqual(['22001', '22003', '22P02', '23502', '23503', '23505', '23514', 'P0001'])
})

test('one more than allowed fails the part, which leaves nothing, and names table, place and column', async () => {
  const run = skipping(5, { parts: 1 })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))

  const { fault, counters } = expectOutcome(await engine.execute(run.part(0), ignore, never()), 'failed')

  expect(fault).toMatchObject({ code: 'ROW_INVALID', message: expect.stringContaining('row 5007, column amount') })
  expect(counters.rowsSkipped).toBe(6)
  expect(await count()).toBe(0)
})

test('the limit holds over all parts together', async () => {
  const run = skipping(4, { parts: 3 })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index), ignore, never()))

  const { fault } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'failed')

  expect(fault).toMatchObject({ code: 'ROW_INVALID', message: expect.stringContaining('3 parts have left out 6') })
})

test('of two attempts at once the rejected rows of the one that lost are in no file', async () => {
  const run = skipping(10, { parts: 1, verify: 'checksum' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))

  const outcomes = await Promise.all([1, 2].map((attempt) => engine.execute(run.part(0, attempt), ignore, never())))
  for (const outcome of outcomes) run.moved(0, outcome)
  const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

  expect(outcomes.map((outcome) => expectOutcome(outcome, 'moved').counters.rowsSkipped)).toEqual([6, 6])
  expect(finish.verification.status).toBe('passed')
  expect(await rejected(run)).toHaveLength(6)
  expect(await count()).toBe(5_994)
})

test('without bad rows there is no reject file', async () => {
  const run = skipping(10, { from: '(select * from raw where id % 1000 <> 7)' })

  const { finish } = await runAll(engine, run)

  expect(finish.verification.status).toBe('passed')
  expect(await readdir(join(folder.path, 'rejects')).catch(() => [])).not.toContain(`${run.id}.csv`)
})

test('without leave to skip, a bad row fails the part and is told by table, line and column', async () => {
  const run = new Run({ from: '(select id, amount, name from raw order by id)', to: 'copy.t' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))

  const { fault } = expectOutcome(await engine.execute(run.part(0), ignore, never()), 'failed')

  expect(fault).toMatchObject({ code: 'ROW_INVALID', details: { line: 7, column: 'amount' }, message: expect.stringContaining('copy.t') })
})

test('upsert and overwrite leave rows out of what is written aside', async () => {
  for (const mode of ['overwrite', 'upsert'] as const) {
    await database.query('drop schema copy cascade; create schema copy; create table copy.t (id int primary key, amount int, name text)')
    const { finish } = await runAll(engine, skipping(10, { mode, key: ['id'], verify: 'checksum', parts: 2 }))

    expect(finish.verification, mode).toMatchObject({ status: 'passed', targetRows: 5_994 })
    expect(await count()).toBe(5_994)
  }
})

describe('a value that is changed on the way, in a part that leaves rows out', () => {
  const spoiled = (spoil: Spoil) => {
    const sink = new SpoiledSink({ inner: lake.session.sink as Sink, spoil, lies: false })
    const { check, browse } = lake.session
    return { ...lake, session: { check, browse, sink, [Symbol.asyncDispose]: async () => undefined } }
  }

  test.each([
    ['cut', (rows: readonly string[]) => rows.map((row) => (row.startsWith('4\t') ? row.slice(0, -1) : row))],
    ['put in place of another', (rows: readonly string[]) => rows.map((row, i) => (row.startsWith('4\t') ? (rows[i + 1] ?? row) : row))],
  ] as const)('shows in the checksum when it is %s', async (_, spoil) => {
    await using faulty = engineOver({ shop, lake: spoiled(spoil), files })
    const run = skipping(10, { verify: 'checksum', parts: 1 })

    const { finish } = await runAll(faulty, run)

    expect(finish.verification).toMatchObject({ status: 'failed', sourceRows: 6_000, targetRows: 5_994 })
    expect(finish.verification.notes.join(' ')).toContain('values differ')
  })
})
