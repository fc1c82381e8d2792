/** Rows in folders by their values: written by us, read by us and by DuckDB alone. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { DuckDBInstance } from '@duckdb/node-api'
import { faultOf } from '@postern/testkit/fault-of.ts'
import { expect, test } from 'vitest'
import { PARTITIONS } from './partition-spool.ts'
import { column, shapeOf, soon, TestStore } from './testing/test-store.ts'

const SHAPE = shapeOf([column('id', 'int32'), column('year', 'int32'), column('name', 'text'), column('town', 'text')])
const BY = { partitionBy: ['year', 'town'] }
const PARTS = [
  '1,2025,one,"Zürich 🚪/""x""=50%, a+b"\n2,2026,"two, 2",007\n3,2026,,\n',
  '4,,four,007\n5,2026,five,"007"\n6,2025,"six\nlines","a:b?*[]{}\\\\\'#^|<>"\n7,2026,seven,"two\nlines"\n',
]
/** As our own reading tells them: folders behind the columns of the files. */
const ROWS = [
  '1,one,2025,"Zürich 🚪/""x""=50%, a+b"',
  '2,"two, 2",2026,007',
  '3,,2026,',
  '4,four,,007',
  '5,five,2026,007',
  '6,"six\nlines",2025,"a:b?*[]{}\\\\\'#^|<>"',
  '7,seven,2026,"two\nlines"',
]

test.each(['csv', 'csv.gz', 'tsv', 'ndjson', 'ndjson.zst', 'parquet'])(
  'as .%s our own reading gives the same rows, without being told',
  async (ending) => {
    await using store = await TestStore.open()

    const target = await store.fill(SHAPE, `o.${ending}/`, PARTS, BY)

    const { shape, csv } = await store.read(`o.${ending}/`)
    expect(shape.columns.map(({ name, type }) => [name, type.is])).toEqual([
      ['id', 'int32'],
      ['name', 'text'],
      ['year', 'int32'],
      ['town', 'text'],
    ])
    expect(csv.replaceAll(/"(\d+)"/g, '$1')).toHaveLength(`${ROWS.join('\n')}\n`.length)
    for (const row of ROWS) expect(csv).toContain(row)
    const manifest = JSON.parse(await readFile(join(store.path, `o.${ending}/_manifest.json`), 'utf8'))
    expect(manifest).toMatchObject({ rows: 7, partitionBy: ['year', 'town'] })
    const listed = manifest.files.map(({ name }: { name: string }) => `o.${ending}/${name}`)
    expect((await store.names()).filter((name) => name.includes('part-'))).toEqual(listed.toSorted())
    expect(listed).toContain(`o.${ending}/year=__HIVE_DEFAULT_PARTITION__/town=007/part-00001-runa.${ending}`)
    expect((await store.session.sink.digest({ target, run: 'run_a', columns: target.columns, checksum: true }, soon())).rows).toBe(7)
  },
)

test.each(['csv', 'parquet'] as const)('as .%s DuckDB reads the same rows by itself', async (ending) => {
  await using store = await TestStore.open()
  await store.fill(SHAPE, `o.${ending}/`, PARTS, BY)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const hive = `hive_partitioning = true, hive_types = {'year': integer, 'town': varchar}`
  const files = `${store.path}/o.${ending}/**/part-*.${ending}`
  const from = ending === 'csv' ? `read_csv('${files}', header = true, ${hive})` : `read_parquet('${files}', ${hive})`

  const found = await connection.runAndReadAll(`select id, year, name, town from ${from} order by id`)

  expect(found.getRowsJS().map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)))).toEqual([
    [1, 2025, 'one', 'Zürich 🚪/"x"=50%, a+b'],
    [2, 2026, 'two, 2', '007'],
    [3, 2026, null, null],
    [4, null, 'four', '007'],
    [5, 2026, 'five', '007'],
    [6, 2025, 'six\nlines', "a:b?*[]{}\\\\'#^|<>"],
    [7, 2026, 'seven', 'two\nlines'],
  ])
  connection.closeSync()
  instance.closeSync()
})

test.each(['csv', 'ndjson', 'parquet'])('as .%s a query of the folder has its columns, in their types', async (ending) => {
  await using store = await TestStore.open()
  await store.fill(SHAPE, `o.${ending}/`, PARTS, BY)

  const sql = `select id, year + 1 as next, town from 'o.${ending}/' where town = '007' or town is null order by id`
  const answer = await store.session.query({ sql, params: [], mode: 'read', format: 'json' }, soon())

  expect(JSON.parse(await text(answer.bytes))).toEqual([
    { id: 2, next: 2027, town: '007' },
    { id: 3, next: 2027, town: null },
    { id: 4, next: null, town: '007' },
    { id: 5, next: 2027, town: '007' },
  ])
})

test('of two attempts one counts, and the other leaves nothing; a cut publish is finished, or taken back', async () => {
  await using store = await TestStore.open()
  const target = await store.prepare(SHAPE, 'o.csv/', BY)
  const commits = [await store.write(target, PARTS[0] ?? '', 0), await store.write(target, PARTS[1] ?? '', 1)]
  const staged = (await store.names()).length
  expect((await faultOf(store.write(target, PARTS[0] ?? '', 0, 'run_a', 2))).code).toBe('COMMIT_LOST')
  expect((await store.names()).length).toBe(staged)

  await faultOf(store.publish(target, [...commits, { rows: 1, bytes: 1, attempt: 1 }]))
  const digest = (checksum: boolean) => store.session.sink.digest({ target, run: 'run_a', columns: target.columns, checksum }, soon())
  expect((await digest(true)).rows).toBe(7)
  await store.publish(target, commits)
  await store.publish(target, commits)
  expect((await store.read('o.csv/')).rows).toBe(7)
  expect((await store.names()).filter((name) => name.includes('postern-'))).toEqual([])

  const other = await store.prepare(SHAPE, 'p.csv/', { ...BY, run: 'run_b' })
  const half = await store.write(other, PARTS[0] ?? '', 0, 'run_b')
  await faultOf(store.publish(other, [half, half], 'run_b'))
  await store.session.sink.discard(other, 'run_b', soon())
  expect((await store.names()).filter((name) => name.startsWith('p.csv') && name.includes('part-'))).toEqual([])
})

test('append refuses folders of values that are there, overwrite replaces what is in them', async () => {
  await using store = await TestStore.open()
  await store.put('o.csv/year=1999/town=x/old.csv', 'id,name\n1,a\n')
  await store.put('o.csv/notes/mine.csv', 'not,a part\n')

  expect((await faultOf(store.prepare(SHAPE, 'o.csv/', BY))).code).toBe('FILE_EXISTS')
  await store.fill(SHAPE, 'o.csv/', PARTS, { ...BY, mode: 'overwrite' })
  await store.fill(SHAPE, 'o.csv/', ['8,2026,eight,x\n'], { ...BY, mode: 'overwrite', run: 'run_b' })

  expect((await store.read('o.csv/')).rows).toBe(1)
  expect((await store.names()).filter((name) => name.endsWith('.csv') && name.includes('/'))).toEqual([
    'o.csv/notes/mine.csv',
    'o.csv/year=2026/town=x/part-00000-runb.csv',
  ])
})

test('a part has so many folders at most; one more fails it, and leaves nothing', async () => {
  await using store = await TestStore.open()
  const target = await store.prepare(SHAPE, 'o.csv/', { partitionBy: ['id'] })
  const rows = (many: number) => Array.from({ length: many }, (_, i) => `${i},1,a,b\n`).join('')
  const before = await store.names()

  const fault = await faultOf(store.write(target, rows(PARTITIONS.most + 1)))

  expect([fault.code, fault.message]).toEqual(['INPUT_INVALID', expect.stringContaining('partitionBy')])
  expect(await store.names()).toEqual(before)
})

test.each([
  ['""', 'take for NULL'],
  ['null', 'take for NULL'],
  ['__HIVE_DEFAULT_PARTITION__', 'take for NULL'],
  ['x'.repeat(260), 'longer than'],
])('a value that no folder can say fails its part: %s', async (value, why) => {
  await using store = await TestStore.open()
  const target = await store.prepare(SHAPE, 'o.csv/', BY)

  const fault = await faultOf(store.write(target, `1,2026,a,b\n2,2026,a,${value}\n`))

  expect(fault.code).toBe('ROW_INVALID')
  expect(fault.message).toContain('row 2, column town')
  expect(fault.message).toContain(why)
})

test.each([
  ['o.csv', ['year'], 'one file'],
  ['o.csv/', ['nowhere'], 'no column nowhere'],
  ['o.csv/', ['year', 'year'], 'twice'],
  ['o.csv/', ['id', 'year', 'name', 'town'], 'no column would be left'],
  ['o.json/', ['year'], 'JSON arrays'],
] as const)('%s by %j is refused before anything is made', async (where, partitionBy, why) => {
  await using store = await TestStore.open()

  const fault = await faultOf(store.prepare(SHAPE, where, { partitionBy }))

  expect([fault.code, fault.message]).toEqual(['INPUT_INVALID', expect.stringContaining(why)])
  expect(await store.names()).toEqual([])
})
