/** Types of columns, there and back: pure. The table for people is in README.md. */
import type { LogicalType } from '../copy-contract.ts'

export interface NativeType {
  /** "bigint". */
  readonly base: string
  /** What stands in its brackets. */
  readonly size: readonly number[]
  readonly unsigned: boolean
  readonly zerofill: boolean
  /** Not UTF-8: "latin1"; else empty. */
  readonly charset: string
}

export interface TypeOptions {
  readonly tinyint1: 'bool' | 'int'
}

/** `int(10) unsigned`, `varchar(20) character set latin1`. */
export function parseNative(native: string): NativeType {
  const base = /^[a-z0-9]+/i.exec(native)?.[0].toLowerCase() ?? ''
  const size = /^[a-z0-9]+\((\d+(?:,\s*\d+)?)\)/i.exec(native)?.[1] ?? ''
  return {
    base,
    size: size === '' ? [] : size.split(',').map(Number),
    unsigned: /\bunsigned\b/.test(native),
    zerofill: /\bzerofill\b/.test(native),
    charset: /\bcharacter set (\w+)/.exec(native)?.[1] ?? '',
  }
}

const BYTES: ReadonlySet<string> = new Set(['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'])
const TEXTS: ReadonlySet<string> = new Set(['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'enum', 'set'])
/** The server's own form of them: four bytes of SRID, then WKB. */
export const GEOMETRIES: ReadonlySet<string> = new Set([
  'geometry',
  'point',
  'linestring',
  'polygon',
  'multipoint',
  'multilinestring',
  'multipolygon',
  'geometrycollection',
  'geomcollection',
])

export function logicalType(native: string, options: TypeOptions): LogicalType {
  const { base, size, unsigned } = parseNative(native)
  switch (base) {
    case 'tinyint':
      return size[0] === 1 && !unsigned && options.tinyint1 === 'bool' ? { is: 'bool' } : { is: 'int16' }
    case 'smallint':
      return unsigned ? { is: 'int32' } : { is: 'int16' }
    case 'year':
      return { is: 'int16' }
    case 'mediumint':
      return { is: 'int32' }
    case 'int':
      return unsigned ? { is: 'int64' } : { is: 'int32' }
    case 'bigint':
      return unsigned ? { is: 'decimal', precision: 20, scale: 0 } : { is: 'int64' }
    case 'bit':
      return bits(size[0] ?? 1)
    case 'decimal':
      return { is: 'decimal', precision: size[0] ?? 10, scale: size[1] ?? 0 }
    case 'float':
      return { is: 'float32' }
    case 'double':
      return { is: 'float64' }
    case 'date':
      return { is: 'date' }
    case 'time':
      return { is: 'time' }
    case 'datetime':
      return { is: 'timestamp' }
    case 'timestamp':
      return { is: 'timestamptz' }
    case 'json':
      return { is: 'json' }
    case 'uuid':
      return { is: 'uuid' }
    default:
      if (TEXTS.has(base)) return { is: 'text' }
      return BYTES.has(base) || GEOMETRIES.has(base) ? { is: 'bytes' } : { is: 'other' }
  }
}

function bits(count: number): LogicalType {
  if (count === 1) return { is: 'bool' }
  return count === 64 ? { is: 'decimal', precision: 20, scale: 0 } : { is: 'int64' }
}

export interface NewColumn {
  readonly type: LogicalType
  /** In the source's words. */
  readonly native: string
  /** Part of a key: it needs a length. */
  readonly inKey: boolean
  readonly mariadb: boolean
}

/** An index of InnoDB holds 3,072 bytes; four a character. */
const KEY_CHARS = 255
const KEY_BYTES = 1_000
const SHORT_TEXT = 255

/** The type of a column that is made for values of another kind of store. */
export function nativeType({ type, native, inKey, mariadb }: NewColumn): string {
  switch (type.is) {
    case 'bool':
      return 'tinyint(1)'
    case 'int16':
      return 'smallint'
    case 'int32':
      return 'int'
    case 'int64':
      return 'bigint'
    case 'float32':
      return 'float'
    case 'float64':
      return 'double'
    case 'decimal':
      return decimalType(type)
    case 'bytes':
      return inKey ? `varbinary(${KEY_BYTES})` : 'longblob'
    case 'date':
      return 'date'
    case 'time':
      return 'time(6)'
    case 'timestamp':
    case 'timestamptz':
      // TIMESTAMP ends in 2038. Moments are kept in UTC.
      return 'datetime(6)'
    case 'uuid':
      return 'char(36)'
    case 'json':
      // MySQL's own json writes numbers anew and would change them; MariaDB's keeps the text.
      return mariadb ? 'json' : 'longtext'
    case 'text':
    case 'other':
      return textType(native, inKey)
    default:
      return type satisfies never
  }
}

function decimalType({ precision, scale = 0 }: { readonly precision?: number; readonly scale?: number }): string {
  if (precision !== undefined && precision <= 65 && scale <= 30) return `decimal(${precision},${scale})`
  return 'decimal(65,30)'
}

function textType(native: string, inKey: boolean): string {
  const length = Number(/^(?:character varying|varchar)\((\d+)\)$/i.exec(native)?.[1] ?? 0)
  if (length > 0 && length <= SHORT_TEXT) return `varchar(${length})`
  return inKey ? `varchar(${KEY_CHARS})` : 'longtext'
}
