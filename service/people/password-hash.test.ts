import { systemRandom } from '@postern/base/random.ts'
import { expect, test } from 'vitest'
import { PasswordHasher } from './password-hash.ts'

const hasher = new PasswordHasher(systemRandom)

test('a password fits its hash, another does not, and the same one never hashes to the same', async () => {
  const [one, other] = [await hasher.hash('four words that stay'), await hasher.hash('four words that stay')]

  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(one).not.toBe(other)
  expect(await hasher.check('four words that stay', one)).toEqual({ right: true, outdated: false })
  expect(await hasher.check('four words that stay ', one)).toEqual({ right: false, outdated: false })
})

test('it is argon2id as others make it', async () => {
  // From the reference implementation: argon2 somesalt -id -t 2 -m 16 -p 1 of "password", version 1.3.
  const known = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'

  expect(await hasher.check('password', known)).toEqual({ right: true, outdated: true })
})

test('the same letters, written as other code points, are the same password', async () => {
  const composed = await hasher.hash('caf\u00e9 au lait, s\u2019il vous pla\u00eet')

  expect((await hasher.check('cafe\u0301 au lait, s\u2019il vous plai\u0302t', composed)).right).toBe(true)
})

test.each([
  ['none', undefined],
  ['no hash', 'plain'],
  ['one that would take all memory', '$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'],
  ['one that would take all day', '$argon2id$v=19$m=65536,t=999,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'],
])('%s in the database fits nothing, and costs the work of one', async (_, stored) => {
  expect(await hasher.check('password', stored)).toEqual({ right: false, outdated: false })
})

test('a flood waits in a queue that has an end, and the event loop goes on', { timeout: 60_000 }, async () => {
  let beats = 0
  const pulse = setInterval(() => {
    beats += 1
  }, 5)
  const all = await Promise.allSettled(Array.from({ length: 100 }, () => hasher.check('password', undefined)))
  clearInterval(pulse)

  const refused = all.filter((one) => one.status === 'rejected')
  expect(refused).toHaveLength(100 - 2 - 32)
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'SIGN_INS_AT_LIMIT' })
  expect(beats).toBeGreaterThan(20)
})
