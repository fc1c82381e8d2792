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

// ── straight from the bytes ─────────────────────────────────────────────────────────────────────────
// Nearly all values are years of four digits: those are read without making a text of them. NaN: it is another, use the text.

/** Days since 1970-01-01 of `2020-01-02`. */
export function daysOfBytes(data: Uint8Array, start: number, end: number): number {
  return end - start === 10 ? plainDate(data, start) : Number.NaN
}

/** Microseconds since 1970-01-01 00:00 of `2020-01-02 03:04:05.678+05:30`, in UTC; seconds' parts and zone may be missing. */
export function microsOfBytes(data: Uint8Array, start: number, end: number): number {
  if (end - start < 19) return Number.NaN
  const space = data[start + 10]
  const days = plainDate(data, start)
  if ((space !== SPACE && space !== LETTER_T) || data[start + 13] !== COLON || data[start + 16] !== COLON) return Number.NaN
  const seconds = (pair(data, start + 11) * 60 + pair(data, start + 14)) * 60 + pair(data, start + 17)
  let at = start + 19
  let micros = 0
  if (at < end && data[at] === POINT) {
    at += 1
    let unit = 100_000
    for (; at < end && isDigit(data[at] ?? 0); at += 1) {
      micros += ((data[at] ?? 0) - ZERO) * unit
      unit = Math.floor(unit / 10)
    }
    if (unit === 0 && at - start > 26) return Number.NaN
  }
  const whole = days * 86_400 + seconds - plainZone(data, at, end)
  // Exact while it is a safe integer: from 1684 to 2255. NaN stays NaN.
  return Math.abs(whole) < 9_000_000_000 ? whole * 1_000_000 + micros : Number.NaN
}

const ZERO = 0x30
const SPACE = 0x20
const LETTER_T = 0x54
const COLON = 0x3a
const POINT = 0x2e
const PLUS = 0x2b
const MINUS = 0x2d

function plainDate(data: Uint8Array, start: number): number {
  if (data[start + 4] !== MINUS || data[start + 7] !== MINUS) return Number.NaN
  return daysOf(pair(data, start) * 100 + pair(data, start + 2), pair(data, start + 5), pair(data, start + 8))
}

/** Seconds east of Greenwich of nothing, `+05` or `+05:30`. */
function plainZone(data: Uint8Array, at: number, end: number): number {
  if (at === end) return 0
  const sign = data[at] === PLUS ? 1 : data[at] === MINUS ? -1 : Number.NaN
  if (end - at === 3) return sign * pair(data, at + 1) * 3_600
  return end - at === 6 && data[at + 3] === COLON ? sign * (pair(data, at + 1) * 3_600 + pair(data, at + 4) * 60) : Number.NaN
}

function pair(data: Uint8Array, at: number): number {
  const tens = data[at] ?? 0
  const ones = data[at + 1] ?? 0
  return isDigit(tens) && isDigit(ones) ? (tens - ZERO) * 10 + ones - ZERO : Number.NaN
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39
}
