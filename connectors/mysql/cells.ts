/** How each column is asked of the server, and what its text then lacks: pure. */
import type { Column, LogicalType } from '../copy-contract.ts'
import { quoteName } from './names.ts'
import { parseNative } from './types.ts'

/** raw: stands as it is; text: escape it; bool: 0 or 1; hex: bytes; utc: a moment whose zone must be said. */
export type CellForm = 'raw' | 'text' | 'bool' | 'hex' | 'utc'

export interface ReadCell {
  readonly sql: string
  readonly form: CellForm
}

export function readCell(column: Column, options: { readonly zeroDates: 'refuse' | 'null' }): ReadCell {
  const name = quoteName(column.name)
  return { sql: readSql(column, name, options.zeroDates), form: FORMS[column.type.is] }
}

const FORMS: Readonly<Record<LogicalType['is'], CellForm>> = {
  bool: 'bool',
  int16: 'raw',
  int32: 'raw',
  int64: 'raw',
  float32: 'raw',
  float64: 'raw',
  decimal: 'raw',
  text: 'text',
  other: 'text',
  json: 'text',
  uuid: 'raw',
  bytes: 'hex',
  date: 'raw',
  time: 'raw',
  timestamp: 'raw',
  timestamptz: 'utc',
}

function readSql({ type, native }: Column, name: string, zeroDates: 'refuse' | 'null'): string {
  const { base, zerofill, size } = parseNative(native)
  switch (type.is) {
    case 'float32':
      // Its own text has six digits; as a double it has all.
      return `(${name} * 1e0)`
    case 'float64':
      return size.length > 0 || zerofill ? `(${name} * 1e0)` : name
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return zeroDates === 'null' ? `(case when month(${name}) = 0 or dayofmonth(${name}) = 0 then null else ${name} end)` : name
    default:
      return base === 'bit' || zerofill ? `(${name} + 0)` : name
  }
}
