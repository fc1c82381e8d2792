import { PASS_MS } from '@postern/protocol/console-paths.ts'
import { expect, test } from 'vitest'
import { makePass, openPass } from './console-pass.ts'

const secret = Buffer.alloc(32, 1).toString('base64url')
const nonce = Buffer.alloc(16, 2)
const now = 1_800_000_000_000

test('a pass is good for its own kind until it ends', () => {
  const pass = makePass({ kind: 'session', secret, nonce, now })

  expect(openPass(pass, { kinds: ['session', 'call'], secret, now })).toEqual({
    until: now + PASS_MS.session,
    nonce: nonce.toString('base64url'),
  })
  expect(openPass(pass, { kinds: ['code'], secret, now })).toBeUndefined()
  expect(openPass(pass, { kinds: ['session'], secret, now: now + PASS_MS.session })).toBeUndefined()
})

test('a pass that was made with another secret, or changed, is none', () => {
  const pass = makePass({ kind: 'code', secret, nonce, now })
  const ask = (text: string) => openPass(text, { kinds: ['code', 'session', 'call'], secret, now })

  expect(ask(makePass({ kind: 'code', secret: Buffer.alloc(32, 3).toString('base64url'), nonce, now }))).toBeUndefined()
  expect(ask(pass.replace('code.', 'session.'))).toBeUndefined()
  expect(ask(pass.replace(String(now + PASS_MS.code), String(now + PASS_MS.code + 1)))).toBeUndefined()
  expect(ask(`${pass}x`)).toBeUndefined()
  expect(ask('')).toBeUndefined()
})

test('a pass that would live for longer than its kind may is none', () => {
  const pass = makePass({ kind: 'call', secret, nonce, now: now + PASS_MS.session })

  expect(openPass(pass, { kinds: ['call'], secret, now })).toBeUndefined()
})
