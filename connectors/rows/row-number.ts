/**
 * The number that stands for a row in a digest (connectors/digest.ts), of a row in a text encoding: the same as its store computes in SQL
 * from the values. For rows that a target left out, which are in the source's digest and not in the target's. Pure.
 */
import { createHash } from 'node:crypto'
import type { Column, Encoding, LogicalType } from '../copy-contract.ts'
import { cellsOf } from './row-cells.ts'

export interface RowNumberParts {
  /** All that the row has, in its order. */
  readonly columns: readonly Column[]
  /** Those of the digest, with the types that it takes them for. */
  readonly digested: readonly Column[]
  readonly encoding: Encoding
}

/** Undefined: it cannot be told here what the store makes of a value. */
export function numberOfRow(row: Buffer, { columns, digested, encoding }: RowNumberParts): bigint | undefined {
  const cells = cellsOf(row, encoding)
  if (cells?.length !== columns.length) return undefined
  const byName = new Map(columns.map(({ name }, i) => [name, cells[i]]))
  let text = ''
  for (const { name, type } of digested) {
    const cell = byName.get(name)
    if (cell === undefined) return undefined
    const value = cell === null ? null : canonical(cell, type)
    if (value === undefined) return undefined
    text += value === null ? '-' : `${codePoints(value)}:${value}`
  }
  return BigInt(`0x${createHash('md5').update(text).digest('hex').slice(0, 15)}`)
}

function codePoints(text: string): number {
  let pairs = 0
  for (let i = 0; i < text.length; i += 1) if ((text.charCodeAt(i) & 0xfc00) === 0xd800) pairs += 1
  return text.length - pairs
}

function canonical(text: string, type: LogicalType): string | undefined {
  switch (type.is) {
    case 'int16':
    case 'int32':
    case 'int64':
      // A year of MySQL: 0000.
      return text.replace(/^(-?)0+(?=\d)/, '$1')
    case 'text':
    case 'json':
    case 'other':
      return text
    case 'bool':
      return boolOf(text)
    case 'decimal':
      return type.scale === undefined ? text : decimalOf(text, type.scale)
    case 'float32':
      return floatOf(text, Math.fround)
    case 'float64':
      return floatOf(text, (value) => value)
    case 'date':
      return dateOf(text)
    case 'time':
      return timeOf(text)
    case 'timestamp':
    case 'timestamptz':
      return momentOf(text)
    case 'uuid':
      return text.toLowerCase()
    case 'bytes':
      return text.startsWith('\\x') ? text.slice(2).toLowerCase() : undefined
    default:
      return type satisfies never
  }
}

/** MySQL keeps other numbers in its truth values. */
function boolOf(text: string): string | undefined {
  if (/^(?:t|f|true|false)$/i.test(text)) return text.slice(0, 1).toLowerCase()
  return /^-?\d+$/.test(text) ? text : undefined
}

function decimalOf(text: string, scale: number): string | undefined {
  if (/^(?:NaN|-?Infinity)$/.test(text)) return text
  const [, whole = '', fraction = ''] = /^(-?\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === '' || /[1-9]/.test(fraction.slice(scale))) return undefined
  return scale === 0 ? whole : `${whole}.${fraction.slice(0, scale).padEnd(scale, '0')}`
}

/** All 64 bits of the double. */
function floatOf(text: string, rounded: (value: number) => number): string | undefined {
  const value = rounded(Number(text))
  if (Number.isNaN(value)) return text === 'NaN' ? text : undefined
  const bits = Buffer.alloc(8)
  bits.writeDoubleBE(value)
  return bits.readBigUInt64BE().toString(2).padStart(64, '0')
}

const INFINITE = /^-?infinity$/
const DATE = /^(\d{4,})-(\d\d)-(\d\d)( BC)?$/
const TIME = /^(-?)(\d{2,}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?$/
const MOMENT = /^(\d{4,}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(Z|[+-]\d\d(?::?\d\d){0,2})?( BC)?$/

function dateOf(text: string): string | undefined {
  // The zeros of MySQL, which have no number.
  if (INFINITE.test(text) || text === '0000-00-00') return text
  const days = daysOf(text)
  return days === undefined ? undefined : String(days)
}

function timeOf(text: string): string | undefined {
  const micros = microsOf(text)
  return micros === undefined ? undefined : String(micros)
}

function momentOf(text: string): string | undefined {
  if (INFINITE.test(text)) return text
  const [, day, time, zone = '', before = ''] = MOMENT.exec(text) ?? []
  if (day === undefined || time === undefined) return undefined
  if (day === '0000-00-00') return text.slice(0, text.length - zone.length)
  const [days, micros, offset] = [daysOf(`${day}${before}`), microsOf(time), zoneOf(zone)]
  if (days === undefined || micros === undefined || offset === undefined) return undefined
  return String(BigInt(days) * 86_400_000_000n + micros - offset)
}

/** Since 1970-01-01, in the calendar of today at all times; undefined for what is no day, and for MySQL's year 0, which it counts otherwise. */
function daysOf(text: string): number | undefined {
  const [, digits = '', monthText = '', dayText = '', before] = DATE.exec(text) ?? []
  const [month, day] = [Number(monthText), Number(dayText)]
  if (digits === '' || Number(digits) === 0 || month < 1 || month > 12 || day < 1 || day > 31) return undefined
  const year = (before ? 1 - Number(digits) : Number(digits)) - (month <= 2 ? 1 : 0)
  const era = Math.floor(year / 400)
  const yearOfEra = year - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

function microsOf(text: string): bigint | undefined {
  const [, sign, hours, minutes = '0', seconds = '0', fraction = ''] = TIME.exec(text) ?? []
  if (hours === undefined) return undefined
  const whole = (BigInt(hours) * 60n + BigInt(minutes)) * 60n + BigInt(seconds)
  const micros = whole * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
  return sign === '-' ? -micros : micros
}

function zoneOf(zone: string): bigint | undefined {
  if (zone === '' || zone === 'Z') return 0n
  const digits = zone.slice(1).replaceAll(':', '').padEnd(6, '0')
  return microsOf(`${zone.startsWith('-') ? '-' : ''}${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4, 6)}`)
}
