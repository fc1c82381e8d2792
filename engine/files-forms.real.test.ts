import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FilesRig, filesRig } from './testing/files-rig.ts'
import { differing, makeOrders } from './testing/real-stores.ts'
import { expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

const NASTY = `
  (1, E'tab\\t, line\\n, return\\r, back\\\\slash \\\\N \\\\. "quote" ''apostrophe'' ; | , 🚪 ünï', '', -0.0::float8, 'NaN', 1e300, -12345678901234567890.123, '0044-03-15 10:00 BC', '{"a": 1.50, "b": null}', '\\x00ff'),
  (-9223372036854775808, E'\\x1f\\x01\\x7f', null, 'Infinity', '-Infinity', 5e-324, 0.000, '9999-12-31 23:59:59.999999', '[null]', ''),
  (9223372036854775807, 'NA', 'NULL', null, 'Infinity', 0.1, 0.10, 'infinity', '"text"', null)`

/** Columns of JSON in which the value null and NULL are two things. */
const JSON_NULL = `(select 1 as id, 'null'::jsonb as j)`

let rig: FilesRig

beforeAll(async () => {
  rig = await filesRig()
  await makeOrders(rig.database, 500)
  await rig.database.query(
    `create table nasty (id bigint, t text, e text, f float8, g float4, h float8, d numeric(30, 3), at timestamptz, j jsonb, b bytea)`,
  )
  await rig.database.query(`insert into nasty values ${NASTY}`)
})

afterAll(() => rig?.[Symbol.asyncDispose]())

const FORMS = [
  ['csv', {}],
  ['tsv', {}],
  ['ndjson', {}],
  ['json', {}],
  ['json.gz', {}],
  ['csv', { delimiter: ';', quote: "'", nullText: 'NA' }],
  ['csv.zst', { delimiter: 'tab', escape: '\\\\', header: 'no' }],
  ['csv', { delimiter: '|', nullText: 'NULL' }],
  ['parquet', { codec: 'snappy', rowGroupRows: 2_048 }],
  ['parquet', { codec: 'uncompressed' }],
] as const

test.each(FORMS)('every value comes back from a folder of %s written with %j', async (ending, given) => {
  const write = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value === '\\\\' ? '\\' : value]))
  for (const table of ['nasty', 'orders']) {
    const to = `${table}-${FORMS.findIndex(([, other]) => other === given)}.${ending}/`
    await rig.database.query(`drop table if exists back; create table back (like ${table})`)

    const out = await runAll(rig.engine, new Run({ from: table, to, write, parts: 1, verify: 'checksum' }))
    const home = await runAll(rig.engine, new Run({ source: 'lake', sink: 'shop', from: to, to: 'back', verify: 'checksum' }))

    expect(out.finish.verification.status).toBe('passed')
    expect(home.finish.verification.status).toBe('passed')
    expect(await differing(rig.database, table, 'back')).toBe(0)
  }
})

test('a value that Parquet has no form for fails its part, by its column', async () => {
  const run = new Run({ from: `(select 1 as id, 'NaN'::numeric(30, 3) as d)`, to: 'nan.parquet', parts: 1 })
  run.planned(await rig.engine.execute(run.order('plan'), ignore, never()))

  const { fault } = expectOutcome(await rig.engine.execute(run.part(0), ignore, never()), 'failed')

  expect(fault.code).toBe('ROW_INVALID')
  expect(fault.message).toMatch(/row \d+, column d/)
})

test.each(['ndjson', 'json'])('the JSON value null is no NULL, so a part with it fails in %s; elsewhere it comes back', async (ending) => {
  const run = new Run({ from: JSON_NULL, to: `no.${ending}`, parts: 1 })
  run.planned(await rig.engine.execute(run.order('plan'), ignore, never()))
  const { fault } = expectOutcome(await rig.engine.execute(run.part(0), ignore, never()), 'failed')
  await rig.database.query('drop table if exists back; create table back (id int, j jsonb)')
  await runAll(rig.engine, new Run({ from: JSON_NULL, to: `yes-${ending}.csv/` }))
  await runAll(rig.engine, new Run({ source: 'lake', sink: 'shop', from: `yes-${ending}.csv/`, to: 'back' }))

  expect(fault).toMatchObject({ code: 'ROW_INVALID', message: expect.stringContaining('column j: the JSON value null') })
  expect(await rig.database.query('select j::text from back')).toEqual([{ j: 'null' }])
})

test('what can be read but not written is refused before a row moves', async () => {
  const run = new Run({ from: 'nasty', to: 'latin.csv', write: { encoding: 'latin1' } })
  const { fault } = expectOutcome(await rig.engine.execute(run.order('plan'), ignore, never()), 'failed')

  expect(fault.code).toBe('INPUT_INVALID')
  expect(fault.message).toContain('encoding')
})

test('a JSON file is one array that any parser reads', async () => {
  await runAll(rig.engine, new Run({ from: 'orders', to: 'orders.json' }))

  expect(JSON.parse(await readFile(join(rig.folder.path, 'orders.json'), 'utf8'))).toHaveLength(500)
})

test('a copy of no rows is an empty array', async () => {
  await runAll(rig.engine, new Run({ from: '(select 1 as a where false)', to: 'none.json' }))

  expect(JSON.parse(await readFile(join(rig.folder.path, 'none.json'), 'utf8'))).toEqual([])
})
