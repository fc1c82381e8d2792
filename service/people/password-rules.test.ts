import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PASSWORD_CHARACTERS, passwordRefusal } from './password-rules.ts'

test.each([
  'correct horse battery staple',
  'four words that stay',
  'xK9#mQ2$vL5&',
  'Надёжный пароль 7',
  '密碼很長但是不難記住的一句',
  'colourless green ideas',
  'my dog ate the gateway',
  '839205716642',
])('%s will do', (password) => {
  expect(passwordRefusal(password, ['ann', 'Ann Other', 'ann@example.com'])).toBeUndefined()
})

test.each([
  ['short', 'at least 12'],
  ['eleven char', 'at least 12'],
  ['aaaaaaaaaaaaaaaa', 'repeats'],
  ['abcabcabcabcabc', 'repeats'],
  ['123456789012', 'run'],
  ['0987654321098', 'run'],
  ['qwertyuiopas', 'run'],
  ['abcdefghijklm', 'run'],
  ['Password2026!', 'first that are tried'],
  ['P@ssw0rd12345', 'first that are tried'],
  ['administrator1', 'first that are tried'],
  ['letmein-letmein', 'first that are tried'],
  ['12345iloveyou', 'first that are tried'],
  ['ChangeMe!!!!!', 'first that are tried'],
  ['Welcome_to_2026', undefined],
  ['annabell.other1', 'your name'],
  ['x'.repeat(257), 'at most'],
])('%s: %s', (password, why) => {
  const refusal = passwordRefusal(password, ['annabell.other', 'Annabell Other'])

  if (why === undefined) expect(refusal).toBeUndefined()
  else expect(refusal).toContain(why)
})

test('any text gets an answer soon, and random letters of the least length will do', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void passwordRefusal(text, [text])),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'bdfghjkmnpqrstvwxz2468'), minLength: PASSWORD_CHARACTERS.least, maxLength: 64 }),
      (text) => {
        fc.pre(new Set(text).size > 6)
        return passwordRefusal(text) === undefined
      },
    ),
    { numRuns: 300 },
  )
})
