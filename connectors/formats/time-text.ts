/** ISO 8601 text, as PostgreSQL writes it, as numbers since 1970. Infinity becomes the largest or smallest number there is. */

const DATE = /^(\d{4,})-(\d\d)-(\d\d)/
const REST = /^[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?|Z)?( BC)?$/
const DAY_MS = 86_400_000
const FAR_INT32 = 2_147_483_647
const FAR_INT64 = 9_223_372_036_854_775_807n

/** Days since 1970-01-01. */
export function daysOfText(text: string): number {
  if (text.endsWith('infinity')) return text.startsWith('-') ? -FAR_INT32 : FAR_INT32
  const match = DATE.exec(text)
  if (!match) throw new RangeError('not a date')
  const year = text.endsWith(' BC') ? 1 - Number(match[1]) : Number(match[1])
  return daysOf(year, Number(match[2]), Number(match[3]))
}

/** By counting: Date's range is narrower than PostgreSQL's. */
function daysOf(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const ofEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + dayOfYear - 719_468
}

/** Microseconds since midnight. */
export function timeOfText(text: string): bigint {
  const match = REST.exec(` ${text}`)
  if (!match) throw new RangeError('not a time')
  return clockMicros(match)
}

/** Microseconds since 1970-01-01 00:00, in UTC where the text has a zone. */
export function microsOfText(text: string): bigint {
  if (text.endsWith('infinity')) return text.startsWith('-') ? -FAR_INT64 : FAR_INT64
  const date = DATE.exec(text)
  const match = REST.exec(text.slice(date?.[0].length ?? 0))
  if (!date || !match) throw new RangeError('not a timestamp')
  const year = match[9] ? 1 - Number(date[1]) : Number(date[1])
  const days = BigInt(daysOf(year, Number(date[2]), Number(date[3])))
  const offset = match[5] ? (Number(match[6]) * 60 + Number(match[7] ?? 0)) * 60 + Number(match[8] ?? 0) : 0
  const zone = BigInt(match[5] === '-' ? -offset : offset) * 1_000_000n
  return days * BigInt(DAY_MS) * 1_000n + clockMicros(match) - zone
}

function clockMicros(match: RegExpExecArray): bigint {
  const seconds = (Number(match[1]) * 60 + Number(match[2])) * 60 + Number(match[3])
  return BigInt(seconds) * 1_000_000n + BigInt((match[4] ?? '').padEnd(6, '0') || '0')
}
