import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CsvPass } from './csv-pass.ts'
import { cutCsv } from './csv-ranges.ts'

test('ranges cover all bytes once, begin and end with a row, and have as many rows as are read in them', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'bc', ',', '"', '\n', '\r\n', 'é') })
  const end = fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\r\n')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell, end)),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 40 }),
      async (rows, step, size) => {
        const text = rows.map(([a, b, stop]) => `"${a.replaceAll('"', '""')}","${b.replaceAll('"', '""')}"${stop}`).join('')
        const bytes = Buffer.from(`x,y\n${text}`)
        const chunks: Buffer[] = []
        for (let at = 4; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))

        const ranges = await cutCsv(Readable.from(chunks), { file: 'a', at: 4, line: 2, step })

        let at = 4
        let all = ''
        for (const range of ranges) {
          expect(range.from).toBe(at)
          expect(range.line).toBe(bytes.subarray(0, at).toString().split('\n').length)
          const pass = new CsvPass({ file: 'a', line: range.line })
          all += (await buffer(Readable.from([bytes.subarray(range.from, range.to)]).compose(pass))).toString()
          expect(pass.rows).toBe(range.rows)
          if (range.tidy) expect(all.endsWith(bytes.subarray(range.from, range.to).toString())).toBe(true)
          at = range.to
        }
        expect(ranges.reduce((sum, range) => sum + range.rows, 0)).toBe(rows.length)
        const whole = new CsvPass({ file: 'a', line: 2 })
        expect(all).toBe((await buffer(Readable.from([bytes.subarray(4)]).compose(whole))).toString())
      },
    ),
    { numRuns: 300 },
  )
})

test('a quoted value without an end is named by the line in which it begins', async () => {
  const cut = cutCsv(Readable.from([Buffer.from('1,a\n2,"b\nc\n')]), { file: 'a.csv', at: 0, line: 2, step: 100 })
  await expect(cut).rejects.toThrow('file a.csv, line 3: a quoted value has no end')
})
