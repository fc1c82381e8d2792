import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { inWords, table } from './markdown.ts'
import { PAGES } from './pages.ts'

const root = resolve(import.meta.dirname, '../..')

test.each(Object.entries(PAGES))('%s is what `npm run gen` makes', async (path, page) => {
  expect(readFileSync(resolve(root, path), 'utf8')).toBe(await page())
})

test('a bar in a cell does not end the cell', () => {
  expect(table(['a'], [['x|y']])).toContain('x\\|y')
})

test('a schema is said in words', () => {
  expect(inWords({ type: 'integer', minimum: 0, maximum: 100 })).toBe('whole number, 0 to 100')
  expect(inWords({ anyOf: [{ const: 'auto' }, { type: 'integer', minimum: 1, maximum: 9 }] })).toBe('`auto` or whole number, 1 to 9')
})
