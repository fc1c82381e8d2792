import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CellColumn, distinctNames, TextRows } from './encoder.ts'
import { encoderMaker } from './formats.ts'
import { daysOfText, microsOfText, timeOfText } from './time-text.ts'

type Cell = string | null
type Format = 'json' | 'ndjson' | 'csv' | 'arrow'

async function encoded(format: Format, columns: readonly CellColumn[], rows: readonly (readonly Cell[])[]): Promise<Buffer> {
  const encoder = (await encoderMaker(format))(columns)
  const feed = new TextRows(encoder, columns.length)
  const pieces: Buffer[] = []
  for (const row of rows) {
    feed.row(row)
    const piece = encoder.out.take()
    if (piece) pieces.push(piece)
  }
  encoder.end()
  const last = encoder.out.take()
  return Buffer.concat(last ? [...pieces, last] : pieces)
}

const text = (name: string): CellColumn => ({ name, kind: 'text' })

test('any text survives JSON', async () => {
  const cell = fc.option(
    fc.string({ unit: 'binary', maxLength: 300 }).map((s) => s.toWellFormed()),
    { nil: null },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { maxLength: 20 }), async (rows) => {
      const expected = rows.map(([a, b]) => ({ a, b }))
      const json = await encoded('json', [text('a'), text('b')], rows)
      const lines = await encoded('ndjson', [text('a'), text('b')], rows)

      expect(JSON.parse(json.toString())).toEqual(expected)
      expect(
        lines
          .toString()
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line)),
      ).toEqual(expected)
    }),
  )
})

test('any text survives CSV, and NULL is not the empty text', async () => {
  const cell = fc.option(
    fc.string({ unit: 'binary', maxLength: 100 }).map((s) => s.toWellFormed()),
    { nil: null },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { maxLength: 20 }), async (rows) => {
      const csv = await encoded('csv', [text('a'), text('b')], rows)

      expect(parsedCsv(csv.toString())).toEqual([['a', 'b'], ...rows])
    }),
  )
})

/** Strict RFC 4180, with a quoted field told from one that is not there. */
function parsedCsv(csv: string): Cell[][] {
  const rows: Cell[][] = []
  const field = /(?:"((?:[^"]|"")*)"|([^",\n\r]*))(,|\n)/gy
  let row: Cell[] = []
  while (field.lastIndex < csv.length) {
    const match = field.exec(csv)
    if (!match) throw new Error('not CSV')
    row.push(match[1] === undefined ? (match[2] === '' ? null : (match[2] ?? null)) : match[1].replaceAll('""', '"'))
    if (match[3] === '\n') {
      rows.push(row)
      row = []
    }
  }
  return rows
}

test.each([
  ['bool', 't', true],
  ['bool', 'f', false],
  ['int', '999999999999999', 999_999_999_999_999],
  ['int', '1000000000000000', '1000000000000000'],
  ['int', '-9223372036854775808', '-9223372036854775808'],
  ['decimal', '-0.10', -0.1],
  ['decimal', '0.1234567890123456789', '0.1234567890123456789'],
  ['decimal', 'NaN', 'NaN'],
  ['float', '0.30000000000000004', 0.1 + 0.2],
  ['float', '1e+20', 1e20],
  ['float', '5e-324', 5e-324],
  ['float', '-Infinity', '-Infinity'],
  ['json', '{"a":\n [1]}', { a: [1] }],
  ['timestamp', '2020-01-02 03:04:05.6', '2020-01-02T03:04:05.6'],
  ['timestamptz', '2020-01-02 03:04:05+00', '2020-01-02T03:04:05Z'],
  ['timestamptz', '2020-01-02 03:04:05-08', '2020-01-02T03:04:05-08:00'],
  ['timestamptz', '2020-01-02 03:04:05+05:30', '2020-01-02T03:04:05+05:30'],
  ['timestamptz', '1800-01-01 00:00:00+00:53:28', '1800-01-01T00:00:00+00:53:28'],
  ['timestamptz', '-infinity', '-infinity'],
  ['timestamp', '0044-03-15 00:00:00 BC', '0044-03-15 00:00:00 BC'],
  ['bytes', '\\x00ff', '\\x00ff'],
] as const)('a %s cell %s is %j in JSON', async (kind, cell, value) => {
  const json = await encoded('json', [{ name: 'v', kind }], [[cell]])

  expect(JSON.parse(json.toString())).toEqual([{ v: value }])
})

test('arrays become arrays, of what they hold', async () => {
  const columns: readonly CellColumn[] = [
    { name: 'n', kind: 'array', element: 'int' },
    { name: 't', kind: 'array', element: 'text' },
  ]
  const json = await encoded('json', columns, [['{{1,NULL},{3,4}}', '{"a\\"b",NULL,"NULL",""}']])

  expect(JSON.parse(json.toString())).toEqual([
    {
      n: [
        [1, null],
        [3, 4],
      ],
      t: ['a"b', null, 'NULL', ''],
    },
  ])
})

test('columns of one name get distinct names', () => {
  expect(distinctNames(['a', 'a', 'b', 'a', 'a_2'])).toEqual(['a', 'a_3', 'b', 'a_4', 'a_2'])
})

test('a result without rows is still a result', async () => {
  expect((await encoded('json', [text('a')], [])).toString()).toBe('[]\n')
  expect((await encoded('ndjson', [text('a')], [])).toString()).toBe('')
  expect((await encoded('csv', [text('a')], [])).toString()).toBe('a\n')
  const table = tableFromIPC(await encoded('arrow', [text('a')], []))
  expect([table.numRows, table.schema.fields.map((field) => field.name)]).toEqual([0, ['a']])
})

test('Arrow keeps types, NULLs and the order of many rows', async () => {
  const columns: readonly CellColumn[] = [
    { name: 'i', kind: 'int', bits: 32 },
    { name: 'l', kind: 'int', bits: 64 },
    { name: 'b', kind: 'bool' },
    { name: 'f', kind: 'float', bits: 64 },
    { name: 't', kind: 'text' },
    { name: 'y', kind: 'bytes' },
    { name: 'd', kind: 'date' },
    { name: 'z', kind: 'timestamptz' },
  ]
  const rows = Array.from({ length: 20_000 }, (_, n) =>
    n % 3 === 0
      ? columns.map(() => null)
      : [
          `${n}`,
          `-${n}000000000`,
          n % 2 ? 't' : 'f',
          `${n}.5`,
          `é${n}`,
          `\\x${(n % 256).toString(16).padStart(2, '0')}`,
          '1969-12-31',
          '2020-01-02 03:04:05.000006+01',
        ],
  )
  const table = tableFromIPC(await encoded('arrow', columns, rows))
  const last = table.get(19_999)?.toJSON()

  expect(table.numRows).toBe(20_000)
  expect(table.batches.length).toBeGreaterThan(1)
  expect(table.getChild('t')?.nullCount).toBe(6_667)
  expect(table.getChild('t')?.toArray().slice(0, 3)).toEqual([null, 'é1', 'é2'])
  expect({ ...last, y: [...(last?.['y'] ?? [])] }).toMatchObject({
    i: 19_999,
    l: -19_999_000_000_000n,
    b: true,
    f: 19_999.5,
    t: 'é19999',
    y: [19_999 % 256],
  })
  expect(Number(last?.['d'])).toBe(-86_400_000)
  expect(Number(last?.['z'])).toBeCloseTo(Date.parse('2020-01-02T02:04:05Z') + 0.006, 2)
})

test('dates and times as numbers agree with the calendar', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      const [day = '', time = ''] = date.toISOString().slice(0, -1).split('T')
      expect(daysOfText(day)).toBe(Math.floor(date.getTime() / 86_400_000))
      expect(microsOfText(`${day} ${time}+00`)).toBe(BigInt(date.getTime()) * 1_000n)
    }),
  )
  expect(daysOfText('0044-03-15 BC')).toBe(-735_160)
  expect(microsOfText('0044-03-15 12:00:00.5 BC')).toBe(-63_517_780_799_500_000n)
  expect(timeOfText('24:00:00')).toBe(86_400_000_000n)
})
