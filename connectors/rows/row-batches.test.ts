import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeLeavingOut } from './leave-out.ts'
import { type RowBatch, type RowForm, rowBatches, rowBytes, splitBatch } from './row-batches.ts'

async function collect(pieces: readonly Buffer[], form: RowForm, limits = { bytes: 20, rows: 3 }): Promise<RowBatch[]> {
  const batches: RowBatch[] = []
  for await (const batch of rowBatches(
    (async function* () {
      yield* pieces
    })(),
    form,
    limits,
  ))
    batches.push(batch)
  return batches
}

/** Cuts text anywhere, also within a character. */
function pieces(text: string, at: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text)
  const cuts = [0, ...at.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return cuts.slice(1).map((cut, i) => bytes.subarray(cuts[i], cut))
}

const cell = fc.array(fc.constantFrom('a', 'é', '"', '\n', ',', '\\', ' '), { maxLength: 6 }).map((each) => each.join(''))
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
const row = (form: RowForm) =>
  fc
    .array(cell, { minLength: 1, maxLength: 3 })
    .map((cells) => (form === 'quoted' ? cells.map(quoted).join(',') : cells.map((each) => each.replaceAll('\n', '\\n')).join('\t')))

describe.each(['lines', 'quoted'] as const)('rows as %s', (form) => {
  test('come in batches of whole rows, all of them, in order and counted, wherever the pieces are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row(form), { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 8 }), async (rows, cuts) => {
        const text = rows.map((each) => `${each}\n`).join('')

        const batches = await collect(pieces(text, cuts), form)

        expect(Buffer.concat(batches.map(({ bytes }) => bytes)).toString()).toBe(text)
        expect(batches.reduce((sum, batch) => sum + batch.rows, 0)).toBe(rows.length)
        expect(batches.every((batch) => batch.rows >= 1 && batch.rows <= 3)).toBe(true)
        let first = 1
        for (const batch of batches) {
          expect(batch.first).toBe(first)
          expect(batch.bytes.toString()).toBe(
            rows
              .slice(first - 1, first - 1 + batch.rows)
              .map((each) => `${each}\n`)
              .join(''),
          )
          first += batch.rows
        }
      }),
    )
  })

  test('are split after any of them', () => {
    fc.assert(
      fc.property(fc.array(row(form), { minLength: 1, maxLength: 8 }), fc.nat(), (rows, at) => {
        const count = at % (rows.length + 1)
        const batch = { bytes: Buffer.from(rows.map((each) => `${each}\n`).join('')), rows: rows.length, first: 5 }

        const [one, other] = splitBatch(batch, form, count)

        expect([one.rows, other.rows, other.first]).toEqual([count, rows.length - count, 5 + count])
        expect(one.bytes.toString()).toBe(
          rows
            .slice(0, count)
            .map((each) => `${each}\n`)
            .join(''),
        )
        expect(Buffer.concat([one.bytes, other.bytes])).toEqual(batch.bytes)
      }),
    )
  })
})

test('a last row without a line end is a row, and a long one stays whole', async () => {
  const batches = await collect([Buffer.from('a\nb\n'), Buffer.from(`${'x'.repeat(50)}\nlast`)], 'lines')

  expect(batches.map(({ rows }) => rows).reduce((a, b) => a + b, 0)).toBe(4)
  expect(batches.at(-1)?.bytes.toString().endsWith('last')).toBe(true)
})

describe('leaving rows out', () => {
  const bad = fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 20 })

  test.each([true, false])('finds exactly the bad ones, whether the store names them (%s) or not, and keeps the order', async (named) => {
    await fc.assert(
      fc.asyncProperty(bad, async (rows) => {
        const there: string[] = []
        const left: number[] = []
        const batch = { bytes: Buffer.from(Array.from({ length: 20 }, (_, i) => `${i + 1}\n`).join('')), rows: 20, first: 101 }
        const write = async ({ bytes }: RowBatch) => {
          const lines = bytes.toString().split('\n').slice(0, -1)
          const at = lines.findIndex((line) => rows.includes(Number(line)))
          if (at >= 0) throw new RangeError(named ? `${at + 1}` : '')
          there.push(...lines)
        }

        const written = await writeLeavingOut(batch, {
          form: 'lines',
          write,
          blame: (cause) =>
            cause instanceof RangeError
              ? { row: cause.message ? Number(cause.message) : null, column: null, code: 'x', error: 'y' }
              : undefined,
          left: async (one) => {
            expect(one.first - 100).toBe(Number(rowBytes(one).toString()))
            left.push(one.first - 100)
          },
        })

        expect(left).toEqual(rows.toSorted((a, b) => a - b))
        expect(written).toBe(20 - rows.length)
        expect(there.map(Number)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1).filter((i) => !rows.includes(i)))
      }),
    )
  })

  test('what is no fault of a row fails the whole', async () => {
    const parts = { form: 'lines' as const, blame: () => undefined, left: async () => undefined }
    const write = async () => {
      throw new Error('the server has gone')
    }

    await expect(writeLeavingOut({ bytes: Buffer.from('a\nb\n'), rows: 2, first: 1 }, { ...parts, write })).rejects.toThrow('gone')
  })
})
