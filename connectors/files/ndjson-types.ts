import type { Column, LogicalType } from '../copy-contract.ts'
import { textOf } from './ndjson-line.ts'
import { duckType } from './types.ts'

/** What a value is, by its JSON and, for text, by ISO 8601 and the shape of a UUID. Pure. */
type Seen = 'bool' | 'int' | 'number' | 'json' | 'text' | 'date' | 'timestamp' | 'timestamptz' | 'uuid'

interface Member {
  readonly seen: Set<Seen>
  min: bigint
  max: bigint
  digits: number
  whole: number
  scale: number
  exponent: boolean
}

const STAMP = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(Z|[+-]\d\d(?::?\d\d)?)?$/
const DATE = /^\d{4}-\d\d-\d\d$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const INT32 = 2n ** 31n
const INT64 = 2n ** 63n

/** Gathers what all lines hold, then says the narrowest type that takes every value. */
export class NdjsonTypes {
  readonly #members = new Map<string, Member>()

  add(members: ReadonlyMap<string, string>): void {
    for (const [name, raw] of members) {
      let member = this.#members.get(name)
      if (!member) {
        member = { seen: new Set(), min: 0n, max: 0n, digits: 0, whole: 0, scale: 0, exponent: false }
        this.#members.set(name, member)
      }
      if (raw !== 'null') look(member, raw)
    }
  }

  columns(): Column[] {
    return [...this.#members].map(([name, member]) => {
      const type = typeOf(member)
      return { name, type, native: duckType(type), nullable: true }
    })
  }
}

function look(member: Member, raw: string): void {
  const first = raw[0]
  if (first === '"') member.seen.add(textKind(textOf(raw)))
  else if (first === '{' || first === '[') member.seen.add('json')
  else if (first === 't' || first === 'f') member.seen.add('bool')
  else lookAtNumber(member, raw)
}

function lookAtNumber(member: Member, raw: string): void {
  const [, whole = '', scale = '', exponent] = /^-?(\d+)(?:\.(\d+))?([eE].*)?$/.exec(raw) ?? []
  if (exponent) member.exponent = true
  member.digits = Math.max(member.digits, whole.length + scale.length)
  member.whole = Math.max(member.whole, whole.length)
  member.scale = Math.max(member.scale, scale.length)
  if (scale !== '' || exponent) {
    member.seen.add('number')
    return
  }
  member.seen.add('int')
  const value = BigInt(raw)
  if (value < member.min) member.min = value
  if (value > member.max) member.max = value
}

function textKind(text: string): Seen {
  if (DATE.test(text)) return isReal(text) ? 'date' : 'text'
  const stamp = STAMP.exec(text)
  if (stamp) return isReal(text) ? (stamp[1] ? 'timestamptz' : 'timestamp') : 'text'
  return UUID.test(text) ? 'uuid' : 'text'
}

/** Year 1 and later, a day that its month has, an hour that its day has. */
function isReal(text: string): boolean {
  const day = text.slice(0, 10)
  const made = new Date(`${day}T00:00:00Z`)
  if (Number.isNaN(made.getTime()) || made.toISOString().slice(0, 10) !== day || day.startsWith('0000')) return false
  const [, hour = '0', minute = '0', second = '0', zone = '00'] = /[ T](\d\d):(\d\d)(?::(\d\d))?[^+-]*(?:[+-](\d\d))?/.exec(text) ?? []
  return Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60 && Number(zone) < 15
}

function typeOf(member: Member): LogicalType {
  const seen = [...member.seen]
  const only = (...kinds: readonly Seen[]) => seen.every((kind) => kinds.includes(kind))
  if (seen.length === 0) return { is: 'text' }
  if (only('int')) {
    if (member.min >= -INT32 && member.max < INT32) return { is: 'int32' }
    if (member.min >= -INT64 && member.max < INT64) return { is: 'int64' }
  }
  if (only('int', 'number')) {
    if (member.digits <= 15 || member.exponent) return { is: 'float64' }
    return member.whole + member.scale <= 38 ? { is: 'decimal', precision: 38, scale: member.scale } : { is: 'decimal' }
  }
  const [kind] = seen
  if (seen.length === 1 && kind && kind !== 'int' && kind !== 'number') return { is: kind }
  // Text of several kinds is text; anything mixed with numbers or objects keeps its JSON.
  return only('text', 'date', 'timestamp', 'timestamptz', 'uuid') ? { is: 'text' } : { is: 'json' }
}
