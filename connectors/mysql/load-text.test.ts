import { expect, test } from 'vitest'
import type { Encoding } from '../copy-contract.ts'
import { loadText } from './load-text.ts'

/** However the stream is cut, the server gets the same. */
function everyCut(encoding: Encoding, text: string): readonly string[] {
  const bytes = Buffer.from(text)
  const results = Array.from({ length: bytes.length }, (_, cut) => {
    const made = loadText(encoding)
    const pieces = [made.take(bytes.subarray(0, cut)), made.take(bytes.subarray(cut)), made.end()]
    return Buffer.concat(pieces.flatMap((piece) => piece ?? [])).toString()
  })
  return [...new Set(results)]
}

test("COPY's text is passed on, but for the two letters that LOAD DATA does not know", () => {
  expect(everyCut('pg-text', 'a\\tb\t\\N\t\\\\f\\f\\v\\\\\\f\\b\n')).toEqual(['a\\tb\t\\N\t\\\\f\f\v\\\\\f\\b\n'])
})

test('CSV loses its quotes, tells nothing from the empty text, and escapes what would separate', () => {
  const csv = 'a,,"","say ""x"", y","two\nlines",\\x5c,"tab\there","\r"\n,\n""\n'

  expect(everyCut('csv', csv)).toEqual(['a\t\\N\t\tsay "x", y\ttwo\\nlines\t\\\\x5c\ttab\\there\t\\r\n\\N\t\\N\n\n'])
})
