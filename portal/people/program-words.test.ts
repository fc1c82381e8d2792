import { expect, test } from 'vitest'
import { programOf } from './program-words.ts'

test('a browser is told from those whose names it also carries', () => {
  const edge = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0'
  const safari = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/604.1'

  expect([programOf(edge), programOf(safari)]).toEqual(['Edge on Windows', 'Safari on iPhone'])
})

test('a program is called by its first word', () => {
  expect([programOf('postern/0.1.0 node/24'), programOf('')]).toEqual(['postern/0.1.0', 'unknown'])
})
