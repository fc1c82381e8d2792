import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FilesRig, filesRig } from './testing/files-rig.ts'
import { expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

let rig: FilesRig

beforeAll(async () => {
  rig = await filesRig()
})

afterAll(() => rig?.[Symbol.asyncDispose]())

beforeEach(async () => {
  await rig.database.query('drop schema if exists copy cascade; create schema copy')
})

async function put(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(rig.folder.path, path)), { recursive: true })
  await writeFile(join(rig.folder.path, path), content)
}

const rows = async (table = 'copy.t') =>
  (await rig.database.query(`select to_jsonb(t) as row from ${table} as t order by 1`)).map(({ row }) => row)
const load = { source: 'lake', sink: 'shop', to: 'copy.t' } as const

describe('CSV into a table that is there', () => {
  test('passes unparsed, and the types of the table read it', async () => {
    await rig.database.query(
      'create table copy.t (id bigint, price numeric(10,3), ok boolean, day date, note text, extra jsonb, raw bytea)',
    )
    await put(
      'a.csv',
      'id,note,price,ok,day,extra,raw\r\n1,"two\r\nlines, ""quoted""",1.10,TRUE,2024-04-03,"{""b"": 1.50}",\\xdead\r\n\r\n007,,,no,2024-02-29,,\r\n3,"",-0,f,,null,',
    )
    const run = new Run({ ...load, from: 'a.csv' })

    const { finish } = await runAll(rig.engine, run)

    expect(run.plan?.lane).toBe('text')
    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 3, targetRows: 3 })
    expect(await rows()).toEqual([
      { id: 1, price: 1.1, ok: true, day: '2024-04-03', note: 'two\r\nlines, "quoted"', extra: { b: 1.5 }, raw: '\\xdead' },
      { id: 3, price: 0, ok: false, day: null, note: '', extra: null, raw: null },
      { id: 7, price: null, ok: false, day: '2024-02-29', note: null, extra: null, raw: null },
    ])
  })

  test('is cut into ranges that begin with a row, also where values have line ends', async () => {
    await rig.database.query('create table copy.t (id int, note text)')
    const lines = Array.from({ length: 20_000 }, (_, i) => `${i},"${'line\n'.repeat(i % 5)}""${i}"""\n`)
    await put('big.csv', `id,note\n${lines.join('')}`)
    const run = new Run({ ...load, from: 'big.csv', parts: 5 })

    const { finish } = await runAll(rig.engine, run)

    expect(run.plan?.parts.length).toBe(5)
    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 20_000, targetRows: 20_000 })
    const [sums] = await rig.database.query(
      `select count(distinct id)::int as ids, bool_and(note = repeat(E'line\\n', id % 5) || '"' || id || '"') as same from copy.t`,
    )
    expect(sums).toEqual({ ids: 20_000, same: true })
  })

  test('names the row that the table does not take, and writes nothing', async () => {
    await rig.database.query('create table copy.t (id int, note text)')
    await put('bad.csv', 'id,note\n1,a\nsecret,b\n')
    const run = new Run({ ...load, from: 'bad.csv' })
    run.planned(await rig.engine.execute(run.order('plan'), ignore, never()))

    const { fault } = expectOutcome(await rig.engine.execute(run.part(0), ignore, never()), 'failed')

    expect(fault.code).toBe('ROW_INVALID')
    expect(fault.message).toContain('column id')
    expect(fault.message).not.toContain('secret')
    expect(await rows()).toEqual([])
  })

  test.each([
    ['1,a\n2,"b\n', 'a quoted value has no end'],
    ['1,a\n2,b"c\n', 'a quote stands in the midst'],
  ])('that is broken is refused by file and line: %j', async (text, words) => {
    await rig.database.query('create table copy.t (id int, note text)')
    await put('cut.csv', `id,note\n${text}`)
    const run = new Run({ ...load, from: 'cut.csv' })
    run.planned(await rig.engine.execute(run.order('plan'), ignore, never()))

    const { fault } = expectOutcome(await rig.engine.execute(run.part(0), ignore, never()), 'failed')

    expect(fault.code).toBe('ROW_INVALID')
    expect(fault.message).toContain('file cut.csv, line')
    expect(fault.message).toContain(words)
    expect(await rows()).toEqual([])
  })

  test('that changes after the plan fails', async () => {
    await rig.database.query('create table copy.t (id int, note text)')
    await put('later.csv', `id,note\n${'1,a\n'.repeat(5_000)}`)
    const run = new Run({ ...load, from: 'later.csv', parts: 2 })
    run.planned(await rig.engine.execute(run.order('plan'), ignore, never()))
    await put('later.csv', `id,note\n${'1,a\n'.repeat(5_001)}`)

    expect(expectOutcome(await rig.engine.execute(run.part(1), ignore, never()), 'failed').fault.message).toContain('it has changed')
  })
})

const DIALECTS: readonly (readonly [string, string | Buffer, Record<string, string | number | boolean>])[] = [
  ['semicolons and single quotes', "id;note\n1;'a;b ''c'''\n2;\n3;''\n", { delimiter: ';', quote: "'" }],
  ['a backslash before quotes', 'id,note\n1,"a;b \'c\'"\n2,\n3,""\n', { escape: '\\' }],
  ['NULL by a word', "id,note\n1,a;b 'c'\n2,NA\n3,\n", { nullText: 'NA' }],
  ['no header', '1,a;b \'c\'\n2,\n3,""\n', { header: 'no', columns: 'id,note' }],
  ['lines to skip and comments', 'made by "x\nid,note\n# no row\n1,a;b \'c\'\n2,\n3,""\n', { skipLines: 1, comment: '#' }],
  ['UTF-16', Buffer.from('\ufeffid,note\n1,a;b \'c\'\n2,\n3,""\n', 'utf16le'), { encoding: 'utf-16' }],
  ['Latin-1', Buffer.from('id,note\n1,a;b \'c\'\n2,\n3,""\n', 'latin1'), { encoding: 'latin1' }],
  ['tabs', 'id\tnote\n1\ta;b \'c\'\n2\t\n3\t""\n', { delimiter: 'tab' }],
]

describe.each(['a table', 'a new table', 'parquet'])('CSV of any dialect into %s', (target) => {
  test.each(DIALECTS)('with %s', async (_, content, read) => {
    if (target === 'a table') await rig.database.query('create table copy.t (id int, note text)')
    await put('odd.csv', content)
    const verify = target === 'a table' ? 'counts' : 'checksum'

    if (target === 'parquet') {
      await runAll(
        rig.engine,
        new Run({ source: 'lake', sink: 'lake', from: 'odd.csv', to: 'odd.parquet', mode: 'overwrite', read, verify }),
      )
      await runAll(rig.engine, new Run({ ...load, from: 'odd.parquet', verify }))
    } else {
      const { finish } = await runAll(rig.engine, new Run({ ...load, from: 'odd.csv', read, verify }))
      expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 3, targetRows: 3 })
    }

    expect(await rows()).toEqual(
      [
        { id: 1, note: "a;b 'c'" },
        { id: 2, note: null },
        { id: 3, note: '' },
      ].map((row) => (content.toString().includes("''c'''") && row.id === 1 ? { ...row, note: "a;b 'c'" } : row)),
    )
  })
})

test("numbers with a comma and dates of one's own are what they mean", async () => {
  await put('de.csv', 'id;price;day;at\n1;1,50;03.04.2024;03.04.2024 10:30\n2;-12345678901234567890,5;;\n')
  const read = { delimiter: ';', decimalSeparator: ',', dateFormat: '%d.%m.%Y', timestampFormat: '%d.%m.%Y %H:%M' }

  const { finish } = await runAll(rig.engine, new Run({ ...load, from: 'de.csv', read, verify: 'checksum' }))

  expect(finish.verification.status).toBe('passed')
  expect(await rig.database.query('select id, price::text, day::text, at::text from copy.t order by id')).toEqual([
    { id: 1, price: '1.50', day: '2024-04-03', at: '2024-04-03 10:30:00' },
    { id: 2, price: '-12345678901234567890.50', day: null, at: null },
  ])
})

test('folders named like columns are columns', async () => {
  await put('parted/year=2025/month=12/a.csv', 'id,note\n1,x\n')
  await put('parted/year=2026/month=01/b.csv', 'id,note\n2,y\n3,z\n')
  await put('parted/year=2026/month=__HIVE_DEFAULT_PARTITION__/c.csv.gz', gzipSync('id,note\n4,a%b\n'))

  const run = new Run({ ...load, from: 'parted/', read: { partitions: true }, verify: 'checksum' })
  const { finish } = await runAll(rig.engine, run)

  expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 4, targetRows: 4 })
  expect(await rows()).toEqual([
    { id: 1, note: 'x', year: 2025, month: 12 },
    { id: 2, note: 'y', year: 2026, month: 1 },
    { id: 3, note: 'z', year: 2026, month: 1 },
    { id: 4, note: 'a%b', year: 2026, month: null },
  ])
})

test('a JSON array is read like lines of JSON', async () => {
  await put('a.json', '\ufeff [ {"id": 1, "note": "a ] , [ \\" \\n"},\n\n{"id": 2, "note": null, "more": [1, {"x": "}"}]}\n, {"id": 3}]\n')

  const { finish } = await runAll(rig.engine, new Run({ ...load, from: 'a.json', verify: 'checksum' }))

  expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 3, targetRows: 3 })
  expect(await rows()).toEqual([
    { id: 1, note: 'a ] , [ " \n', more: null },
    { id: 2, note: null, more: [1, { x: '}' }] },
    { id: 3, note: null, more: null },
  ])
})

test('an option that no store of files has is refused by its name, with those that there are', async () => {
  await put('a.csv', 'id,note\n1,x\n')
  for (const [copy, words] of [
    [{ read: { delimeter: ';' } }, 'read.delimeter: known options are asIs, codec, columns'],
    [{ read: { delimiter: 'ab' } }, 'read.delimiter: one character'],
    [{ read: { maxFiles: 1 } }, 'read.maxFiles: known options'],
  ] as const) {
    const run = new Run({ ...load, from: 'a.csv', ...copy })
    const { fault } = expectOutcome(await rig.engine.execute(run.order('plan'), ignore, never()), 'failed')
    expect(fault.code).toBe('INPUT_INVALID')
    expect(fault.message).toContain(words)
  }
})
