/** Every type there and back, by every encoding: no value changes without a word. */
import type { Encoding, Sink } from '@postern/connectors/copy-contract.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { OpenStore } from './engine.ts'
import { makeTypes } from './testing/all-types.ts'
import { type OpenedStore, openPostgres, openStore, temporaryFolder } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

let database: TestDatabase
let shop: OpenedStore
let lake: OpenedStore

beforeAll(async () => {
  database = await testDatabase()
  await makeTypes(database, 'all_types', 'all')
  await makeTypes(database, 'common', 'common')
  shop = await openPostgres(database)
  lake = await openPostgres(database)
})

afterAll(async () => {
  for (const each of [shop, lake, database]) await each?.[Symbol.asyncDispose]()
})

beforeEach(() => database.query('drop schema if exists copy cascade; create schema copy'))

/** Rows of which the text is not in both tables. */
async function changed(one: string, other: string): Promise<unknown[]> {
  const text = (table: string) => `select t::text as row from ${table} t`
  return database.query(`(${text(one)} except all ${text(other)}) union all (${text(other)} except all ${text(one)})`)
}

/** The store taking one encoding only. */
function taking({ session, connector }: OpenedStore, encoding: Encoding): OpenStore {
  const inner = session.sink as Sink
  const sink: Sink = new Proxy(inner, {
    get: (of, name) => {
      if (name === 'accepts') return (...given: Parameters<Sink['accepts']>) => of.accepts(...given).filter((each) => each === encoding)
      const value: unknown = Reflect.get(of, name)
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
  return { connector, session: { ...rest(session), sink } }
}
const rest = (session: OpenedStore['session']) => ({
  check: session.check.bind(session),
  browse: session.browse.bind(session),
  [Symbol.asyncDispose]: async () => {},
})

describe.each(['pg-text', 'csv'] as const)('PostgreSQL to PostgreSQL as %s', (encoding) => {
  test.each(['append', 'overwrite', 'upsert'] as const)('to %s a table like it keeps every value', async (mode) => {
    await database.query('create table copy.t (like all_types including all)')
    await using engine = engineOver({ shop, lake: taking(lake, encoding) })
    const { finish } = await runAll(engine, new Run({ from: 'all_types', to: 'copy.t', mode, key: ['id'], verify: 'checksum' }))

    expect(finish.verification).toMatchObject({ status: 'passed', notes: [] })
    expect(await changed('all_types', 'copy.t')).toEqual([])
  })

  test('into a table that is made for it keeps every value', async () => {
    await using engine = engineOver({ shop, lake: taking(lake, encoding) })
    const run = new Run({ from: 'all_types', to: 'copy.t', verify: 'checksum' })
    const { finish } = await runAll(engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', notes: [] })
    expect(run.plan?.notes.join(' ')).not.toContain('becomes text')
    expect(await changed('all_types', 'copy.t')).toEqual([])
  })
})

test('PostgreSQL to PostgreSQL in the binary form keeps every value that has one in both databases', async () => {
  await using engine = engineOver({ shop, lake })
  const run = new Run({ from: 'common', to: 'copy.t', verify: 'checksum' })
  const { finish } = await runAll(engine, run)

  expect(run.plan?.lane).toBe('binary')
  expect(finish.verification).toMatchObject({ status: 'passed', notes: [] })
  expect(await changed('common', 'copy.t')).toEqual([])
})

test('between databases of other settings no value is read by other rules', async () => {
  await using other = await testDatabase()
  await other.query(`alter database "${other.name}" set "DateStyle" = 'SQL, DMY'; alter database "${other.name}" set "TimeZone" = 'Asia/Tokyo';
    alter database "${other.name}" set "IntervalStyle" = 'sql_standard'; alter database "${other.name}" set extra_float_digits = -15; alter database "${other.name}" set bytea_output = 'escape'`)
  await makeTypes(other, 'all_types', 'all')
  await other.query('create schema copy; create table copy.t (like all_types including all)')
  await using there = await openPostgres(other)
  for (const [from, to] of [
    [shop, there],
    [there, lake],
  ] as const) {
    await using engine = engineOver({ shop: from, lake: to })
    if (to === lake) await database.query('create table copy.t (like all_types including all)')
    const { finish } = await runAll(engine, new Run({ from: 'all_types', to: 'copy.t', verify: 'checksum' }))

    expect(finish.verification).toMatchObject({ status: 'passed', notes: [] })
  }
  expect(await changed('all_types', 'copy.t')).toEqual([])
})

describe.each(['csv', 'csv.gz', 'tsv', 'parquet'])('PostgreSQL to a .%s file and back', (ending) => {
  test('keeps every value of the types that files hold', async () => {
    await using folder = await temporaryFolder()
    await using files = await openStore('files', { path: folder.path })
    await using out = engineOver({ shop, lake: files })
    const written = (await runAll(out, new Run({ from: 'common', to: `types.${ending}`, verify: 'checksum' }))).finish
    expect(written.verification).toMatchObject({ status: 'passed', notes: [] })
    // What files hold is plain: nothing there is generated.
    await database.query('create table copy.t (like common)')
    await using back = engineOver({ shop: files, lake })
    const read = (await runAll(back, new Run({ from: `types.${ending}`, to: 'copy.t', verify: 'counts' }))).finish

    expect(read.verification).toMatchObject({ status: 'passed', notes: [] })
    expect(await changed('common', 'copy.t')).toEqual([])
  })
})

test('PostgreSQL to NDJSON and back keeps every value; a JSON document is on one line and so not in the checksum', async () => {
  await using folder = await temporaryFolder()
  await using files = await openStore('files', { path: folder.path })
  await using engine = engineOver({ shop, files, lake })
  // NaN is a text among numbers there: columns that have it are read back as JSON, so they are only written here.
  const [names] = await database.query<{ all: string; plain: string }>(`
    with c as (select quote_ident(column_name) as name, data_type as type from information_schema.columns where table_name = 'common' order by ordinal_position)
    select string_agg(name, ', ') as all, string_agg(name, ', ') filter (where type not in ('real', 'double precision', 'numeric', 'json')) as plain from c`)
  // JSON's null is refused there: it could not be told from NULL.
  const from = `(select ${names?.all} from common where "c17 json"::text is distinct from 'null')`
  const written = (await runAll(engine, new Run({ sink: 'files', from, to: 'all.ndjson', verify: 'checksum' }))).finish
  await runAll(engine, new Run({ sink: 'files', from: `(select ${names?.plain} from common)`, to: 'plain.ndjson', verify: 'checksum' }))
  await database.query(`create table copy.before as select ${names?.plain} from common; create table copy.t (like copy.before)`)
  const read = (await runAll(engine, new Run({ source: 'files', from: 'plain.ndjson', to: 'copy.t' }))).finish

  expect(written.verification).toMatchObject({ status: 'passed', notes: [expect.stringContaining('Not in the checksum')] })
  expect(read.verification.status).toBe('passed')
  expect(await changed('copy.before', 'copy.t')).toEqual([])
})

test('what Parquet cannot hold is refused, not changed', async () => {
  await database.query(
    `create table copy.far as select timestamp '294276-12-31 23:59:59.999999' as at; create table copy.nan as select 'NaN'::numeric(10,2) as n`,
  )
  await using folder = await temporaryFolder()
  await using files = await openStore('files', { path: folder.path })
  await using engine = engineOver({ shop, lake: files })
  for (const table of ['far', 'nan']) {
    const run = new Run({ from: `copy.${table}`, to: `${table}.parquet` })
    run.planned(await engine.execute(run.order('plan'), ignore, never()))

    expect(expectOutcome(await engine.execute(run.part(0), ignore, never()), 'failed').fault.code).toBe('ROW_INVALID')
  }
})
