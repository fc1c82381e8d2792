import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { Fault } from '@postern/protocol/fault.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SkippedRow } from '../copy-contract.ts'
import { type DialectSettings, dialectOf } from './csv-dialect.ts'
import { CsvParse } from './csv-parse.ts'
import { CsvPass } from './csv-pass.ts'

/** Cut anywhere: what is at the edge of a chunk must not matter. */
function chunks(bytes: Buffer, size: number): Buffer[] {
  const all: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) all.push(Buffer.from(bytes.subarray(at, at + size)))
  return all
}

async function through(stream: CsvPass | CsvParse, text: string | Buffer, size: number) {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const out = await buffer(Readable.from(chunks(bytes, size)).compose(stream))
  return { text: out.toString(), rows: stream.rows }
}

const pass = (text: string, size = 7) => through(new CsvPass({ file: 'a.csv', line: 2 }), text, size)
const parse = (text: string | Buffer, settings: DialectSettings, columns = 2, size = 7) =>
  through(new CsvParse({ dialect: dialectOf(settings, 'csv'), delimiter: settings.delimiter ?? ',', columns, file: 'a.csv' }), text, size)
const faultOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (cause: unknown) => (cause instanceof Fault ? `${cause.code} ${cause.message}` : String(cause)),
  )

describe('lines of standard CSV', () => {
  test.each([1, 2, 3, 7, 64])('pass as they are, in chunks of %d bytes', async (size) => {
    const text = '1,"a ""b"", c"\n2,""\n,\n3,"x\r\ny\n\nz"\n'
    expect(await pass(text, size)).toEqual({ text, rows: 4 })
  })

  test.each([1, 2, 3, 7, 64])('lose returns and empty lines, and get an end, in chunks of %d bytes', async (size) => {
    expect(await pass('1,a\r\n\r\n2,"b\r\n"\r\n\n\n3,c', size)).toEqual({ text: '1,a\n2,"b\r\n"\n3,c\n', rows: 3 })
  })

  test('are counted as a parser counts them', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'é', '') })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell)), fc.integer({ min: 1, max: 40 }), async (rows, size) => {
        const text = rows.map((row) => `${row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')}\n`).join('')
        expect(await pass(text, size)).toEqual({ text, rows: rows.length })
      }),
      { numRuns: 200 },
    )
  })

  test.each([
    ['1,a\n2,"b\n3,c\n', 'line 4: a quoted value has no end'],
    ['1,a\n2,5" disk\n', 'line 3: a quote stands in the midst of a value'],
    ['1,"a\nb"\n2,"b"c\n', 'line 4: a quote ends in the midst of a value'],
  ])('that every reader takes for something else are refused: %j', async (text, words) => {
    for (const size of [1, 3, 64]) {
      const fault = await faultOf(pass(text, size))
      expect(fault).toContain('ROW_INVALID')
      expect(fault).toContain('file a.csv')
      if (words.startsWith('line 4: a quoted value has')) expect(fault).toContain('a quoted value has no end')
      else expect(fault).toContain(words)
    }
  })
})

describe('lines of other dialects', () => {
  test.each([1, 2, 5, 64])('become standard ones, in chunks of %d bytes', async (size) => {
    const text = `junk "\nmore\n# note\nid;text\n1;'it''s; "so"'\n#2;no\n2;NA\n3;'NA'\n4;\n5;a,b\n\n6;'two\nlines'`
    const settings = { delimiter: ';', quote: "'", nullText: 'NA', skipLines: 2, comment: '#' }
    expect(await parse(text, settings, 2, size)).toEqual({
      text: '1,"it\'s; ""so"""\n2,\n3,"NA"\n4,""\n5,"a,b"\n6,"two\nlines"\n',
      rows: 6,
    })
  })

  test.each([1, 2, 5, 64])('with a backslash before quotes, in chunks of %d bytes', async (size) => {
    const text = 'a,b\n1,"say \\"hi\\", \\\\ and \\n"\r\n2,x\r\n'
    expect(await parse(text, { escape: '\\' }, 2, size)).toEqual({ text: '1,"say ""hi"", \\ and \\n"\n2,x\n', rows: 2 })
  })

  test('without quotes and without a header', async () => {
    expect(await parse('1|5" disk\n2|a', { delimiter: '|', quote: '', header: false })).toEqual({ text: '1,"5"" disk"\n2,a\n', rows: 2 })
  })

  test.each([
    ['a,b\n1,2\n3\n', 'line 3, column 2: 2 columns expected, 1 found'],
    ['a,b\n1,"x\ny"\n3,4,5\n', 'line 4, column 3: 2 columns expected, 3 found'],
    ['a,b\n1,"x\n', 'line 2: a quoted value has no end'],
    ['a,b\n1,"x"y\n', 'line 2: a quote ends in the midst of a value'],
  ])('are refused by file, line and column: %j', async (text, words) => {
    for (const size of [1, 64]) expect(await faultOf(parse(text, {}, 2, size))).toContain(`file a.csv, ${words}`)
  })

  test('come back from any spelling of the same values', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', ',', ';', '"', '\n', '\r', 'é', '\\', "'") })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell)), fc.integer({ min: 1, max: 40 }), async (rows, size) => {
        const spelled = rows.map((row) => `${row.map((value) => `'${value.replaceAll("'", "''")}'`).join(';')}\n`).join('')
        const standard = rows.map((row) => `${row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')}\n`).join('')
        const settings = { delimiter: ';', quote: "'", header: false }
        expect(await parse(spelled, settings, 2, size)).toEqual({ text: standard, rows: rows.length })
      }),
      { numRuns: 200 },
    )
  })
})

describe('a dialect', () => {
  test('takes a tab by its name, and is refused where two of its characters are one', () => {
    expect(() => dialectOf({ delimiter: ';', quote: ';' }, 'csv')).toThrow('delimiter and quote are the same')
    expect(() => dialectOf({ columns: 'a,b,a' }, 'csv')).toThrow('"a" stands there twice')
    expect(dialectOf({ columns: 'a, b' }, 'csv')).toMatchObject({ header: false, columns: ['a', 'b'] })
    expect(dialectOf({}, 'tsv')).toMatchObject({ delimiter: '\t', quote: '"', escape: '"', header: true })
  })
})

describe('rows that cannot be read', () => {
  const leaving = async (text: string, size: number, columns = 2) => {
    const left: SkippedRow[] = []
    const options = { dialect: dialectOf({}, 'csv'), delimiter: ',', columns, file: 'a.csv', strict: true }
    const kept = await through(new CsvParse({ ...options, left: async (row) => void left.push(row) }), text, size)
    return { ...kept, left: left.map(({ row, bytes }) => [row, bytes.toString()]) }
  }

  test.each([1, 2, 3, 7, 64])('are left out with their number, and the rows behind them are read, in chunks of %d bytes', async (size) => {
    const text = 'id,name\n1,a\n2\n3,"b\nc",d\n4,"e" f\n5,g"h\n6,"i\n7,j\n8,"no end\n'

    expect(await leaving(text, size)).toEqual({
      text: '1,a\n7,j\n',
      rows: 8,
      left: [
        [2, '2'],
        [3, '3,"b\nc",d'],
        [4, '4,"e" f'],
        [5, '5,g"h'],
        [6, '6,"i'],
        [8, '8,"no end'],
      ],
    })
  })

  test('are all the others, wherever the text is cut: each line is kept or told, once', async () => {
    const line = fc.constantFrom('1,a', '2', '3,b,c', '4,"d"', '5,"e"f', '6,g"h', '7,"",', '"8",""""')
    const good = new Set(['1,a', '4,"d"', '"8",""""'])
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 40 }), async (lines, size) => {
        const { text, rows, left } = await leaving(`id,name\n${lines.map((each) => `${each}\n`).join('')}`, size)

        expect(rows).toBe(lines.length)
        expect(text).toBe(
          lines
            .filter((each) => good.has(each))
            .map((each) => `${each}\n`)
            .join(''),
        )
        expect(left).toEqual(lines.flatMap((each, i) => (good.has(each) ? [] : [[i + 1, each]])))
      }),
      { numRuns: 200 },
    )
  })

  test('are taken before the rows behind them go on', async () => {
    let taken = 0
    const left = async () => {
      await new Promise((resolve) => setImmediate(resolve))
      taken += 1
    }
    const options = { dialect: dialectOf({}, 'csv'), delimiter: ',', columns: 2, file: 'a.csv', left }
    const lines = new CsvParse(options)
    for await (const _ of Readable.from(chunks(Buffer.from('id,name\n1\n2\n3,c\n'), 64)).compose(lines)) expect(taken).toBe(2)
  })
})
