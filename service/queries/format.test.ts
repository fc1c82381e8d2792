import { expect, test } from 'vitest'
import { formatOf } from './format.ts'

test.each([
  [undefined, 'json'],
  ['*/*', 'json'],
  ['application/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['text/csv; charset=utf-8', 'csv'],
  ['application/vnd.apache.arrow.stream', 'arrow'],
  ['text/html, text/csv;q=0.5, application/json;q=0.9', 'json'],
  ['text/html,application/xhtml+xml,*/*;q=0.8', 'json'],
] as const)('Accept %s gives %s', (accept, format) => {
  expect(formatOf(accept)).toBe(format)
})

test.each(['image/png', 'application/json;q=0'])('Accept %s is refused, and what there is gets named', (accept) => {
  expect(() => formatOf(accept)).toThrow('text/csv')
})
