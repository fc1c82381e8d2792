import { expect, test } from 'vitest'
import { column, shapeOf, soon, TestStore } from './testing/test-store.ts'

/** One column of each type and what is likeliest to go wrong in it, in the `csv` encoding. */
const COLUMNS = [
  column('b', 'bool'),
  column('i2', 'int16'),
  column('i4', 'int32'),
  column('i8', 'int64'),
  column('d', 'decimal', { precision: 38, scale: 10 }),
  column('half', 'decimal', { precision: 2, scale: 2 }),
  column('n', 'decimal'),
  column('f4', 'float32'),
  column('f8', 'float64'),
  column('Text "quoted", ünï', 'text'),
  column('by', 'bytes'),
  column('day', 'date'),
  column('at', 'time'),
  column('ts', 'timestamp'),
  column('tz', 'timestamptz'),
  column('u', 'uuid'),
  column('j', 'json'),
  column('o', 'other'),
]
const ROWS = [
  't,-32768,-2147483648,-9223372036854775808,-1234567890123456789012345678.1234567890,-0.99,123456789012345678901234567890123456789012345.5,-1.5,1e-300,"a ""quoted"", text\nof two lines",\\x00ff,0044-03-15 BC,00:00:00,0044-03-15 10:00:00 BC,0044-03-15 10:00:00+00 BC,00000000-0000-0000-0000-000000000000,"{""a"": [1, 2.50, null]}",1 day',
  'f,32767,2147483647,9223372036854775807,0.0000000001,0.00,NaN,Infinity,-Infinity,"",\\x,9999-12-31,23:59:59.999999,9999-12-31 23:59:59.999999,1969-12-31 23:59:59.999999+00,ffffffff-ffff-ffff-ffff-ffffffffffff,"""text""",""',
  ',,,,,,,,,,,,,,,,,',
  't,0,0,0,0.0000000000,0.50,-0.1,NaN,NaN,NULL,\\xdeadbeef,infinity,24:00:00,-infinity,infinity,0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a,true,\\N',
  'f,1,1,9007199254740993,1.0000000000,0.01,1,1.0e+20,1e+20,"\r\n\ttab, emoji 🚪, and \\n no line break",\\x0a,0001-01-01,12:34:56,2024-02-29 12:34:56.5,2024-02-29 12:34:56.5+00,12345678-1234-1234-1234-123456789abc,"[1, {""x"": ""y\\nz""}]","a,b"',
]
const LAYOUTS = ['csv', 'csv.gz', 'csv.zst', 'tsv', 'tsv.gz', 'tsv.zst', 'ndjson', 'ndjson.gz', 'ndjson.zst', 'jsonl', 'parquet']

for (const pipes of [true, false]) {
  for (const ending of pipes ? LAYOUTS : ['parquet', 'ndjson.gz', 'tsv']) {
    test(`every type comes back from ${ending} as it went in, ${pipes ? 'through pipes' : 'through spools'}`, async () => {
      await using store = await TestStore.open({}, pipes)
      const csv = ROWS.map((row) => `${row}\n`).join('')

      const target = await store.fill(shapeOf(COLUMNS), `out.${ending}/`, [csv])
      const back = await store.read(`out.${ending}/`)

      expect(withoutFloats(back.csv)).toEqual(withoutFloats(csv))
      expect(back.rows).toBe(ROWS.length)
      const written = await store.session.sink.digest({ target, run: 'run_a', columns: target.columns, checksum: true }, soon())
      const read = await store.session.source.digest({ shape: back.shape, part: null, columns: back.shape.columns, checksum: true }, soon())
      expect(written.rows).toBe(ROWS.length)
      expect(read).toEqual(written)
      expect(written.checksum).toMatch(/^\d+$/)
    })
  }
}

/** Floats are written in another spelling: 1e20 is 1.0e+20. */
function withoutFloats(csv: string): string {
  return csv.replaceAll('1.0e+20', '1e+20').replaceAll(/,-1\.5,/g, ',-1.5,')
}

test('a value of one column that is NULL, and one that is empty, stay what they are', async () => {
  await using store = await TestStore.open()
  const csv = 'x\n\n""\n\n'

  for (const ending of ['csv', 'tsv', 'ndjson', 'parquet']) {
    await store.fill(shapeOf([column('only', 'text')]), `one.${ending}/`, [csv])

    expect((await store.read(`one.${ending}/`)).csv).toBe(csv)
  }
})

test('a part without rows makes a file with a header, or an empty one, and reads as no rows', async () => {
  await using store = await TestStore.open()

  for (const ending of ['csv', 'csv.gz', 'tsv', 'ndjson.zst', 'parquet']) {
    await store.fill(shapeOf([column('a', 'int32'), column('b', 'text')]), `none.${ending}/`, ['', '1,x\n'])

    expect((await store.read(`none.${ending}/`)).csv).toBe('1,x\n')
  }
})

test('lines with breaks and quotes stay whole where DuckDB reads in parallel', async () => {
  await using store = await TestStore.open()
  const rows = Array.from({ length: 60_000 }, (_, i) => `${i},"${'line\n"",""'.repeat((i % 37) + 1)}${i}\n"\n`)
  const csv = rows.join('')

  for (const where of ['big.parquet', 'big.tsv']) {
    const target = await store.fill(shapeOf([column('id', 'int32'), column('t', 'text')]), where, [csv])
    const back = await store.read(where)

    expect(back.rows).toBe(rows.length)
    expect(back.csv === csv).toBe(true)
    expect((await store.session.sink.digest({ target, run: 'run_a', columns: target.columns, checksum: true }, soon())).rows).toBe(
      rows.length,
    )
  }
})

test('values of a megabyte pass', async () => {
  await using store = await TestStore.open()
  const csv = Array.from({ length: 12 }, (_, i) => `${i},"${'a"",\n'.repeat(200_000)}"\n`).join('')

  for (const where of ['wide.parquet', 'wide.ndjson.zst', 'wide.csv.zst']) {
    await store.fill(shapeOf([column('id', 'int32'), column('t', 'text')]), where, [csv])
    const back = await store.read(where)

    expect(back.rows).toBe(12)
    expect(back.csv === csv).toBe(true)
  }
})
