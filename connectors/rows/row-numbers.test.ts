import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RowNumbers } from './row-numbers.ts'

test('a row has the number that it had before others were left out, in whatever order they were told', () => {
  const rows = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 30 })
  fc.assert(
    fc.property(rows, (gone) => {
      const numbers = new RowNumbers()
      for (const row of gone) numbers.leave(row)

      const kept = Array.from({ length: 80 }, (_, i) => i + 1).filter((row) => !gone.includes(row))
      expect(kept.map((_, i) => numbers.original(i + 1))).toEqual(kept)
    }),
  )
})
