/** Looks for secrets in whatever was dumped, logged or sent: as they are, and in the ways in which programs write bytes. */

export interface Sought {
  readonly name: string
  readonly bytes: Buffer
}

export const soughtText = (name: string, text: string): Sought => ({ name, bytes: Buffer.from(text) })
export const soughtBytes = (name: string, base64url: string): Sought => ({ name, bytes: Buffer.from(base64url, 'base64url') })

/** Shorter ones would be found by chance. */
const LEAST_BYTES = 8

/** Names of the secrets that are in it, each with how it was written. */
export function found(haystack: Buffer, secrets: readonly Sought[]): string[] {
  const lower = Buffer.from(haystack.toString('latin1').toLowerCase(), 'latin1')
  return secrets.flatMap(({ name, bytes }) => {
    if (bytes.length < LEAST_BYTES) throw new Error(`${name} is too short to be looked for.`)
    return [
      ...(haystack.includes(bytes) ? [`${name} as it is`] : []),
      ...(lower.includes(bytes.toString('hex')) ? [`${name} in hex`] : []),
      ...(base64Of(bytes).some((text) => haystack.includes(text)) ? [`${name} in base64`] : []),
      ...(haystack.includes([...bytes].join(',')) ? [`${name} as numbers`] : []),
    ]
  })
}

/** Wherever it begins within three bytes, in both alphabets, without the characters that depend on what stands beside it. */
function base64Of(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const core = whole.slice(before === 0 ? 0 : before + 1, whole.length - ((before + bytes.length) % 3 === 0 ? 0 : 1))
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')]
  })
}
