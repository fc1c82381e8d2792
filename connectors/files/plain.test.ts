import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CsvCounter } from './csv-counter.ts'
import { CsvToPlain, isQuoteHeavy, plainField } from './plain.ts'

const cell = fc.oneof(
  fc.constant(null),
  fc.constant(''),
  fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', '\x1f', 'a', 'é', '0', 'c', ' ') }),
)
const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 12 })

function csvOf(rows: readonly (readonly (string | null)[])[]): string {
  const quoted = (value: string) => (value === '' || /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)
  return rows.map((row) => `${row.map((value) => (value === null ? '' : quoted(value))).join(',')}\n`).join('')
}

function piecesOf(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

test('CSV in pieces of any size becomes one line a row, each value as plainField writes it', async () => {
  await fc.assert(
    fc.asyncProperty(table, fc.integer({ min: 1, max: 40 }), async (rows, size) => {
      const counter = new CsvCounter()
      const stream = Readable.from(piecesOf(Buffer.from(csvOf(rows)), size))
        .pipe(counter)
        .pipe(new CsvToPlain())

      const plain = (await buffer(stream)).toString()

      expect(plain).toBe(rows.map((row) => `${row.map((value) => (value === null ? '' : plainField(value))).join(',')}\n`).join(''))
      expect(counter.rows).toBe(rows.length)
    }),
  )
})

test('rows without an end are refused', async () => {
  for (const csv of ['1,"a', '1,a', '1,"a\n2,b\n']) {
    const counted = buffer(Readable.from([Buffer.from(csv)]).pipe(new CsvCounter()))

    await expect(counted).rejects.toThrow(/has no end/)
  }
})

test('looking at the first bytes takes none of them away', async () => {
  for (const [csv, heavy] of [
    ['"a","b"\n', true],
    [`${'x'.repeat(2_000)},"b"\n`, false],
    ['', false],
  ] as const) {
    const bytes = Readable.from(piecesOf(Buffer.from(csv), 5_000), { objectMode: false })

    expect(await isQuoteHeavy(bytes, AbortSignal.timeout(1_000))).toBe(heavy)
    expect((await buffer(bytes)).toString()).toBe(csv)
  }
})
