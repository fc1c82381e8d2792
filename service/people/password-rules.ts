/**
 * Long, not known, and nothing else: rules about signs and digits make passwords worse, not better (NIST SP 800-63B). Pure; the portal
 * and the command line may ask before they send.
 */
import { COMMON_WORDS } from './common-words.ts'

export const PASSWORD_CHARACTERS = { least: 12, most: 256 } as const

/** Letters that people write as digits and signs. */
const LEET: Readonly<Record<string, string>> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'i' }
const ROWS = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  '1q2w3e4r5t6y7u8i9o0p',
] as const
const LONGEST_UNIT = 4

/** Why it is refused, in words that follow "The password "; undefined: it will do. `about`: name, e-mail, what stands near. */
export function passwordRefusal(password: string, about: readonly string[] = []): string | undefined {
  const characters = [...password.normalize('NFKC')].length
  if (characters < PASSWORD_CHARACTERS.least) return `must have at least ${PASSWORD_CHARACTERS.least} characters.`
  if (characters > PASSWORD_CHARACTERS.most) return `must have at most ${PASSWORD_CHARACTERS.most} characters.`
  const small = password.normalize('NFKC').toLowerCase()
  if (repeats(small)) return 'only repeats itself.'
  if (runs(small)) return 'is a run of the keyboard or the alphabet.'
  if (isCommon(small)) return 'is one of the first that are tried.'
  if (about.some((text) => text.length >= 4 && coreOf(small) === coreOf(text.toLowerCase()))) return 'is your name.'
  return undefined
}

/** "aaaaaaaaaaaa", "abcabcabcabc". */
function repeats(text: string): boolean {
  for (let unit = 1; unit <= LONGEST_UNIT; unit += 1)
    if (
      text ===
      text
        .slice(0, unit)
        .repeat(Math.ceil(text.length / unit))
        .slice(0, text.length)
    )
      return true
  return false
}

/** "123456789012", "qwertyuiopas", also backwards, also started anew in the middle. */
function runs(text: string): boolean {
  const backwards = [...text].reverse().join('')
  return [text, backwards].some((way) => ROWS.some((row) => (row + row).includes(way)))
}

/** A well-known word, or several, with digits and signs around them: "Password2026!!", "letmein-letmein". */
function isCommon(text: string): boolean {
  const cores = new Set([coreOf(text), plainOf(coreOf(text)), coreOf(plainOf(text))])
  return [...cores].some((core) => core !== '' && core.length <= 32 && madeOf(core))
}

/** What stands between the digits and signs at both ends, without what separates words. */
const coreOf = (text: string) => text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '').replace(/[\s._-]+/g, '')
const plainOf = (text: string) => [...text].map((character) => LEET[character] ?? character).join('')

/** Common words one behind the other, three at the most: four random common words are a good password. */
function madeOf(text: string, words = 3): boolean {
  if (text === '') return true
  if (words === 0) return false
  for (let end = Math.min(text.length, 14); end >= 3; end -= 1)
    if (COMMON_WORDS.has(text.slice(0, end)) && madeOf(text.slice(end), words - 1)) return true
  return false
}
