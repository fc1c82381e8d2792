import { Fault } from '@postern/protocol/fault.ts'

/** KEY=VALUE, as often as wanted; a key given twice is a mistake, not a choice. */
export function parsePairs(words: readonly string[], option: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>()
  for (const word of words) {
    const at = word.indexOf('=')
    // The word may hold a secret: only what stands before "=" is ever shown.
    if (at <= 0) throw new Fault('INPUT_INVALID', { at: `${option} takes KEY=VALUE.` })
    const key = word.slice(0, at)
    if (pairs.has(key)) throw new Fault('INPUT_INVALID', { at: `${option} ${key} is given twice.` })
    pairs.set(key, word.slice(at + 1))
  }
  return pairs
}

/** Labels: KEY=VALUE, both names. */
export const parseLabels = (words: readonly string[], option: string): Record<string, string> =>
  Object.fromEntries(parsePairs(words, option))

/** For commander: collects the values of an option that may be given many times. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value]
}

/** GATEWAY/NODE, as the commands about one node take it. */
export function parseNodePath(path: string): { readonly gateway: string; readonly node: string } {
  const [gateway = '', node = '', ...more] = path.split('/')
  if (gateway === '' || node === '' || more.length > 0) {
    throw new Fault('INPUT_INVALID', { at: `"${path}" is not GATEWAY/NODE, such as demo/node-a.` })
  }
  return { gateway, node }
}

/** A whole number within bounds, for commander and for settings. */
export function wholeNumber(option: string, low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= low && value <= high))
      throw new Fault('INPUT_INVALID', { at: `${option} must be a whole number from ${low} to ${high}, not "${text}".` })
    return value
  }
}

/** One of some words. */
export function oneOf<const Choice extends string>(option: string, choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text)
    if (choice === undefined) throw new Fault('INPUT_INVALID', { at: `${option} must be one of ${choices.join(', ')}, not "${text}".` })
    return choice
  }
}
