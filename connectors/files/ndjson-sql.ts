import type { Column, LogicalType } from '../copy-contract.ts'
import { literal } from './sql.ts'

/**
 * SQL: one line of NDJSON from text columns c0, c1, … in the `csv` encoding. Made as text, not by DuckDB's JSON writer, so that
 * decimals keep their digits and JSON its spelling.
 */
export function ndjsonLine(columns: readonly Column[]): string {
  const members = columns.map(
    ({ name, type }, i) =>
      `${literal(`${i > 0 ? ',' : '{'}${JSON.stringify(name)}:`)}, coalesce(${jsonValue(`c${i}`, type, `column ${name}`)}, 'null')`,
  )
  return `concat(${members.join(', ')}, '}')`
}

/** SQL: a value that has no form of its own there; `ndjsonLine` fails with it. */
export function jsonRefused(cell: string, { is }: LogicalType): string | undefined {
  // As a member's value it would be read as NULL.
  if (is === 'json') return `trim(${cell}, ' ' || chr(9) || chr(10) || chr(13)) = 'null'`
  return is === 'bool' ? `${cell} not in ('t', 'f')` : undefined
}

/** Why, in words. */
export function jsonRefusal({ is }: LogicalType): string | undefined {
  if (is === 'json') return 'the JSON value null cannot be told from NULL in JSON files'
  return is === 'bool' ? 'the value is neither true nor false' : undefined
}

const NUMBER = '-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?'

function jsonValue(cell: string, type: LogicalType, name: string): string {
  const text = `cast(to_json(${cell}) as varchar)`
  const refused = `when ${jsonRefused(cell, type)} then error(${literal(`${name}: ${jsonRefusal(type)}`)})`
  switch (type.is) {
    case 'bool':
      return `case ${refused} when ${cell} = 't' then 'true' when ${cell} = 'f' then 'false' end`
    case 'int16':
    case 'int32':
    case 'int64':
      return cell
    case 'float32':
    case 'float64':
    case 'decimal':
      // NaN and Infinity are no JSON numbers: they become text.
      return `case when regexp_full_match(${cell}, '${NUMBER}') then ${cell} else ${text} end`
    case 'json':
      // A line break in JSON text is mere space between its tokens, but here it would end the row.
      return `case ${refused} when contains(${cell}, chr(10)) or contains(${cell}, chr(13)) then translate(${cell}, chr(10) || chr(13), '  ') else ${cell} end`
    default:
      return text
  }
}
