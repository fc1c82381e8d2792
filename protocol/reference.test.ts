import { expect, test } from 'vitest'
import { parseReference, referenceName, referredSetting } from './reference.ts'

test.each([
  ['env:POSTERN_REF_PG', { is: 'env', name: 'POSTERN_REF_PG' }],
  ['file:pg-password', { is: 'file', path: 'pg-password' }],
  ['file:shop/pg.txt', { is: 'file', path: 'shop/pg.txt' }],
  ['vault:secret/data/pg#password', { is: 'vault', path: 'secret/data/pg', field: 'password' }],
  ['vault:team/kv/data/a/b#pass.word', { is: 'vault', path: 'team/kv/data/a/b', field: 'pass.word' }],
] as const)('%s is a reference', (text, reference) => {
  expect(parseReference(text)).toEqual(reference)
})

test.each([
  'env:PATH',
  'env:POSTERN_REF_',
  'env:POSTERN_REF_A=B',
  'file:/etc/passwd',
  'file:../node.json',
  'file:a/../b',
  'file:a//b',
  'file:.hidden',
  'file:C:\\x',
  'file:',
  'vault:secret/pg#password',
  'vault:secret/data/pg',
  'vault:secret/data/pg#a#b',
  'vault:secret/data/../../sys/seal#x',
  'vault:/secret/data/pg#x',
  'vault:secret/data/pg?version=1#x',
  'hunter2',
  `file:${'a'.repeat(600)}`,
])('%s is none', (text) => {
  expect(parseReference(text)).toBeUndefined()
})

test('a name in what is sealed says whether its value is a reference', () => {
  expect(referredSetting(referenceName('password'))).toBe('password')
  expect(referredSetting('password')).toBeUndefined()
})
