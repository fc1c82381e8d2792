import type { LogicalType } from '../copy-contract.ts'

const BY_OID: ReadonlyMap<number, LogicalType> = new Map<number, LogicalType>([
  [16, { is: 'bool' }],
  [21, { is: 'int16' }],
  [23, { is: 'int32' }],
  [20, { is: 'int64' }],
  [26, { is: 'int64' }],
  [700, { is: 'float32' }],
  [701, { is: 'float64' }],
  [18, { is: 'text' }],
  [19, { is: 'text' }],
  [25, { is: 'text' }],
  [1042, { is: 'text' }],
  [1043, { is: 'text' }],
  [17, { is: 'bytes' }],
  [1082, { is: 'date' }],
  [1083, { is: 'time' }],
  [1114, { is: 'timestamp' }],
  [1184, { is: 'timestamptz' }],
  [2950, { is: 'uuid' }],
  [114, { is: 'json' }],
  [3802, { is: 'json' }],
])

const NUMERIC = 1700

export function logicalType(oid: number, typmod: number): LogicalType {
  if (oid !== NUMERIC) return BY_OID.get(oid) ?? { is: 'other' }
  if (typmod < 4) return { is: 'decimal' }
  const precision = ((typmod - 4) >> 16) & 0xffff
  // Eleven bits with a sign since PostgreSQL 15: numeric(5, -2).
  const scale = (((typmod - 4) & 0x7ff) ^ 1_024) - 1_024
  return scale < 0 ? { is: 'decimal', precision: precision - scale, scale: 0 } : { is: 'decimal', precision, scale }
}

/** The type of a column that is made for values of another kind of store. */
export function nativeType(type: LogicalType): string {
  switch (type.is) {
    case 'bool':
      return 'boolean'
    case 'int16':
      return 'smallint'
    case 'int32':
      return 'integer'
    case 'int64':
      return 'bigint'
    case 'float32':
      return 'real'
    case 'float64':
      return 'double precision'
    case 'bytes':
      return 'bytea'
    case 'date':
      return 'date'
    case 'time':
      return 'time without time zone'
    case 'timestamp':
      return 'timestamp without time zone'
    case 'timestamptz':
      return 'timestamp with time zone'
    case 'uuid':
      return 'uuid'
    case 'json':
      return 'json'
    case 'decimal':
      return type.precision === undefined || type.precision > 1_000 ? 'numeric' : `numeric(${type.precision},${type.scale ?? 0})`
    case 'text':
    case 'other':
      return 'text'
    default:
      return type satisfies never
  }
}

/** By the name that format_type gives, for a column that is made from it. */
export function logicalOfNative(native: string, source: LogicalType): LogicalType {
  return native === 'text' ? { is: 'text' } : source
}
