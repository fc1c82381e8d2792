/** The digest's canonical text in MySQL's and MariaDB's SQL (digest.ts). */
import type { Column } from './copy-contract.ts'

const name = (column: Column) => `\`${column.name.replaceAll('`', '``')}\``

/** Of a row that is too long for the server to put together: no row is below 0, so no sum is. */
const TOO_LONG = '-10000000000000000000000000000000000000000'

export function mysqlDigestQuery(columns: readonly Column[], from: string, checksum: boolean): string {
  const sum = checksum ? `cast(coalesce(sum(${mysqlRowNumber(columns)}), 0) as char)` : 'null'
  return `select cast(count(*) as char) as \`rows\`, ${sum} as \`checksum\` from ${from}`
}

export function mysqlRowNumber(columns: readonly Column[]): string {
  return `coalesce(cast(conv(left(md5(${mysqlRowText(columns)}), 15), 16, 10) as unsigned), ${TOO_LONG})`
}

export function mysqlRowText(columns: readonly Column[]): string {
  if (columns.length === 0) return "''"
  return `concat(${columns.map(cellText).join(', ')})`
}

/** Types whose canonical text is always as long as this: it need not be made twice. */
const FIXED_LENGTH: Readonly<Record<string, number>> = { float32: 64, float64: 64, uuid: 36 }

function cellText(column: Column): string {
  const text = mysqlText(column)
  const length = FIXED_LENGTH[column.type.is] ?? `char_length(${text})`
  // Not coalesce: CONCAT is NULL also when it would become too long.
  return `if(${name(column)} is null, '-', concat(${length}, ':', ${text}))`
}

/** SQL: the value as text, the same in every dialect; NULL stays NULL. */
export function mysqlText(column: Column): string {
  const { type, native } = column
  const value = name(column)
  switch (type.is) {
    case 'bool':
      return `(case ${value} + 0 when 1 then 't' when 0 then 'f' else cast(${value} + 0 as char) end)`
    case 'int16':
    case 'int32':
    case 'int64':
      return /^(?:bit|year)|zerofill/.test(native) ? `(${value} + 0)` : value
    case 'decimal':
      return decimalText(/^bit/.test(native) ? `(${value} + 0)` : value, type.scale)
    case 'float32':
    case 'float64':
      // The only function that shows the bits of a double: a point as WKB has its x at byte 6, the smallest byte first.
      return `lpad(conv(hex(reverse(substr(st_asbinary(point(${value} * 1e0, 0)), 6, 8))), 16, 2), 64, '0')`
    case 'date':
      return `coalesce(cast(to_days(${value}) - 719528 as char), cast(${value} as char))`
    case 'time':
      return `cast(if(left(cast(${value} as char), 1) = '-', -1, 1) * ((hour(${value}) * 3600 + minute(${value}) * 60 + second(${value})) * 1000000 + microsecond(${value})) as char)`
    case 'timestamp':
    case 'timestamptz':
      return `coalesce(cast(timestampdiff(microsecond, '1970-01-01 00:00:00', ${value}) as char), cast(${value} as char))`
    case 'uuid':
      return `lower(cast(${value} as char))`
    case 'bytes':
      return `lower(hex(${value}))`
    case 'text':
    case 'json':
    case 'other':
      return `convert(${value} using utf8mb4)`
    default:
      return type satisfies never
  }
}

/** MySQL's decimals end at 30 digits after the point. */
function decimalText(value: string, scale: number | undefined): string {
  if (scale === undefined) return `cast(${value} as char)`
  const text = `cast(cast(${value} as decimal(65, ${Math.min(scale, 30)})) as char)`
  return scale <= 30 ? text : `concat(${text}, repeat('0', ${scale - 30}))`
}
