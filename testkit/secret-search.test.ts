import { expect, test } from 'vitest'
import { found, soughtText } from './secret-search.ts'

const secret = soughtText('the password', 'correct horse 1~?')

test.each([
  ['as it is', secret.bytes],
  ['in hex', Buffer.from(secret.bytes.toString('hex').toUpperCase())],
  ['in base64', Buffer.from(secret.bytes.toString('base64'))],
  ['in base64', Buffer.from(Buffer.from(`x${secret.bytes}`).toString('base64url'))],
  ['in base64', Buffer.from(Buffer.from(`xy${secret.bytes}more`).toString('base64url'))],
  ['as numbers', Buffer.from(JSON.stringify(secret.bytes.toJSON()))],
])('a secret is found %s', (how, hidden) => {
  expect(found(Buffer.concat([Buffer.from('before '), hidden, Buffer.from(' behind')]), [secret])).toEqual([`the password ${how}`])
})

test('what is not there is not found', () => {
  expect(found(Buffer.from('correct horse 1~'), [secret])).toEqual([])
})
