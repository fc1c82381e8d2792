import { expect, test } from 'vitest'
import { makeAuthKey, openAuthKey } from './auth-key.ts'

const counting = (count: number) => Uint8Array.from({ length: count }, (_, index) => index)
const random = (count: number) => crypto.getRandomValues(new Uint8Array(count))

test('a key opens to what it was made of, and always to the same', async () => {
  const { text, part } = await makeAuthKey(counting)

  const opened = await openAuthKey(` ${text}\n`)

  expect(opened?.part).toEqual(part)
  expect(text).toBe('pgk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-P5la')
  expect(opened).toEqual(await openAuthKey(text))
})

test('what the service is given tells nothing of either secret', async () => {
  const { text, part } = await makeAuthKey(random)
  const opened = await openAuthKey(text)
  const [join, handOver] = [
    Buffer.from(text.slice(4), 'base64url').subarray(0, 32),
    Buffer.from(text.slice(4), 'base64url').subarray(32, 64),
  ]

  const given = JSON.stringify([part, opened?.joinProof])
  const shown = [join, handOver].flatMap((secret) => [secret.toString('hex'), secret.toString('base64url'), secret.toString('base64')])

  expect(shown.filter((one) => given.includes(one))).toEqual([])
  expect(given).not.toContain(opened?.handOverSeed)
})

test('a key that is cut short, mistyped or of another kind is none', async () => {
  const { text } = await makeAuthKey(random)
  const other = text.at(30) === 'A' ? 'B' : 'A'

  for (const wrong of ['', 'x', 'pgk_', text.slice(0, -1), `${text}A`, text.slice(4), text.slice(0, 30) + other + text.slice(31)]) {
    expect(await openAuthKey(wrong)).toBeUndefined()
  }
})
