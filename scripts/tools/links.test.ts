import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { PAGES, ROOT } from './doc-pages.ts'

const read = (page: string) => readFileSync(join(ROOT, page), 'utf8')

test.each(PAGES)('every link of %s leads to a file of the repository', (page) => {
  const targets = [...read(page).matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map((match) => match[1] ?? '')

  expect(targets.filter((target) => !existsSync(resolve(ROOT, dirname(page), target)))).toEqual([])
})

test.each(PAGES)('every link of %s to a part of a page leads to a heading', (page) => {
  const links = [...read(page).matchAll(/\]\((?![a-z]+:)([^)#\s]*)#([^)\s]+)\)/g)]

  const astray = links.filter(([, target = '', part = '']) => {
    const file = target === '' ? page : join(dirname(page), target)
    return file.endsWith('.md') && !headingsOf(file).has(part)
  })

  expect(astray.map(([link]) => link)).toEqual([])
})

/** As the forges make anchors of headings: lower case, without punctuation, spaces as hyphens. */
function headingsOf(page: string): ReadonlySet<string> {
  const headings = [...read(page).matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1] ?? '')
  return new Set(
    headings.map((heading) =>
      heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_\- ]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}
