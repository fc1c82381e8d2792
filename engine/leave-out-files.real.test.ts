/** Rows that files cannot hold, and lines of files that cannot be read: left out one by one, in the right place, and nothing else is. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type MysqlDatabase, MysqlServer, mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { azurite, s3Server } from '@postern/testkit/object-store.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { type OpenedStore, openPostgres, openStore, type TemporaryFolder, temporaryFolder } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll, storeRef } from './testing/rig.ts'

let database: TestDatabase
let shop: OpenedStore
let lake: OpenedStore
let folder: TemporaryFolder
let engine: Engine

beforeAll(async () => {
  database = await testDatabase()
  // Two dates that no other store has, three decimals and one moment that Parquet has no form for.
  await database.query(`
    create table sales as
      select i as id, 'name, "' || i || E'"\\nof two lines' as name,
             (case when i % 2000 = 7 then 'NaN' else i::numeric end)::numeric(12, 2) as price,
             case when i = 4321 then '294276-12-31 23:59:59'::timestamp else timestamp '2024-01-01' + i * interval '1 minute' end as at,
             date '0044-03-15 BC' + i as day
        from generate_series(1, 6000) i;
    alter table sales add primary key (id); analyze sales`)
  shop = await openPostgres(database)
  folder = await temporaryFolder()
  lake = await openStore('files', { path: folder.path })
  engine = engineOver({ shop, lake })
})

afterAll(async () => {
  for (const each of [engine, shop, lake, folder, database]) await each?.[Symbol.asyncDispose]()
})

class SkippingRun extends Run {
  override order(...[kind, more]: Parameters<Run['order']>) {
    return super.order(kind, { rejects: storeRef('lake'), ...more })
  }
}
const skipping = (more: ConstructorParameters<typeof Run>[0], limit = 100) =>
  new SkippingRun({ skipIncompatibleRows: { limit, rejects: { store: 'lake', path: 'rejects' } }, ...more })

interface Reject {
  readonly part: string
  readonly row: number
  readonly column: string | null
  readonly error: string
  readonly data: string
}

async function rejected(run: Run): Promise<Reject[]> {
  const path = join(folder.path, 'rejects.ndjson', `${run.id}.ndjson`)
  const names = (await readdir(path)).filter((name) => name.startsWith('part-'))
  const texts = await Promise.all(names.map((name) => readFile(join(path, name), 'utf8')))
  const lines = texts.flatMap((text) => text.trimEnd().split('\n'))
  return lines.map((line) => JSON.parse(line) as Reject).toSorted((a, b) => a.row - b.row)
}
const ndjson = (more: ConstructorParameters<typeof Run>[0], limit = 100) =>
  new SkippingRun({ skipIncompatibleRows: { limit, rejects: { store: 'lake', path: 'rejects.ndjson' } }, ...more })

describe.each(['sales.parquet/', 'one.parquet'])('what Parquet cannot hold is left out of %s', (to) => {
  test.each(['counts', 'checksum'] as const)('the rest is there and verified by %s', async (verify) => {
    const run = ndjson({ from: 'sales', to, mode: 'overwrite', parts: to.endsWith('/') ? 2 : 1, verify })

    const { finish } = await runAll(engine, run)
    const left = await rejected(run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 6_000, targetRows: 5_996 })
    expect(finish.verification.notes).toEqual([])
    expect(finish.notes.join(' ')).toContain('4 rows were left out')
    expect(left.map(({ column }) => column).toSorted()).toEqual(['at', 'price', 'price', 'price'])
    expect(left.map(({ data }) => Number(data.split(',')[0])).toSorted((a, b) => a - b)).toEqual([7, 2007, 4007, 4321])
    if (!to.endsWith('/')) expect(left.map(({ row }) => row)).toEqual([7, 2007, 4007, 4321])
  })
})

test('the values that are left are those of the source', async () => {
  await runAll(engine, skipping({ from: 'sales', to: 'back.parquet/', verify: 'checksum' }))
  await database.query('drop table if exists back; create table back (like sales)')
  await runAll(engine, new Run({ source: 'lake', sink: 'shop', from: 'back.parquet/', to: 'back', verify: 'checksum' }))

  const [row] = await database.query(`
    select (select count(*) from (table sales except table back) as gone)::int as gone, (select count(*) from (table back except table sales) as new)::int as new`)
  expect(row).toEqual({ gone: 4, new: 0 })
})

test.each(['counts', 'checksum'] as const)('CSV holds any text, so nothing is left out of it (%s)', async (verify) => {
  const run = skipping({ from: '(select id, price from sales)', to: `text-${verify}.csv/`, verify: 'counts' })

  const { finish } = await runAll(engine, run)

  expect(finish.verification).toMatchObject({ status: 'passed', targetRows: 6_000 })
})

test('the JSON value null is left out of JSON files, and no other', async () => {
  const run = ndjson({
    from: `(select i as id, case i when 3 then 'null' when 4 then null else '{"a": 1}' end::jsonb as j from generate_series(1, 9) i)`,
    to: 'no.json',
  })

  const { finish } = await runAll(engine, run)

  expect(finish.verification).toMatchObject({ status: 'passed', targetRows: 8 })
  expect(await rejected(run)).toMatchObject([{ row: 3, column: 'j' }])
  expect(JSON.parse(await readFile(join(folder.path, 'no.json'), 'utf8'))).toHaveLength(8)
})

test('of two attempts at once one counts, with the rows that it left out', async () => {
  const run = ndjson({ from: 'sales', to: 'twice.parquet/', parts: 1, verify: 'checksum' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))

  const outcomes = await Promise.all([1, 2].map((attempt) => engine.execute(run.part(0, attempt), ignore, never())))
  for (const outcome of outcomes) run.moved(0, outcome)
  const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

  expect(outcomes.map((outcome) => expectOutcome(outcome, 'moved').counters.rowsSkipped)).toEqual([4, 4])
  expect(finish.verification).toMatchObject({ status: 'passed', targetRows: 5_996 })
  expect(await rejected(run)).toHaveLength(4)
})

test('one more than allowed fails the part, and nothing is published', async () => {
  const run = skipping({ from: 'sales', to: 'few.parquet', parts: 1 }, 3)
  run.planned(await engine.execute(run.order('plan'), ignore, never()))

  const { fault } = expectOutcome(await engine.execute(run.part(0), ignore, never()), 'failed')

  expect(fault).toMatchObject({ code: 'ROW_INVALID', message: expect.stringContaining('row 4321, column at') })
  expect(await readdir(folder.path)).not.toContain('few.parquet')
})

test('without leave to skip, the fault names target, row and column, also where DuckDB does not', async () => {
  for (const [column, row] of [
    ['price', 7],
    ['at', 4_321],
  ] as const) {
    const run = new Run({ from: `(select id, name, ${column} from sales order by id)`, to: `no-${column}.parquet`, parts: 1 })
    run.planned(await engine.execute(run.order('plan'), ignore, never()))

    const { fault } = expectOutcome(await engine.execute(run.part(0), ignore, never()), 'failed')

    expect(fault).toMatchObject({ code: 'ROW_INVALID', details: { line: row, column } })
    expect(fault.message).toContain(`no-${column}.parquet: row ${row}, column ${column}`)
    expect(fault.message).not.toContain('294276')
  }
})

const CSV = [
  'id,name,amount',
  '1,plain,10',
  '2,too few',
  '3,"quoted, and',
  'of two lines",30',
  '4,too,many,values',
  '5,"ends" early,50',
  '6,"""",60',
  '7,stray " quote,70',
  '8,not a number,eighty',
  '9,"no end,90',
  '10,last,100',
  '',
].join('\n')

describe('lines of CSV that cannot be read', () => {
  beforeEach(() => database.query('drop table if exists lines; create table lines (id int primary key, name text, amount int)'))

  test.each([',', ';'])('are left out of a table, those of "%s" too, and the rows around them are there', async (delimiter) => {
    await writeFile(join(folder.path, 'lines.csv'), delimiter === ',' ? CSV : CSV.replaceAll(',', delimiter))
    const run = ndjson({ source: 'lake', sink: 'shop', from: 'lines.csv', to: 'lines', read: { delimiter } })

    const { finish } = await runAll(engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 10, targetRows: 4 })
    expect(await database.query('select id from lines order by id')).toEqual([{ id: 1 }, { id: 3 }, { id: 6 }, { id: 10 }])
    const left = await rejected(run)
    expect(left.map(({ row }) => row)).toEqual([2, 4, 5, 7, 8, 9])
    expect(left[0]?.error).toBe('file lines.csv, line 3, column 3: 3 columns expected, 2 found.')
    expect(left[4]).toMatchObject({ column: 'amount', data: expect.stringContaining('eighty') })
    expect(left[5]?.data.replaceAll(';', ',')).toBe('9,"no end,90')
  })

  test.each(['lines.parquet', 'lines.ndjson', 'lines3.csv/'])('are left out of %s, by checksum', async (to) => {
    await writeFile(join(folder.path, 'source.csv'), CSV)
    const run = ndjson({ source: 'lake', sink: 'lake', from: 'source.csv', to, mode: 'overwrite', verify: 'checksum' })

    const { finish } = await runAll(engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 10, targetRows: 5, notes: [] })
    expect((await rejected(run)).map(({ row }) => row)).toEqual([2, 4, 5, 7, 9])
  })

  test('fail the copy where none may be left out', async () => {
    await writeFile(join(folder.path, 'lines.csv'), CSV)
    const run = new Run({ source: 'lake', sink: 'shop', from: 'lines.csv', to: 'lines', parts: 1 })

    run.planned(await engine.execute(run.order('plan'), ignore, never()))
    const failed = await engine.execute(run.part(0), ignore, never())

    expect(expectOutcome(failed, 'failed').fault).toMatchObject({ code: 'ROW_INVALID', message: expect.stringContaining('line') })
  })
})

const NDJSON = [
  '{"id": 1, "name": "plain", "day": "2024-01-01"}',
  '{"id": 2, "name": ',
  '[3]',
  '{"id": 04}',
  '',
  '{"id": 5, "name": "last", "day": "2024-01-05"}',
]

test.each(['lines.parquet', 'lines2.csv'])(
  'lines of NDJSON that are no object, and text that is no UTF-8, are left out of %s',
  async (to) => {
    const broken = Buffer.concat([Buffer.from(`${NDJSON.join('\n')}\n{"id": 6, "name": "`), Buffer.from([0xff]), Buffer.from('"}\n')])
    await writeFile(join(folder.path, 'lines.ndjson'), broken)
    const run = ndjson({ source: 'lake', sink: 'lake', from: 'lines.ndjson', to, mode: 'overwrite', verify: 'checksum' })

    const { finish } = await runAll(engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 6, targetRows: 2, notes: [] })
    expect((await rejected(run)).map(({ row, error }) => [row, error])).toEqual([
      [2, 'file lines.ndjson, line 2, character 18: it is not JSON.'],
      [3, 'file lines.ndjson, line 3: it is JSON, but not an object.'],
      [4, expect.stringContaining('line 4, character')],
      [6, 'file lines.ndjson, line 7: the text is not UTF-8.'],
    ])
  },
)

test('values that are not of the types that a manifest declares are left out, and the place counts the broken lines before them', async () => {
  await runAll(engine, new Run({ from: '(select id, day from sales where id <= 3 order by id)', to: 'typed.csv/', parts: 1 }))
  const path = join(folder.path, 'typed.csv')
  const [name] = (await readdir(path)).filter((each) => each.startsWith('part-'))
  await writeFile(join(path, String(name)), 'id,day\n1,2024-01-01\n2\n3,2024-13-01\nfour,2024-01-04\n5,2024-01-05\n')
  const run = ndjson({ source: 'lake', sink: 'lake', from: 'typed.csv/', to: 'typed.parquet' })

  const { finish } = await runAll(engine, run)

  expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 5, targetRows: 2 })
  expect((await rejected(run)).map(({ row, column, data }) => [row, column, data])).toEqual([
    [2, null, '2'],
    [3, 'day', '3,2024-13-01'],
    [4, 'id', 'four,2024-01-04'],
  ])
})

test.each([
  ['s3', s3Server],
  ['azure-blob', azurite],
] as const)('what Parquet cannot hold is left out of objects of %s, in parts', async (kind, start) => {
  await using server = await start()
  await using bucket = await openStore(kind, server.access.settings, server.access.secrets)
  await using objects = engineOver({ shop, lake, bucket })
  const run = ndjson({ sink: 'bucket', from: 'sales', to: 'sales.parquet/', parts: 2, verify: 'checksum' })

  const { finish } = await runAll(objects, run)

  expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 6_000, targetRows: 5_996, notes: [] })
  expect(await rejected(run)).toHaveLength(4)
})

const missing = mysqlMissing()
describe.skipIf(missing !== undefined)(`MySQL and the values that only it has${missing ? `: ${missing}` : ''}`, () => {
  let server: MysqlServer
  let mysql: MysqlDatabase
  let crm: OpenedStore
  let all: Engine

  beforeAll(async () => {
    server = await MysqlServer.start()
    mysql = await server.database()
    const { host, port, name, user, password } = mysql
    crm = await openStore('mysql', { host, port, database: name, user }, { password })
    all = engineOver({ shop, lake, crm })
    await mysql.query(`create table odd (id int primary key, d date, ts datetime, ti time, ok tinyint(1));
      insert into odd values (1, '2024-02-29', '2024-02-29 12:00:00', '12:00:00', 1), (2, '0000-00-00', null, null, 0),
        (3, null, '0000-00-00 00:00:00', null, 1), (4, null, null, '30:00:00', 1), (5, null, null, null, 5), (6, null, null, null, null)`)
  })

  afterAll(async () => {
    await all?.[Symbol.asyncDispose]()
    for (const each of [crm, mysql, server]) await each?.[Symbol.asyncDispose]()
  })

  const KEPT: Readonly<Record<string, number[]>> = { 'odd.parquet': [2, 3, 4, 5], 'odd.ndjson': [2, 3, 4, 5], 'odd.csv': [2, 3, 4, 5] }
  test.each(Object.keys(KEPT))('dates of zeros, hours beyond the day and other truths are left out of %s, by checksum', async (to) => {
    const run = ndjson({ source: 'crm', sink: 'lake', from: 'odd', to, verify: 'checksum' })

    const { finish } = await runAll(all, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 6, targetRows: 2, notes: [] })
    expect((await rejected(run)).map(({ row }) => row)).toEqual(KEPT[to])
  })

  test('they are left out of a table of PostgreSQL, by checksum', async () => {
    const run = ndjson({ source: 'crm', sink: 'shop', from: 'odd', to: 'odd', verify: 'checksum' })

    const { finish } = await runAll(all, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 6, targetRows: 2, notes: [] })
    expect((await rejected(run)).map(({ column }) => column)).toEqual(['d', 'ts', 'ti', 'ok'])
  })

  test('dates before Christ and infinity are left out of a table of MySQL, by checksum', async () => {
    await database.query(
      `create table far as select * from (values (1, date '2024-01-01'), (2, '0044-03-15 BC'), (3, 'infinity'), (4, null)) as v (id, d)`,
    )
    const run = ndjson({ source: 'shop', sink: 'crm', from: 'far', to: 'far', verify: 'checksum' })

    const { finish } = await runAll(all, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 4, targetRows: 2, notes: [] })
    expect((await rejected(run)).map(({ row, column }) => [row, column])).toEqual([
      [2, 'd'],
      [3, 'd'],
    ])
  })

  test('broken lines of CSV are left out of a table of MySQL', async () => {
    await writeFile(join(folder.path, 'lines.csv'), CSV)
    await mysql.query('create table `lines` (id int, name text, amount int)')
    const run = ndjson({ source: 'lake', sink: 'crm', from: 'lines.csv', to: 'lines' })

    const { finish } = await runAll(all, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 10, targetRows: 4 })
    expect((await rejected(run)).map(({ row }) => row)).toEqual([2, 4, 5, 7, 8, 9])
  })
})
